// bernoulli.ts with bounds.

import { sigmoid, softplus } from './bernoulli.js';
import { boundedSigmoid, factorRoundings, numberAt } from './boundedNumber.js';
import { type Arithmetic, type Bounded, elementaryError, gamma } from './rounding.js';

/**
 * (1/K) Σ_k Σ_i [x·ℓ − softplus(ℓ)]: logits [n, K, D], x [n, D] → [n]. The slope in ℓ is x − sigmoid(ℓ) and
 * the curvature at most ¼, so an error E of ℓ moves a term by at most E·|x − sigmoid(ℓ)| + E²/8. Holds
 * whether Σ log1p(e) is a sum of logarithms or the logarithm of a product 1 + q of the 1 + e: three roundings
 * of q a factor move it by 3u·q/(1 + q) ≤ 3u·log1p(q).
 */
export function boundedLogLikelihood(
  logits: Bounded,
  x: Float64Array,
  samples: number,
  dimensions: number,
  arithmetic: Arithmetic,
): Bounded {
  const n = x.length / dimensions;
  const elementary = elementaryError(arithmetic);
  // Three parts a pixel and sample (x·ℓ, max(ℓ, 0), log1p), of them one a product.
  const relative = gamma(arithmetic, 3 * samples * dimensions + 1 + factorRoundings);
  const sum = { value: new Float64Array(n), bound: new Float64Array(n) };
  for (let index = 0; index < logits.value.length; index++) {
    const example = Math.floor(index / (samples * dimensions));
    const pixel = x[example * dimensions + (index % dimensions)]!;
    const { value: logit, bound: error } = numberAt(logits, index);
    const carried = error * Math.abs(pixel - sigmoid(logit)) + (error * error) / 8;
    const tail = Math.log1p(Math.exp(-Math.abs(logit))) + error;
    const parts = Math.abs(pixel) * (Math.abs(logit) + error) + Math.max(logit + error, 0) + tail;
    // exp and log1p err once each: log1p(e·(1 + δ)) moves by at most δ·e/(1 + e) ≤ δ·log1p(e).
    const tailError = 2 * elementary * (1 + elementary) * tail;
    sum.value[example]! += (pixel * logit - softplus(logit)) / samples;
    sum.bound[example]! += (carried + tailError + relative * parts + 3 * arithmetic.underflow) / samples;
  }
  return sum;
}

/** scale · (sigmoid(ℓ) − x), [n, K, D]. */
export function boundedBernoulliBackward(
  logits: Bounded,
  x: Float64Array,
  samples: number,
  dimensions: number,
  scale: number,
  arithmetic: Arithmetic,
): Bounded {
  const value = new Float64Array(logits.value.length);
  const bound = new Float64Array(logits.value.length);
  const relative = gamma(arithmetic, 1 + factorRoundings);
  for (let index = 0; index < value.length; index++) {
    const example = Math.floor(index / (samples * dimensions));
    const mean = boundedSigmoid(numberAt(logits, index), arithmetic);
    const difference = mean.value - x[example * dimensions + (index % dimensions)]!;
    const error = mean.bound + relative * (Math.abs(difference) + mean.bound);
    value[index] = scale * difference;
    bound[index] = scale * error + 2 * arithmetic.underflow;
  }
  return { value, bound };
}
