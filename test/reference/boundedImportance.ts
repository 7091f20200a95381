// importance.ts with bounds.

import { boundedKlMonteCarlo, muPlace, sigmaAt } from './boundedGaussian.js';
import {
  type BoundedNumber,
  boundedProduct,
  boundedSum,
  exactNumber,
  numberAt,
  scaled,
  toBounded,
} from './boundedNumber.js';
import { repeatRows, weighRows } from './importance.js';
import type { Weighed } from './objectives.js';
import { type Arithmetic, type Bounded, gamma } from './rounding.js';

/** −log-ratios of each row, [n, K]. */
export function boundedNegativeLogRatios(
  posterior: Bounded,
  epsilon: Float64Array,
  z: Bounded,
  samples: number,
  latent: number,
  arithmetic: Arithmetic,
): Bounded {
  const rows = {
    value: repeatRows(posterior.value, 2 * latent, samples),
    bound: repeatRows(posterior.bound, 2 * latent, samples),
  };
  return boundedKlMonteCarlo(rows, epsilon, z, 1, latent, arithmetic);
}

/**
 * weighRows of log-likelihoods less beta times `negativeRatios`, for a weighing as the importance-weighted
 * one: where log-weights err by E at most, log Σ w errs by E, and w_k / Σ w by a factor of exp(±2E). The sum
 * is judged as one of float64, or better; a weight is rounded, and meets a factor.
 */
export function boundedWeights(
  weigh: (logWeights: Float64Array) => Weighed,
  logLikelihoods: Bounded,
  negativeRatios: Bounded,
  samples: number,
  beta: number,
  arithmetic: Arithmetic,
): { readonly bounds: Bounded; readonly weights: Bounded } {
  const ratios = negativeRatios.value.map((value) => -value);
  const { bounds, weights } = weighRows(weigh, logLikelihoods.value, ratios, samples, beta);
  const errors = bounds.map((bound, example) => {
    let most = 0;
    let size = 0;
    for (let row = example * samples; row < (example + 1) * samples; row++) {
      most = Math.max(most, logLikelihoods.bound[row]! + beta * negativeRatios.bound[row]!);
      size = Math.max(size, Math.abs(logLikelihoods.value[row]!) + beta * Math.abs(ratios[row]!));
    }
    // Its operations on float64: a product and a sum a row, exp and log within some units, a sum of K terms.
    return most + (16 + samples) * 2 ** -53 * (size + Math.abs(bound) + 1);
  });
  const rounding = gamma(arithmetic, 3);
  return {
    bounds: { value: bounds, bound: errors },
    weights: {
      value: weights,
      bound: weights.map((weight, row) => {
        const error = errors[Math.floor(row / samples)]!;
        return weight * (Math.expm1(2 * error) * (1 + rounding) + rounding) + arithmetic.underflow;
      }),
    },
  };
}

/** A gradient [n, K, D] with each row multiplied by its weight. */
export function boundedScaledRows(values: Bounded, weights: Bounded, arithmetic: Arithmetic): Bounded {
  const width = values.value.length / weights.value.length;
  return toBounded(
    Array.from(values.value, (_, index) =>
      boundedProduct(numberAt(values, index), numberAt(weights, Math.floor(index / width)), arithmetic),
    ),
  );
}

/** weightedBackward with bounds, [n, 2d]. */
export function boundedWeightedBackward(
  posterior: Bounded,
  epsilon: Float64Array,
  z: Bounded,
  dz: Bounded,
  weights: Bounded,
  samples: number,
  latent: number,
  scale: number,
  arithmetic: Arithmetic,
): Bounded {
  const terms = Array.from(posterior.value, (): BoundedNumber[] => []);
  for (let index = 0; index < epsilon.length; index++) {
    const mu = muPlace(index, samples, latent);
    const weight = scaled(numberAt(weights, Math.floor(index / latent)), scale);
    const prior = boundedProduct(weight, numberAt(z, index), arithmetic);
    const total = boundedSum([numberAt(dz, index), prior], arithmetic);
    const halfNoise = boundedProduct(total, exactNumber(epsilon[index]! / 2), arithmetic);
    terms[mu]!.push(total);
    terms[mu + latent]!.push(
      boundedProduct(halfNoise, sigmaAt(posterior, mu + latent, arithmetic), arithmetic),
    );
    // Σ_k w_k may be taken for the 1 that it is: the difference is within the bounds of the weights.
    terms[mu + latent]!.push(scaled(weight, -1 / 2));
  }
  return toBounded(terms.map((list) => boundedSum(list, arithmetic, 2)));
}
