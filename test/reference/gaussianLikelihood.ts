// log N(x; m, σ² I) of independent pixels given their means.

/** −½ Σ_i ((x_i − m_i) / σ)² − D log(σ √(2π)), in nats: means [n, K, D], x [n, D] → [n, K]. */
export function gaussianLogLikelihood(
  means: Float64Array,
  x: Float64Array,
  samples: number,
  dimensions: number,
  sigma: number,
): Float64Array {
  const logLikelihood = new Float64Array(means.length / dimensions);
  means.forEach((mean, index) => {
    const row = Math.floor(index / dimensions);
    const pixel = x[Math.floor(row / samples) * dimensions + (index % dimensions)]!;
    logLikelihood[row]! -= ((pixel - mean) / sigma) ** 2 / 2 + Math.log(sigma * Math.sqrt(2 * Math.PI));
  });
  return logLikelihood;
}

/** d(−scale · log-likelihood)/d(means) = scale · (m − x) / σ², [n, K, D]. */
export function gaussianLikelihoodBackward(
  means: Float64Array,
  x: Float64Array,
  samples: number,
  dimensions: number,
  scale: number,
  sigma: number,
): Float64Array {
  return means.map((mean, index) => {
    const example = Math.floor(index / (samples * dimensions));
    return (scale * (mean - x[example * dimensions + (index % dimensions)]!)) / sigma ** 2;
  });
}
