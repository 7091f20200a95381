// GELU, x · Φ(x) with the normal distribution function Φ (Hendrycks and Gimpel 2016); its gradient needs the
// input. Regions are written in whole vectors of four.

import { decay } from '../elementary';
import { backward, Curve, forward } from './inputGradient';

/** 1 / √(2π). */
const DENSITY_AT_ZERO: f32 = 0.3989422804014327;

// @ts-ignore: decorator
@inline
function step(polynomial: v128, t: v128, coefficient: f32): v128 {
  return f32x4.add(f32x4.mul(polynomial, t), f32x4.splat(coefficient));
}

/** e^(−x²/2). */
// @ts-ignore: decorator
@inline
function bell(x: v128): v128 {
  return decay(f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.5)));
}

/**
 * Φ(x), given e^(−x²/2): Φ(−|x|) = ½ erfc(z), z = |x| / √2, by formula 7.1.26 of Abramowitz and Stegun
 * (1964), erfc(z) ≈ (a₁t + … + a₅t⁵) e^(−z²), t = 1 / (1 + p z), within 1.5e-7.
 */
// @ts-ignore: decorator
@inline
function normalCdf(x: v128, exponential: v128): v128 {
  const one = f32x4.splat(1);
  const z = f32x4.mul(f32x4.abs(x), f32x4.splat(0.7071067811865476));
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(z, f32x4.splat(0.3275911))));
  let p = f32x4.splat(1.061405429);
  p = step(p, t, -1.453152027);
  p = step(p, t, 1.421413741);
  p = step(p, t, -0.284496736);
  p = step(p, t, 0.254829592);
  const half = f32x4.mul(f32x4.mul(p, t), f32x4.splat(0.5));
  const tail = f32x4.mul(half, exponential);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  return f32x4.mul(x, normalCdf(x, bell(x)));
}

/** Φ(x) + x φ(x), φ the normal density. */
// @ts-ignore: decorator
@inline
function slope(x: v128): v128 {
  const exponential = bell(x);
  const density = f32x4.mul(exponential, f32x4.splat(DENSITY_AT_ZERO));
  return f32x4.add(normalCdf(x, exponential), f32x4.mul(x, density));
}

// @ts-ignore: decorator
@unmanaged
class Gelu extends Curve {
  // @ts-ignore: decorator
  @inline
  value(x: v128): v128 {
    return gelu(x);
  }

  // @ts-ignore: decorator
  @inline
  slope(x: v128): v128 {
    return slope(x);
  }
}

/** y = x · Φ(x). */
export function geluForward(x: usize, y: usize, count: i32): void {
  forward<Gelu>(x, y, count);
}

/** dx = dy · (Φ(x) + x φ(x)). */
export function geluBackward(x: usize, dy: usize, dx: usize, count: i32): void {
  backward<Gelu>(x, dy, dx, count);
}
