// log p(x|z) of rows of decoder outputs, [n, K, D], given x [n, D]: each likelihood in float64, and with
// bounds.

import type { Choice, Values } from '#src/model/hyperparameter.js';
import type { LikelihoodName } from '#src/model/likelihoods/registry.js';
import { bernoulliBackward, bernoulliLogLikelihood } from './bernoulli.js';
import { boundedBernoulliBackward, boundedLogLikelihood } from './boundedBernoulli.js';
import { boundedGaussianLogLikelihood, boundedGaussianSlope } from './boundedGaussianLikelihood.js';
import { gaussianLikelihoodBackward, gaussianLogLikelihood } from './gaussianLikelihood.js';
import type { Arithmetic, Bounded } from './rounding.js';

export interface ReferenceLikelihood {
  /** [n, K] rows, nats. */
  logLikelihood(outputs: Float64Array, x: Float64Array, samples: number, dimensions: number): Float64Array;
  /** d(−scale · log p(x|z))/d(outputs), [n, K, D]. */
  backward(
    outputs: Float64Array,
    x: Float64Array,
    samples: number,
    dimensions: number,
    scale: number,
  ): Float64Array;
  /** (1/K) Σ_k of the rows, [n], in any order. */
  boundedMean(
    outputs: Bounded,
    x: Float64Array,
    samples: number,
    dimensions: number,
    arithmetic: Arithmetic,
  ): Bounded;
  boundedBackward(
    outputs: Bounded,
    x: Float64Array,
    samples: number,
    dimensions: number,
    scale: number,
    arithmetic: Arithmetic,
  ): Bounded;
}

const bernoulli: ReferenceLikelihood = {
  logLikelihood: bernoulliLogLikelihood,
  backward: bernoulliBackward,
  boundedMean: boundedLogLikelihood,
  boundedBackward: boundedBernoulliBackward,
};

const references: { readonly [Name in LikelihoodName]: (values: Values) => ReferenceLikelihood } = {
  bernoulli: () => bernoulli,
  gaussian: ({ sigma = Number.NaN }) => ({
    logLikelihood: (...rows) => gaussianLogLikelihood(...rows, sigma),
    backward: (outputs, x, samples, dimensions, scale) =>
      gaussianLikelihoodBackward(outputs, x, samples, dimensions, scale, sigma),
    boundedMean: (...rows) => boundedGaussianLogLikelihood(...rows, sigma),
    boundedBackward: (...rows) => boundedGaussianSlope(...rows, sigma),
  }),
};

export function referenceLikelihood({ name, values }: Choice<LikelihoodName>): ReferenceLikelihood {
  return references[name](values);
}
