// Rows of an example that do not all count the same: [n, K] log-weights and weights, and the gradients
// through z.

import { klMonteCarlo } from './gaussian.js';
import type { Weighed } from './objectives.js';

/** log p(z_k) − log q(z_k|x) of each row, [n, K], in nats. */
export function logRatios(
  posterior: Float64Array,
  epsilon: Float64Array,
  z: Float64Array,
  samples: number,
  latent: number,
): Float64Array {
  const rows = klMonteCarlo(repeatRows(posterior, 2 * latent, samples), epsilon, z, 1, latent);
  return rows.map((kl) => -kl);
}

/** Each row as often as there are samples. */
export function repeatRows(values: Float64Array, width: number, samples: number): Float64Array {
  const repeated = new Float64Array(values.length * samples);
  for (let row = 0; row < repeated.length / width; row++) {
    const from = Math.floor(row / samples) * width;
    repeated.set(values.subarray(from, from + width), row * width);
  }
  return repeated;
}

/**
 * Weighs log-likelihoods and log-ratios [n, K], the latter times beta: a bound for each example, a weight for
 * each row.
 */
export function weighRows(
  weigh: (logWeights: Float64Array) => Weighed,
  logLikelihoods: Float64Array,
  ratios: Float64Array,
  samples: number,
  beta: number,
): { readonly bounds: Float64Array; readonly weights: Float64Array } {
  const logWeights = logLikelihoods.map((value, row) => value + beta * ratios[row]!);
  const bounds = new Float64Array(logWeights.length / samples);
  const weights = new Float64Array(logWeights.length);
  bounds.forEach((_, example) => {
    const weighed = weigh(logWeights.subarray(example * samples, (example + 1) * samples));
    bounds[example] = weighed.bound;
    weights.set(weighed.weights, example * samples);
  });
  return { bounds, weights };
}

/**
 * The gradient of Σ_k w_k [−log p(x|z_k) + scale (log q(z_k|x) − log p(z_k))] with regard to the posterior,
 * [n, 2d], the weights [n, K] constant; `dz` [n, K, d] is the decoder's part, weighted already.
 */
export function weightedBackward(
  posterior: Float64Array,
  epsilon: Float64Array,
  z: Float64Array,
  dz: Float64Array,
  weights: Float64Array,
  samples: number,
  latent: number,
  scale: number,
): Float64Array {
  const dPosterior = new Float64Array(posterior.length);
  z.forEach((value, index) => {
    const row = Math.floor(index / latent);
    const mu = Math.floor(row / samples) * 2 * latent + (index % latent);
    const logvar = mu + latent;
    const weight = scale * weights[row]!;
    const total = dz[index]! + weight * value;
    dPosterior[mu]! += total;
    dPosterior[logvar]! += total * epsilon[index]! * 0.5 * Math.exp(posterior[logvar]! / 2) - weight / 2;
  });
  return dPosterior;
}
