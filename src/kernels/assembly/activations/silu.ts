// SiLU, x · σ(x) with the logistic sigmoid σ (Elfwing et al. 2018); its gradient needs the input. Regions are written in
// whole vectors of four.

import { logistic } from '../functions';

// @ts-ignore: decorator
@inline
function silu(x: v128): v128 {
  return f32x4.mul(x, logistic(x));
}

/** σ · (1 + x (1 − σ)). */
// @ts-ignore: decorator
@inline
function slope(x: v128): v128 {
  const one = f32x4.splat(1);
  const s = logistic(x);
  return f32x4.mul(s, f32x4.add(one, f32x4.mul(x, f32x4.sub(one, s))));
}

/** y = x · σ(x). */
export function siluForward(x: usize, y: usize, count: i32): void {
  const length = (<usize>count) << 2;
  let i: usize = 0;
  for (; i + 32 <= length; i += 32) {
    const low = silu(v128.load(x + i));
    const high = silu(v128.load(x + i, 16));
    v128.store(y + i, high, 16);
    v128.store(y + i, low);
  }
  for (; i < length; i += 16) v128.store(y + i, silu(v128.load(x + i)));
}

/** dx = dy · σ(x) (1 + x (1 − σ(x))). */
export function siluBackward(x: usize, dy: usize, dx: usize, count: i32): void {
  const length = (<usize>count) << 2;
  let i: usize = 0;
  for (; i + 32 <= length; i += 32) {
    const low = f32x4.mul(v128.load(dy + i), slope(v128.load(x + i)));
    const high = f32x4.mul(v128.load(dy + i, 16), slope(v128.load(x + i, 16)));
    v128.store(dx + i, high, 16);
    v128.store(dx + i, low);
  }
  for (; i < length; i += 16) {
    v128.store(dx + i, f32x4.mul(v128.load(dy + i), slope(v128.load(x + i))));
  }
}
