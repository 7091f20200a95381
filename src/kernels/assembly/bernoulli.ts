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

/**
 * logLikelihood[r] (float64, nats) of logits row r, [rows, dimensions], given example r / samples of x.
 * With dLogits ≠ 0 also d(−log p(x|z) · scale)/dℓ = (σ(ℓ) − x) · scale, [rows, dimensions].
 * Terms in float32, their sum in float64.
 */
export function bernoulli(
  logits: usize,
  x: usize,
  rows: i32,
  samples: i32,
  dimensions: i32,
  scale: f32,
  logLikelihood: usize,
  dLogits: usize,
): void {
  const factor = f32x4.splat(scale);
  for (let row = 0; row < rows; row++) {
    const l = logits + ((<usize>(row * dimensions)) << 2);
    const t = x + ((<usize>((row / samples) * dimensions)) << 2);
    const d = dLogits + ((<usize>(row * dimensions)) << 2);
    let sum = f64x2.splat(0);
    const pairs = dLogits ? dimensions & ~7 : 0;
    let i = 0;
    // Neighbouring vectors, all of one kind before the next: V8's re-vectorisation makes one of 256 bits of them.
    for (; i < pairs; i += 8) {
      const offset = (<usize>i) << 2;
      const value0 = v128.load(l + offset);
      const value1 = v128.load(l + offset, 16);
      const target0 = v128.load(t + offset);
      const target1 = v128.load(t + offset, 16);
      const e0 = exp(f32x4.neg(f32x4.abs(value0)));
      const e1 = exp(f32x4.neg(f32x4.abs(value1)));
      const gradient0 = f32x4.mul(f32x4.sub(logistic(value0, e0), target0), factor);
      const gradient1 = f32x4.mul(f32x4.sub(logistic(value1, e1), target1), factor);
      const term0 = logLikelihoodTerm(value0, target0, e0);
      const term1 = logLikelihoodTerm(value1, target1, e1);
      v128.store(d + offset, gradient0);
      v128.store(d + offset, gradient1, 16);
      sum = accumulateDouble(accumulateDouble(sum, term0), term1);
    }
    for (; i < dimensions; i += 4) {
      const offset = (<usize>i) << 2;
      const value = v128.load(l + offset);
      const target = v128.load(t + offset);
      const e = exp(f32x4.neg(f32x4.abs(value)));
      let term = logLikelihoodTerm(value, target, e);
      if (dimensions - i < 4) term = v128.and(term, laneMask(dimensions - i));
      sum = accumulateDouble(sum, term);
      if (dLogits) {
        const gradient = f32x4.mul(f32x4.sub(logistic(value, e), target), factor);
        storeLanes(d + offset, gradient, dimensions - i);
      }
    }
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
