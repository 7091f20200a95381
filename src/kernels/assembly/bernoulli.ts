// The decoder's likelihood: log p(x|z) = Σ_i [x_i ℓ_i − softplus(ℓ_i)], softplus(ℓ) = max(ℓ, 0) +
// log1p(e^{−|ℓ|}).
//
// With e_i = e^{−|ℓ_i|} and the product Π_i (1 + e_i) = 1 + q, Σ_i log1p(e_i) = log1p(q): one logarithm for
// many pixels. The code keeps q and not the product 1 + q, which would lose an e_i that is small beside 1.
// A factor is four operations at most where a logarithm is a division and twenty.
//
// Bound of the error, in nats. u = 2⁻²⁴, s_i = e_i / (1 + e_i) ≤ ½. exp, within 1 unit in the last place,
// moves log(1 + e_i) by 2u s_i. A factor makes q + (q e + e) of q, in three roundings: those of q e and q e +
// e move 1 + q by 2u s_i of itself, the last one by u q / (1 + q). Linear terms are exact for x in {0, 1},
// else within u (|x ℓ| + |x ℓ − max(ℓ, 0)|). So a row of binary pixels errs by less than u Σ_i (4 s_i + 1),
// 3u for each pixel at most: 1.4e-4 for 784 of them. What is float64 adds some 10⁻¹³ of the row.

import { decay } from './elementary';
import { log1pDouble } from './elementaryDouble';
import { accumulateDouble, laneMask, storeLanes, sumDoubleLanes } from './lanes';

/**
 * Pixels whose factors make one product. Of 960 factors, none above 2, a lane has 120: the float32 product
 * stays below 2^127, and that of all lanes, in float64, below 2^1023.
 */
const BLOCK: i32 = 960;

/** The logistic function from ℓ and e = exp(−|ℓ|): no overflow, always in [0, 1]. */
// @ts-ignore: decorator
@inline
function logistic(logits: v128, e: v128): v128 {
  const one = f32x4.splat(1);
  // e where ℓ < 0, else 1, as 0 ≤ e ≤ 1.
  const numerator = f32x4.pmax(e, v128.andnot(one, f32x4.lt(logits, f32x4.splat(0))));
  return f32x4.div(numerator, f32x4.add(one, e));
}

/** x ℓ − max(ℓ, 0), exact for x in {0, 1}. */
// @ts-ignore: decorator
@inline
function linearTerm(logits: v128, x: v128): v128 {
  return f32x4.sub(f32x4.mul(x, logits), f32x4.pmax(logits, f32x4.splat(0)));
}

/** (1 + q)(1 + e) − 1. */
// @ts-ignore: decorator
@inline
function withFactor(q: v128, e: v128): v128 {
  return f32x4.add(q, f32x4.add(f32x4.mul(q, e), e));
}

/** (1 + q)(1 + e) − 1 in float64. */
// @ts-ignore: decorator
@inline
function withFactorDouble(q: v128, e: v128): v128 {
  return f64x2.add(q, f64x2.add(f64x2.mul(q, e), e));
}

/**
 * The product of q, two of float64, and of the factors 1 + e[0] … 1 + e[3], less 1: lanes 0 and 2 in one, 1
 * and 3 in the other.
 */
// @ts-ignore: decorator
@inline
function withLanes(q: v128, e: v128): v128 {
  const low = withFactorDouble(q, f64x2.promote_low_f32x4(e));
  return withFactorDouble(low, f64x2.promote_low_f32x4(v128.shuffle<i32>(e, e, 2, 3, 2, 3)));
}

/**
 * Σ terms, [count] and zeros up to a multiple of four, in float64. Four sums: one would wait for each
 * addition.
 */
function sumTerms(terms: usize, count: i32): f64 {
  let sum0 = f64x2.splat(0);
  let sum1 = f64x2.splat(0);
  let sum2 = f64x2.splat(0);
  let sum3 = f64x2.splat(0);
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const at = terms + ((<usize>i) << 2);
    sum0 = f64x2.add(sum0, f64x2.promote_low_f32x4(v128.load64_zero(at)));
    sum1 = f64x2.add(sum1, f64x2.promote_low_f32x4(v128.load64_zero(at, 8)));
    sum2 = f64x2.add(sum2, f64x2.promote_low_f32x4(v128.load64_zero(at, 16)));
    sum3 = f64x2.add(sum3, f64x2.promote_low_f32x4(v128.load64_zero(at, 24)));
  }
  for (; i < count; i += 4) sum0 = accumulateDouble(sum0, v128.load(terms + ((<usize>i) << 2)));
  return sumDoubleLanes(f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3)));
}

/** d(−log p(x|z) · factor)/dℓ, with e = exp(−|ℓ|). */
// @ts-ignore: decorator
@inline
function gradientOf(logits: v128, x: v128, e: v128, factor: v128): v128 {
  return f32x4.mul(f32x4.sub(logistic(logits, e), x), factor);
}

/** log p(x|z) of `count` ≤ BLOCK pixels; their gradient too where `withGradient`. */
// @ts-ignore: decorator
@inline
function blockLogLikelihood(
  logits: usize,
  x: usize,
  count: i32,
  factor: v128,
  terms: usize,
  dLogits: usize,
  withGradient: bool,
): f64 {
  let q0 = f32x4.splat(0);
  let q1 = f32x4.splat(0);
  let i = 0;
  // Neighbouring vectors, all of one kind before the next: V8's re-vectorisation makes one of 256 bits of
  // them, and of what is stored alone. So the linear terms are stored, and summed in a loop of their own; so
  // are, behind the loop, both products.
  for (; i + 8 <= count; i += 8) {
    const offset = (<usize>i) << 2;
    const value0 = v128.load(logits + offset);
    const value1 = v128.load(logits + offset, 16);
    const target0 = v128.load(x + offset);
    const target1 = v128.load(x + offset, 16);
    const e0 = decay(value0);
    const e1 = decay(value1);
    q0 = withFactor(q0, e0);
    q1 = withFactor(q1, e1);
    const term0 = linearTerm(value0, target0);
    const term1 = linearTerm(value1, target1);
    v128.store(terms + offset, term1, 16);
    v128.store(terms + offset, term0);
    if (withGradient) {
      const gradient0 = gradientOf(value0, target0, e0, factor);
      const gradient1 = gradientOf(value1, target1, e1, factor);
      v128.store(dLogits + offset, gradient1, 16);
      v128.store(dLogits + offset, gradient0);
    }
  }
  const paired = i > 0;
  let q = f64x2.splat(0);
  for (; i < count; i += 4) {
    const offset = (<usize>i) << 2;
    const own = laneMask(count - i);
    const value = v128.load(logits + offset);
    const target = v128.load(x + offset);
    const e = decay(value);
    q = withLanes(q, v128.and(e, own));
    v128.store(terms + offset, v128.and(linearTerm(value, target), own));
    if (withGradient) storeLanes(dLogits + offset, gradientOf(value, target, e, factor), count - i);
  }
  const linear = sumTerms(terms, count);
  if (paired) {
    // The terms are summed: there is room.
    v128.store(terms, q1, 16);
    v128.store(terms, q0);
    q = withLanes(withLanes(q, v128.load(terms)), v128.load(terms, 16));
  }
  const even = f64x2.extract_lane(q, 0);
  const odd = f64x2.extract_lane(q, 1);
  return linear - log1pDouble(even + (even * odd + odd));
}

/**
 * logLikelihood[r] (float64, nats) of logits row r, [rows, dimensions], given example r / samples of x.
 * With dLogits ≠ 0 also d(−log p(x|z) · scale)/dℓ = (σ(ℓ) − x) · scale, [rows, dimensions].
 * A NaN logit makes its row NaN. `terms` holds linear terms meanwhile: dimensions, rounded up to four.
 */
export function bernoulli(
  logits: usize,
  x: usize,
  rows: i32,
  samples: i32,
  dimensions: i32,
  scale: f32,
  logLikelihood: usize,
  terms: usize,
  dLogits: usize,
): void {
  const factor = f32x4.splat(scale);
  for (let row = 0; row < rows; row++) {
    const l = logits + ((<usize>(row * dimensions)) << 2);
    const t = x + ((<usize>((row / samples) * dimensions)) << 2);
    const d = dLogits + ((<usize>(row * dimensions)) << 2);
    let sum: f64 = 0;
    for (let first = 0; first < dimensions; first += BLOCK) {
      const offset = (<usize>first) << 2;
      const count = min(BLOCK, dimensions - first);
      if (dLogits) sum += blockLogLikelihood(l + offset, t + offset, count, factor, terms, d + offset, true);
      else sum += blockLogLikelihood(l + offset, t + offset, count, factor, terms, 0, false);
    }
    store<f64>(logLikelihood + ((<usize>row) << 3), sum);
  }
}

/** out[i] = σ(logits[i]); `count` floats, written in whole vectors. */
export function sigmoidArray(logits: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const value = v128.load(logits + ((<usize>i) << 2));
    v128.store(out + ((<usize>i) << 2), logistic(value, decay(value)));
  }
}
