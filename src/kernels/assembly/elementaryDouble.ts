// The logarithm on one float64.

/** The float64 √½, as an integer. */
const ROOT_HALF: i64 = 0x3fe6a09e667f3bcd;

/** log(1 + x) for x from 0 to 2^1023, within 2⁻⁴⁹ of itself; for NaN a finite number. */
// @ts-ignore: decorator
@inline
export function log1pDouble(x: f64): f64 {
  // 1 + x = m · 2^e with m in [√½, √2); for e = 0, m − 1 is x itself, of which 1 + x may have lost a part.
  const shifted = reinterpret<i64>(1 + x) - ROOT_HALF;
  const e = shifted >> 52;
  const m = reinterpret<f64>((shifted & 0x000fffffffffffff) + ROOT_HALF);
  const y = e == 0 ? x : m - 1;
  // log(1 + y) = 2 atanh(s), s = y / (2 + y), |s| < 0.172; the series to s^19 leaves out less than 2⁻⁵⁵ of
  // it.
  const s = y / (2 + y);
  const t = s * s;
  let p: f64 = 1.0 / 19.0;
  p = p * t + 1.0 / 17.0;
  p = p * t + 1.0 / 15.0;
  p = p * t + 1.0 / 13.0;
  p = p * t + 1.0 / 11.0;
  p = p * t + 1.0 / 9.0;
  p = p * t + 1.0 / 7.0;
  p = p * t + 1.0 / 5.0;
  p = p * t + 1.0 / 3.0;
  return <f64>e * 0.6931471805599453 + (2 * s + 2 * s * (t * p));
}

/** Natural logarithm of a positive normal number, within 2⁻⁴⁹ of max(1, |log x|). */
// @ts-ignore: decorator
@inline
export function logDouble(x: f64): f64 {
  // log x = log1p(x − 1); below 1 that subtraction may lose what matters, so the inverse is taken there.
  return x >= 1 ? log1pDouble(x - 1) : -log1pDouble(1 / x - 1);
}
