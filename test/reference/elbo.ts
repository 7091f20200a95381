// The whole loss and its gradient in float64: −ELBO = −(1/K) Σ_k log p(x|z_k) + β·KL, in nats.

import type { Model } from '#src/model/model.js';
import { bernoulliBackward, bernoulliLogLikelihood } from './bernoulli.js';
import { gaussianBackward, type KlKind, klAnalytic, klMonteCarlo, reparameterise } from './gaussian.js';
import { networkBackward, networkForward } from './network.js';

export interface ElboOptions {
  /** K. */
  readonly samples: number;
  readonly kl: KlKind;
  readonly beta: number;
  /** Whether the gradient is of the sum (the default) or of the mean of the examples' losses. */
  readonly reduction?: 'sum' | 'mean';
}

export interface ElboTerms {
  /** (1/K) Σ_k log p(x|z_k) per example, [n], in nats. */
  readonly logLikelihood: Float64Array;
  /** Per example, [n], in nats, without β. */
  readonly kl: Float64Array;
  /** [P]: of the sum or the mean over the examples of −logLikelihood + β·kl. */
  readonly gradient: Float64Array;
}

/** parameters [P], x [n, D], epsilon [n, K, d]. */
export function referenceElbo(
  model: Model,
  parameters: Float64Array,
  x: Float64Array,
  epsilon: Float64Array,
  options: ElboOptions,
): ElboTerms {
  const { samples, kl: klKind, beta } = options;
  const { dimensions, latent } = model;
  const n = x.length / dimensions;
  checkLengths(model, n, parameters, epsilon, samples);

  const encoder = networkForward(model.encoder, n, parameters, x);
  const posterior = encoder.output; // [n, 2d]
  const z = reparameterise(posterior, epsilon, samples, latent); // [n, K, d]
  const decoder = networkForward(model.decoder, n * samples, parameters, z);
  const logits = decoder.output; // [n, K, D]
  const logLikelihood = meanOverSamples(bernoulliLogLikelihood(logits, x, samples, dimensions), samples);
  const kl =
    klKind === 'analytic'
      ? klAnalytic(posterior, latent)
      : klMonteCarlo(posterior, epsilon, z, samples, latent);

  const gradient = new Float64Array(model.parameters.size);
  const weight = options.reduction === 'mean' ? 1 / n : 1;
  const dLogits = bernoulliBackward(logits, x, samples, dimensions, weight / samples);
  const dz = networkBackward(model.decoder, n * samples, parameters, decoder, dLogits, gradient);
  const dPosterior = gaussianBackward(posterior, epsilon, z, dz, samples, latent, klKind, weight * beta);
  networkBackward(model.encoder, n, parameters, encoder, dPosterior, gradient);
  return { logLikelihood, kl, gradient };
}

/** [n, K] → [n]. */
function meanOverSamples(values: Float64Array, samples: number): Float64Array {
  const mean = new Float64Array(values.length / samples);
  for (let i = 0; i < values.length; i++) mean[Math.floor(i / samples)]! += values[i]! / samples;
  return mean;
}

/** A wrong length would otherwise read undefined and turn into NaN far from here. */
export function checkLengths(
  model: Model,
  n: number,
  parameters: Float64Array,
  epsilon: Float64Array,
  samples: number,
): void {
  if (!Number.isInteger(n) || n < 1) {
    throw new Error(`x must hold whole examples of ${model.dimensions} numbers; it holds ${n} of them.`);
  }
  if (parameters.length !== model.parameters.size) {
    throw new Error(
      `The model has ${model.parameters.size} parameters, but ${parameters.length} were given.`,
    );
  }
  if (epsilon.length !== n * samples * model.latent) {
    throw new Error(
      `epsilon must be [${n}, ${samples}, ${model.latent}], which is ${n * samples * model.latent} numbers, ` +
        `but ${epsilon.length} were given.`,
    );
  }
}
