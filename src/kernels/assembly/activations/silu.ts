// SiLU, x · σ(x) with the logistic sigmoid σ (Elfwing et al. 2018); its gradient needs the input. Regions are
// written in whole vectors of four.

import { decay } from '../elementary';
import { logistic } from '../functions';

// @ts-ignore: decorator
@inline
function silu(x: v128): v128 {
  return f32x4.mul(x, logistic(x));
}

/**
 * σ(x) + x σ(x) σ(−x): with e = e^−|x|, σ(|x|) = 1 / (1 + e) and σ(x) σ(−x) = e / (1 + e)², where nothing
 * cancels.
 */
// @ts-ignore: decorator
@inline
function slope(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = decay(x);
  const positive = f32x4.div(one, f32x4.add(one, e));
  const negative = f32x4.mul(e, positive);
  const s = v128.bitselect(negative, positive, f32x4.lt(x, f32x4.splat(0)));
  return f32x4.add(s, f32x4.mul(x, f32x4.mul(negative, positive)));
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

/** dx = dy · (σ(x) + x σ(x) σ(−x)). */
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
