// The one place where names become likelihoods; backends/tensorflow/likelihoods/registry.ts has their
// operations over TensorFlow.js.
import type { Kernels } from '../../kernels/kernels.js';
import type { Choice } from '../hyperparameter.js';
import { bernoulli } from './bernoulli.js';
import { gaussian } from './gaussian.js';
import type { Likelihood, LikelihoodKernels } from './likelihood.js';

export const LIKELIHOODS = { bernoulli, gaussian } as const satisfies Readonly<Record<string, Likelihood>>;

export type LikelihoodName = keyof typeof LIKELIHOODS;

/** What a model has where nothing else is said. */
export const BERNOULLI: Choice<LikelihoodName> = { name: 'bernoulli', values: {} };

export function likelihoodOf({ name }: Choice<LikelihoodName>): Likelihood {
  return LIKELIHOODS[name];
}

export function likelihoodKernels(
  choice: Choice<LikelihoodName>,
  kernels: Kernels,
  buffer: ArrayBufferLike,
): LikelihoodKernels {
  return likelihoodOf(choice).create(kernels, buffer, choice.values);
}
