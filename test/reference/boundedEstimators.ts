// Gradients by the draws of q, of kernels/assembly/importance.ts, in float64 with bounds.

import { muPlace, sigmaAt } from './boundedGaussian.js';
import {
  type BoundedNumber,
  boundedExp,
  boundedProduct,
  boundedSum,
  exactNumber,
  numberAt,
  scaled,
  toBounded,
} from './boundedNumber.js';
import type { Arithmetic, Bounded } from './rounding.js';

export interface EstimatedBackward {
  /** [n, 2d]. */
  readonly posterior: Bounded;
  /** [n, K, d]. */
  readonly epsilon: Float64Array;
  readonly z: Bounded;
  readonly dz: Bounded;
  /** [n, K]. */
  readonly weights: Float64Array;
  readonly path: Float64Array;
  readonly score: Float64Array;
  readonly samples: number;
  readonly latent: number;
  readonly beta: number;
  readonly arithmetic: Arithmetic;
}

/** The posterior's gradient, [n, 2d]. */
export function boundedEstimatedBackward(given: EstimatedBackward): Bounded {
  const { posterior, epsilon, z, dz, weights, path, score, samples, latent, beta, arithmetic } = given;
  const product = (a: BoundedNumber, b: BoundedNumber) => boundedProduct(a, b, arithmetic);
  const terms = Array.from(posterior.value, (): BoundedNumber[] => []);
  for (let index = 0; index < epsilon.length; index++) {
    const row = Math.floor(index / latent);
    const mu = muPlace(index, samples, latent);
    const noise = exactNumber(epsilon[index]!);
    const inverse = boundedExp(scaled(numberAt(posterior, mu + latent), -1 / 2), arithmetic);
    const slope = product(noise, inverse);
    const difference = boundedSum([numberAt(z, index), scaled(slope, -1)], arithmetic);
    const ratio = product(exactNumber(beta * weights[row]!), difference);
    const total = boundedSum([numberAt(dz, index), ratio], arithmetic);
    const along = product(exactNumber(path[row]!), total);
    const factor = exactNumber(score[row]!);
    terms[mu]!.push(along, product(factor, slope));
    const sigma = sigmaAt(posterior, mu + latent, arithmetic);
    const squares = boundedSum([product(noise, noise), exactNumber(-1)], arithmetic);
    terms[mu + latent]!.push(
      scaled(product(product(sigma, noise), along), 1 / 2),
      scaled(product(factor, squares), 1 / 2),
    );
  }
  return toBounded(terms.map((list) => boundedSum(list, arithmetic, 2)));
}

export interface LogWeightGradient {
  /** [n, 2d]. */
  readonly posterior: Bounded;
  /** [n, K, d]. */
  readonly epsilon: Bounded;
  readonly z: Bounded;
  readonly dz: Bounded;
  readonly scale: number;
  readonly samples: number;
  readonly latent: number;
  readonly arithmetic: Arithmetic;
}

/** epsilon − sigma ⊙ (z + scale dz), [n, K, d]. */
export function boundedLogWeightGradient(given: LogWeightGradient): Bounded {
  const { posterior, epsilon, z, dz, scale, samples, latent, arithmetic } = given;
  const gradient = Array.from(epsilon.value, (_, index) => {
    const sigma = sigmaAt(posterior, muPlace(index, samples, latent) + latent, arithmetic);
    const scaledSlope = boundedProduct(exactNumber(scale), numberAt(dz, index), arithmetic);
    const slope = boundedSum([numberAt(z, index), scaledSlope], arithmetic);
    const product = boundedProduct(sigma, slope, arithmetic);
    return boundedSum([numberAt(epsilon, index), scaled(product, -1)], arithmetic);
  });
  return toBounded(gradient);
}
