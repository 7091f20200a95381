// The likelihoods of model/likelihoods over TensorFlow.js.
import type { Choice, Values } from '../../../model/hyperparameter.js';
import type { LikelihoodName } from '../../../model/likelihoods/registry.js';
import { bernoulli } from './bernoulli.js';
import { gaussian } from './gaussian.js';
import type { TfjsLikelihood } from './likelihood.js';

const LIKELIHOODS: { readonly [Name in LikelihoodName]: (values: Values) => TfjsLikelihood } = {
  bernoulli: () => bernoulli,
  gaussian: ({ sigma }) => gaussian(sigma!),
};

export function tfjsLikelihood({ name, values }: Choice<LikelihoodName>): TfjsLikelihood {
  return LIKELIHOODS[name](values);
}
