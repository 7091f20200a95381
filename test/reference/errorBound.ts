// elbo.ts with a bound on every number it returns: a running error analysis of the whole loss and its gradient.
//
// What is assumed of the implementation: it rounds each operation once (arithmetic.unit), sums in any order, may
// fuse multiply and add, uses exp, log1p and tanh within arithmetic.elementaryUlps, softplus as
// max(ℓ, 0) + log1p(exp(−|ℓ|)) and the sigmoid as 1/(1 + e) or e/(1 + e) with e = exp(−|ℓ|), and applies the factors
// 1/K, 1/n, β and ½ anywhere along the way.
//
// The bounds hold for every such implementation and so grow from layer to layer by Σ|W|. They serve the loss terms,
// single layers (boundedNetwork.ts) and the last layers' gradients; at the far end of a whole model they exceed the
// gradient itself (cvae's first layer: 50 times), and conditioning.ts has the bound to use.

import type { Model } from '#src/model/model.js';
import { boundedBernoulliBackward, boundedLogLikelihood } from './boundedBernoulli.js';
import {
  boundedGaussianBackward,
  boundedKlAnalytic,
  boundedKlMonteCarlo,
  boundedReparameterise,
} from './boundedGaussian.js';
import { boundedNetworkBackward, boundedNetworkForward } from './boundedNetwork.js';
import { checkLengths, type ElboOptions, type ElboTerms } from './elbo.js';
import { type Analysis, exact, float32 } from './rounding.js';

/** Values as referenceElbo returns them, and |implementation − value| ≤ bound, elementwise. */
export interface BoundedElbo {
  readonly value: ElboTerms;
  readonly bound: ElboTerms;
}

/** parameters [P], x [n, D], epsilon [n, K, d]: numbers that the implementation is given too, without error. */
export function boundedElbo(
  model: Model,
  parameters: Float64Array,
  x: Float64Array,
  epsilon: Float64Array,
  options: ElboOptions,
  analysis: Analysis = { arithmetic: float32, carry: (result) => result },
): BoundedElbo {
  const { samples: K, kl: klKind, beta } = options;
  const { dimensions: D, latent: d } = model;
  const n = x.length / D;
  checkLengths(model, n, parameters, epsilon, K);
  const { arithmetic, carry } = analysis;

  const encoder = boundedNetworkForward(model.encoder, n, parameters, exact(x), analysis);
  const posterior = encoder.output; // [n, 2d]
  const z = carry(boundedReparameterise(posterior, epsilon, K, d, arithmetic)); // [n, K, d]
  const decoder = boundedNetworkForward(model.decoder, n * K, parameters, z, analysis);
  const logits = decoder.output; // [n, K, D]
  const logLikelihood = carry(boundedLogLikelihood(logits, x, K, D, arithmetic));
  const kl = carry(
    klKind === 'analytic'
      ? boundedKlAnalytic(posterior, d, arithmetic)
      : boundedKlMonteCarlo(posterior, epsilon, z, K, d, arithmetic),
  );

  const sums = exact(new Float64Array(model.parameters.size));
  const weight = options.reduction === 'mean' ? 1 / n : 1;
  const dLogits = carry(boundedBernoulliBackward(logits, x, K, D, weight / K, arithmetic));
  const dz = boundedNetworkBackward(model.decoder, n * K, parameters, decoder, dLogits, sums, analysis);
  const dPosterior = carry(
    boundedGaussianBackward(posterior, epsilon, z, dz, K, d, klKind, weight * beta, arithmetic),
  );
  boundedNetworkBackward(model.encoder, n, parameters, encoder, dPosterior, sums, analysis);
  const gradient = carry(sums);
  return {
    value: { logLikelihood: logLikelihood.value, kl: kl.value, gradient: gradient.value },
    bound: { logLikelihood: logLikelihood.bound, kl: kl.bound, gradient: gradient.bound },
  };
}
