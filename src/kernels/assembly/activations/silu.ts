// SiLU, x · σ(x) with the logistic sigmoid σ (Elfwing et al. 2018); its gradient needs the input. Regions are
// written in whole vectors of four.

import { decay } from '../elementary';
import { backward, Curve, forward } from './inputGradient';
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

// @ts-ignore: decorator
@unmanaged
class Silu extends Curve {
  // @ts-ignore: decorator
  @inline
  value(x: v128): v128 {
    return silu(x);
  }

  // @ts-ignore: decorator
  @inline
  slope(x: v128): v128 {
    return slope(x);
  }
}

/** y = x · σ(x). */
export function siluForward(x: usize, y: usize, count: i32): void {
  forward<Silu>(x, y, count);
}

/** dx = dy · (σ(x) + x σ(x) σ(−x)). */
export function siluBackward(x: usize, dy: usize, dx: usize, count: i32): void {
  backward<Silu>(x, dy, dx, count);
}
