// The decoder's likelihood: log p(x|z) = Σ_i [x_i ℓ_i − softplus(ℓ_i)], softplus(ℓ) = max(ℓ, 0) + log1p(e^{−|ℓ|}).

import { exp, log1pUnit } from './elementary';
import { accumulateDouble, laneMask, storeLanes, sumDoubleLanes } from './lanes';

/** The logistic function from ℓ and e = exp(−|ℓ|): no overflow, always in [0, 1]. */
// @ts-ignore: decorator
@inline
function logistic(logits: v128, e: v128): v128 {
  const one = f32x4.splat(1);
  const numerator = v128.bitselect(e, one, f32x4.lt(logits, f32x4.splat(0)));
  return f32x4.div(numerator, f32x4.add(one, e));
}

/** x ℓ − softplus(ℓ), with e = exp(−|ℓ|); x ℓ − max(ℓ, 0) is exact for x in {0, 1}. */
// @ts-ignore: decorator
@inline
function logLikelihoodTerm(logits: v128, x: v128, e: v128): v128 {
  const linear = f32x4.sub(f32x4.mul(x, logits), f32x4.pmax(logits, f32x4.splat(0)));
  return f32x4.sub(linear, log1pUnit(e));
}

/** d(−log p(x|z) · factor)/dℓ, with e = exp(−|ℓ|). */
// @ts-ignore: decorator
@inline
function gradientOf(logits: v128, x: v128, e: v128, factor: v128): v128 {
  return f32x4.mul(f32x4.sub(logistic(logits, e), x), factor);
}

/** The terms of one row, [dimensions] and zeros up to a multiple of four; its gradient too where `withGradient`. */
// @ts-ignore: decorator
@inline
function rowTerms(
  logits: usize,
  x: usize,
  dimensions: i32,
  factor: v128,
  terms: usize,
  dLogits: usize,
  withGradient: bool,
): void {
  let i = 0;
  // Neighbouring vectors, all of one kind before the next: V8's re-vectorisation makes one of 256 bits of them, and of what is
  // stored alone. So the terms are stored, and summed in a loop of their own.
  for (; i + 8 <= dimensions; i += 8) {
    const offset = (<usize>i) << 2;
    const value0 = v128.load(logits + offset);
    const value1 = v128.load(logits + offset, 16);
    const target0 = v128.load(x + offset);
    const target1 = v128.load(x + offset, 16);
    const e0 = exp(f32x4.neg(f32x4.abs(value0)));
    const e1 = exp(f32x4.neg(f32x4.abs(value1)));
    const term0 = logLikelihoodTerm(value0, target0, e0);
    const term1 = logLikelihoodTerm(value1, target1, e1);
    v128.store(terms + offset, term1, 16);
    v128.store(terms + offset, term0);
    if (withGradient) {
      const gradient0 = gradientOf(value0, target0, e0, factor);
      const gradient1 = gradientOf(value1, target1, e1, factor);
      v128.store(dLogits + offset, gradient1, 16);
      v128.store(dLogits + offset, gradient0);
    }
  }
  for (; i < dimensions; i += 4) {
    const offset = (<usize>i) << 2;
    const value = v128.load(logits + offset);
    const target = v128.load(x + offset);
    const e = exp(f32x4.neg(f32x4.abs(value)));
    const term = logLikelihoodTerm(value, target, e);
    v128.store(terms + offset, v128.and(term, laneMask(dimensions - i)));
    if (withGradient) storeLanes(dLogits + offset, gradientOf(value, target, e, factor), dimensions - i);
  }
}

/**
 * logLikelihood[r] (float64, nats) of logits row r, [rows, dimensions], given example r / samples of x.
 * With dLogits ≠ 0 also d(−log p(x|z) · scale)/dℓ = (σ(ℓ) − x) · scale, [rows, dimensions].
 * Terms in float32, their sum in float64. `terms` holds those of one row meanwhile: dimensions, rounded up to four.
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
    if (dLogits) rowTerms(l, t, dimensions, factor, terms, d, true);
    else rowTerms(l, t, dimensions, factor, terms, 0, false);
    let sum = f64x2.splat(0);
    for (let i = 0; i < dimensions; i += 4) sum = accumulateDouble(sum, v128.load(terms + ((<usize>i) << 2)));
    store<f64>(logLikelihood + ((<usize>row) << 3), sumDoubleLanes(sum));
  }
}

/** out[i] = σ(logits[i]); `count` floats, written in whole vectors. */
export function sigmoidArray(logits: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const value = v128.load(logits + ((<usize>i) << 2));
    v128.store(out + ((<usize>i) << 2), logistic(value, exp(f32x4.neg(f32x4.abs(value)))));
  }
}
