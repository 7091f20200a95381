// exp, log, log1p, tanh, sin and cos on four lanes, from additions, multiplications and divisions alone, so
// that every engine gives the same bits. Polynomials: Moshier, Cephes single precision (expf, logf, tanhf,
// sinf, cosf); log1p by the series of atanh. Each is within 4 units in the last place
// (test/kernels/elementary.test.ts). Products and sums are rounded separately in both arithmetic modes.

// @ts-ignore: decorator
@inline
function step(polynomial: v128, x: v128, coefficient: f32): v128 {
  return f32x4.add(f32x4.mul(polynomial, x), f32x4.splat(coefficient));
}

/** e^x; infinity above 88.73, 0 below −104, NaN for NaN. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  // pmin(a, b) = b < a ? b : a keeps a NaN in a.
  return expUpTo89(f32x4.pmin(x, f32x4.splat(89)));
}

/** e^{−|x|}, in [0, 1]. */
// @ts-ignore: decorator
@inline
export function decay(x: v128): v128 {
  return expUpTo89(v128.or(x, i32x4.splat(0x80000000)));
}

/** exp where x ≤ 89, with its bits. */
// @ts-ignore: decorator
@inline
function expUpTo89(x: v128): v128 {
  const bounded = f32x4.pmax(x, f32x4.splat(-105));
  // Added to 1.5 · 2²³, a number is rounded to an integer, which the lowest bits of the sum hold: fewer
  // instructions than nearest and trunc_sat have on x86-64, and V8 pairs them to 256 bits.
  const shifted = f32x4.add(f32x4.mul(bounded, f32x4.splat(1.44269504088896341)), f32x4.splat(12582912));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  // ln 2 in two parts: n · 0.693359375 is exact.
  let r = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.1219444e-4)));
  let p = f32x4.splat(1.98756915e-4);
  p = step(p, r, 1.3981999507e-3);
  p = step(p, r, 8.3334519073e-3);
  p = step(p, r, 4.1665795894e-2);
  p = step(p, r, 1.6666665459e-1);
  p = step(p, r, 5.0000001201e-1);
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  // 2^n in two factors: n reaches 128 (the largest numbers) and −151 (subnormals).
  const exponent = i32x4.sub(shifted, i32x4.splat(0x4b400000));
  const half = i32x4.shr_s(exponent, 1);
  const rest = i32x4.sub(exponent, half);
  const bias = i32x4.splat(127);
  const scale0 = i32x4.shl(i32x4.add(half, bias), 23);
  const scale1 = i32x4.shl(i32x4.add(rest, bias), 23);
  return f32x4.mul(f32x4.mul(p, scale0), scale1);
}

/** Natural logarithm of positive normal numbers. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  // x = m · 2^e with m in [√½, √2)
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const e = f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23));
  const mantissa = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const m = f32x4.sub(mantissa, f32x4.splat(1));
  let p = f32x4.splat(7.0376836292e-2);
  p = step(p, m, -1.151461031e-1);
  p = step(p, m, 1.167699874e-1);
  p = step(p, m, -1.2420140846e-1);
  p = step(p, m, 1.4249322787e-1);
  p = step(p, m, -1.6668057665e-1);
  p = step(p, m, 2.0000714765e-1);
  p = step(p, m, -2.4999993993e-1);
  p = step(p, m, 3.3333331174e-1);
  const square = f32x4.mul(m, m);
  let y = f32x4.mul(f32x4.mul(p, m), square);
  y = f32x4.add(y, f32x4.mul(e, f32x4.splat(-2.1219444e-4)));
  y = f32x4.sub(y, f32x4.mul(square, f32x4.splat(0.5)));
  return f32x4.add(f32x4.add(m, y), f32x4.mul(e, f32x4.splat(0.693359375)));
}

/** log(1 + x) for x in [0, 1]: 2 atanh(s), s = x / (2 + x) ≤ 1/3, series to s^15. */
// @ts-ignore: decorator
@inline
export function log1pUnit(x: v128): v128 {
  const s = f32x4.div(x, f32x4.add(x, f32x4.splat(2)));
  const t = f32x4.mul(s, s);
  let p = f32x4.splat(1.0 / 15.0);
  p = step(p, t, 1.0 / 13.0);
  p = step(p, t, 1.0 / 11.0);
  p = step(p, t, 1.0 / 9.0);
  p = step(p, t, 1.0 / 7.0);
  p = step(p, t, 1.0 / 5.0);
  p = step(p, t, 1.0 / 3.0);
  const twice = f32x4.add(s, s);
  return f32x4.add(twice, f32x4.mul(f32x4.mul(twice, t), p));
}

// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  // |x| < 0.625: odd polynomial
  const square = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = step(p, square, 2.06390887954e-2);
  p = step(p, square, -5.37397155531e-2);
  p = step(p, square, 1.33314422036e-1);
  p = step(p, square, -3.33332819422e-1);
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, square), x), x);
  // else 1 − 2 / (e^{2|x|} + 1)
  const e = exp(f32x4.add(magnitude, magnitude));
  const large = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(magnitude, f32x4.splat(0.625)));
}

/** sin on [−π/4, π/4]. */
// @ts-ignore: decorator
@inline
export function sinQuarter(x: v128): v128 {
  const square = f32x4.mul(x, x);
  let p = f32x4.splat(-1.9515295891e-4);
  p = step(p, square, 8.3321608736e-3);
  p = step(p, square, -1.6666654611e-1);
  return f32x4.add(f32x4.mul(f32x4.mul(p, square), x), x);
}

/** cos on [−π/4, π/4]. */
// @ts-ignore: decorator
@inline
export function cosQuarter(x: v128): v128 {
  const square = f32x4.mul(x, x);
  let p = f32x4.splat(2.443315711809948e-5);
  p = step(p, square, -1.388731625493765e-3);
  p = step(p, square, 4.166664568298827e-2);
  const high = f32x4.mul(f32x4.mul(p, square), square);
  return f32x4.add(f32x4.sub(high, f32x4.mul(square, f32x4.splat(0.5))), f32x4.splat(1));
}

/** out[i] = exp(x[i]); `count` floats, written in whole vectors. */
export function expArray(x: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; i += 4)
    v128.store(out + ((<usize>i) << 2), exp(v128.load(x + ((<usize>i) << 2))));
}

/** out[i] = log(x[i]); `count` floats, written in whole vectors. */
export function logArray(x: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; i += 4)
    v128.store(out + ((<usize>i) << 2), log(v128.load(x + ((<usize>i) << 2))));
}
