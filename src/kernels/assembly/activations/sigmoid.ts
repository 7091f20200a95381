// The logistic sigmoid in place; its gradient needs only the output. Regions are written in whole vectors of
// four.

import { logistic } from '../functions';

/** y = 1 / (1 + e^−y). */
export function sigmoidForward(y: usize, count: i32): void {
  const end = y + ((<usize>count) << 2);
  let p = y;
  for (; p + 32 <= end; p += 32) {
    const low = logistic(v128.load(p));
    const high = logistic(v128.load(p, 16));
    v128.store(p, high, 16);
    v128.store(p, low);
  }
  for (; p < end; p += 16) v128.store(p, logistic(v128.load(p)));
}

/** dy = dy · (y · (1 − y)). */
export function sigmoidBackward(y: usize, dy: usize, count: i32): void {
  const one = f32x4.splat(1);
  const length = (<usize>count) << 2;
  for (let i: usize = 0; i < length; i += 16) {
    const v = v128.load(y + i);
    v128.store(dy + i, f32x4.mul(v128.load(dy + i), f32x4.mul(v, f32x4.sub(one, v))));
  }
}
