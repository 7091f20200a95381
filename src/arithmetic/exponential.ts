// exp and log on float64, from sums and products alone: Math.exp and Math.log may differ between engines.
import { power } from './power.js';

/** ln 2 in two parts: n times the first one is exact for |n| < 2²⁰. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** e^x for x ≤ 0, within 4 · 2⁻⁵³ of itself where that is a normal number; 0 below −746, NaN for NaN. */
export function expNegative(x: number): number {
  if (x < -746) return 0;
  const n = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  // The Taylor series to r¹³, |r| < 0.35, leaves out less than 2⁻⁵⁷.
  let sum = 1;
  for (let i = 13; i > 0; i--) sum = 1 + (r / i) * sum;
  return sum * power(0.5, -n);
}

/** e^x, within 5 · 2⁻⁵³ of itself for |x| < 708; 0 and infinite far outside, NaN for NaN. */
export function exp(x: number): number {
  return x > 0 ? 1 / expNegative(-x) : expNegative(x);
}

/**
 * Natural logarithm, within 2⁻⁵⁰ of max(1, |log x|); exactly 0 at 1. −∞ at 0, ∞ at ∞, NaN for NaN and below
 * 0.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let m = x;
  let exponent = 0;
  // x = m · 2^exponent with m in [√½, √2).
  for (; m >= Math.SQRT2; m /= 2) exponent++;
  for (; m < Math.SQRT1_2; m *= 2) exponent--;
  // log m = 2 atanh(s), s = (m − 1) / (m + 1), |s| < 0.172; the series to s²¹ leaves out less than 2⁻⁵⁸.
  const s = (m - 1) / (m + 1);
  const t = s * s;
  let sum = 0;
  for (let i = 21; i > 0; i -= 2) sum = sum * t + 1 / i;
  return exponent * Math.LN2 + 2 * s * sum;
}
