// log p(x|z) of independent Bernoulli pixels given their logits.

/** log(1 + exp(l)), without overflow on either side. */
export function softplus(logit: number): number {
  return Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
}

/** 1 / (1 + exp(−l)), with full relative accuracy on either side. */
export function sigmoid(logit: number): number {
  const e = Math.exp(-Math.abs(logit));
  return logit >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/**
 * Σ_i [x_i ℓ_i − softplus(ℓ_i)], in nats.
 * logits [n, K, D], x [n, D] → [n, K].
 */
export function bernoulliLogLikelihood(
  logits: Float64Array,
  x: Float64Array,
  samples: number,
  dimensions: number,
): Float64Array {
  const logLikelihood = new Float64Array(logits.length / dimensions);
  for (let row = 0; row < logLikelihood.length; row++) {
    const example = Math.floor(row / samples);
    for (let i = 0; i < dimensions; i++) {
      const logit = logits[row * dimensions + i]!;
      logLikelihood[row]! += x[example * dimensions + i]! * logit - softplus(logit);
    }
  }
  return logLikelihood;
}

/** d(−scale · log-likelihood) / d(logits) = scale · (sigmoid(ℓ) − x), [n, K, D]. */
export function bernoulliBackward(
  logits: Float64Array,
  x: Float64Array,
  samples: number,
  dimensions: number,
  scale: number,
): Float64Array {
  return logits.map((logit, index) => {
    const example = Math.floor(index / (samples * dimensions));
    return scale * (sigmoid(logit) - x[example * dimensions + (index % dimensions)]!);
  });
}
