// Elementary functions on all float32 numbers, as tensor operations need them: zeros keep their sign,
// infinities, NaN and subnormal numbers give what the exact function does. elementary.ts has the parts.

import { decay, log, log1pUnit, tanh } from './elementary';

// @ts-ignore: decorator
@inline
function step(polynomial: v128, x: v128, coefficient: f32): v128 {
  return f32x4.add(f32x4.mul(polynomial, x), f32x4.splat(coefficient));
}

// @ts-ignore: decorator
@inline
function signOf(x: v128): v128 {
  return v128.and(x, i32x4.splat(0x80000000));
}

/** Natural logarithm: −∞ at ±0, NaN below. */
// @ts-ignore: decorator
@inline
export function fullLog(x: v128): v128 {
  const zero = f32x4.splat(0);
  // Subnormal numbers are scaled by 2^24 first.
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(16777216)), x, tiny);
  let y = f32x4.sub(log(scaled), v128.and(tiny, f32x4.splat(16.635532333438686)));
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, zero));
  // +∞ is itself; what is not ≥ 0 is NaN.
  y = v128.bitselect(x, y, f32x4.eq(x, f32x4.splat(Infinity)));
  const valid = f32x4.ge(x, zero);
  return v128.bitselect(y, f32x4.splat(NaN), valid);
}

/**
 * log(1 + x) for x ≥ −1: −∞ at −1, NaN below. The rounding of u = 1 + x is made up for: (x − (u − 1)) / u.
 */
// @ts-ignore: decorator
@inline
export function log1p(x: v128): v128 {
  const one = f32x4.splat(1);
  const u = f32x4.add(x, one);
  const lost = f32x4.div(f32x4.sub(x, f32x4.sub(u, one)), u);
  // NaN where x is infinite or −1: the logarithm is right by itself.
  const correction = v128.and(lost, f32x4.eq(lost, lost));
  return v128.or(f32x4.add(fullLog(u), correction), signOf(x));
}

/** e^x − 1. */
// @ts-ignore: decorator
@inline
export function expm1(x: v128): v128 {
  // As exp in elementary.ts, with n rounded as there: x = n ln 2 + r, e^r − 1 = q; then e^x − 1 = 2^n (q + (1
  // − 2^−n)).
  const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-18));
  const shifted = f32x4.add(f32x4.mul(bounded, f32x4.splat(1.44269504088896341)), f32x4.splat(12582912));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  let r = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.1219444e-4)));
  let p = f32x4.splat(1.98756915e-4);
  p = step(p, r, 1.3981999507e-3);
  p = step(p, r, 8.3334519073e-3);
  p = step(p, r, 4.1665795894e-2);
  p = step(p, r, 1.6666665459e-1);
  p = step(p, r, 5.0000001201e-1);
  const q = f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r);
  const exponent = i32x4.sub(shifted, i32x4.splat(0x4b400000));
  const bias = i32x4.splat(127);
  // 2^−n vanishes beside 1 long before 2^−100.
  const inverse = i32x4.shl(i32x4.sub(bias, i32x4.min_s(exponent, i32x4.splat(100))), 23);
  const y = f32x4.add(q, f32x4.sub(f32x4.splat(1), inverse));
  const half = i32x4.shr_s(exponent, 1);
  const scale0 = i32x4.shl(i32x4.add(half, bias), 23);
  const scale1 = i32x4.shl(i32x4.add(i32x4.sub(exponent, half), bias), 23);
  return v128.or(f32x4.mul(f32x4.mul(y, scale0), scale1), signOf(x));
}

/** tanh with the sign of zero. */
// @ts-ignore: decorator
@inline
export function signedTanh(x: v128): v128 {
  return v128.or(tanh(x), signOf(x));
}

/** log(1 + e^x) = max(x, 0) + log1p(e^−|x|). */
// @ts-ignore: decorator
@inline
export function softplus(x: v128): v128 {
  const tail = log1pUnit(decay(x));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), tail);
}

/** 1 / (1 + e^−x). */
// @ts-ignore: decorator
@inline
export function logistic(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = decay(x);
  const positive = f32x4.div(one, f32x4.add(one, e));
  return v128.bitselect(f32x4.mul(e, positive), positive, f32x4.lt(x, f32x4.splat(0)));
}
