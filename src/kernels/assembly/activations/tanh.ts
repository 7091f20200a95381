// tanh in place; its gradient needs only the output. Regions are written in whole vectors of four.

import { tanh } from '../elementary';

/** y = tanh(y). */
export function tanhForward(y: usize, count: i32): void {
  const end = y + ((<usize>count) << 2);
  let p = y;
  // Neighbouring vectors: V8's re-vectorisation makes one of 256 bits of them.
  for (; p + 32 <= end; p += 32) {
    const low = tanh(v128.load(p));
    const high = tanh(v128.load(p, 16));
    v128.store(p, high, 16);
    v128.store(p, low);
  }
  for (; p < end; p += 16) v128.store(p, tanh(v128.load(p)));
}

/** dy = dy · (1 − y²). */
export function tanhBackward(y: usize, dy: usize, count: i32): void {
  const one = f32x4.splat(1);
  const length = (<usize>count) << 2;
  for (let i: usize = 0; i < length; i += 16) {
    const v = v128.load(y + i);
    v128.store(dy + i, f32x4.mul(v128.load(dy + i), f32x4.sub(one, f32x4.mul(v, v))));
  }
}
