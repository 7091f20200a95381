// elbo.ts with a bound on every number it returns: a running error analysis of the whole loss and its
// gradient.
//
// What is assumed of the implementation: it rounds each operation once (arithmetic.unit), sums in any order,
// may fuse multiply and add, uses exp, log1p and tanh within arithmetic.elementaryUlps, softplus as
// max(ℓ, 0) + log1p(exp(−|ℓ|)) and the sigmoid as 1/(1 + e) or e/(1 + e) with e = exp(−|ℓ|), and applies the
// factors 1/K, 1/n, β and ½ anywhere along the way.
//
// The bounds hold for every such implementation and so grow from layer to layer by Σ|W|. They serve the loss
// terms, single layers (boundedNetwork.ts) and the last layers' gradients; at the far end of a whole model
// they exceed the gradient itself (cvae's first layer: 50 times), and conditioning.ts has the bound to use.

import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import type { Model } from '#src/model/model.js';
import {
  boundedGaussianBackward,
  boundedKlAnalytic,
  boundedKlMonteCarlo,
  boundedReparameterise,
} from './boundedGaussian.js';
import {
  boundedNegativeLogRatios,
  boundedScaledRows,
  boundedWeightedBackward,
  boundedWeights,
} from './boundedImportance.js';
import { boundedNetworkBackward, boundedNetworkForward } from './boundedNetwork.js';
import { boundedSum, numberAt, scaled, toBounded } from './boundedNumber.js';
import { checkLengths, type ElboOptions, type ElboTerms } from './elbo.js';
import { repeatRows } from './importance.js';
import { referenceLikelihood } from './likelihoods.js';
import { referenceWeights } from './objectives.js';
import { referencePrior } from './priors.js';
import { type Analysis, type Arithmetic, type Bounded, exact, float32 } from './rounding.js';

/** Values as referenceElbo returns them, and |implementation − value| ≤ bound, elementwise. */
export interface BoundedElbo {
  readonly value: ElboTerms;
  readonly bound: ElboTerms;
}

/**
 * parameters [P], x [n, D], epsilon [n, K, d]: numbers that the implementation is given too, without error.
 */
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
  const outputs = decoder.output; // [n, K, D]
  const likelihood = referenceLikelihood(options.likelihood ?? BERNOULLI);
  const logLikelihood = carry(likelihood.boundedMean(outputs, x, K, D, arithmetic));
  const prior = referencePrior(model, parameters);
  const excess = prior?.excess(z);
  const klToNormal =
    klKind === 'analytic'
      ? boundedKlAnalytic(posterior, d, arithmetic)
      : boundedKlMonteCarlo(posterior, epsilon, z, K, d, arithmetic);
  const kl = carry(excess ? sumOf(klToNormal, meanOverSamples(excess, K), -1) : klToNormal);

  const sums = exact(new Float64Array(model.parameters.size));
  const weight = options.reduction === 'mean' ? 1 / n : 1;
  const weigh = referenceWeights[options.objective ?? 'elbo'];
  const scale = weigh ? weight : weight / K;
  let dOutputs = carry(likelihood.boundedBackward(outputs, x, K, D, scale, arithmetic));
  let weights: Bounded | undefined;
  let objective = sumOf(logLikelihood, kl, -beta);
  let bound: Bounded = exact(new Float64Array());
  if (weigh) {
    const rows = carry(likelihood.boundedMean(outputs, repeatRows(x, D, K), 1, D, arithmetic));
    const toNormal = boundedNegativeLogRatios(posterior, epsilon, z, K, d, arithmetic);
    const ratios = carry(excess ? sumOf(toNormal, excess, -1) : toNormal);
    const weighed = boundedWeights(weigh, rows, ratios, K, beta, arithmetic);
    objective = weighed.bounds;
    weights = carry(weighed.weights);
    bound = boundedWeights(weigh, rows, ratios, K, 1, arithmetic).bounds;
    dOutputs = carry(boundedScaledRows(dOutputs, weights, arithmetic));
  }
  let dz = boundedNetworkBackward(model.decoder, n * K, parameters, decoder, dOutputs, sums, analysis);
  if (prior) {
    const rowWeights = scaledBy(weights ?? exact(new Float64Array(n * K).fill(1 / K)), weight * beta);
    dz = boundedDifference(
      dz,
      boundedScaledRows(prior.excessGradient(z), rowWeights, arithmetic),
      arithmetic,
    );
    const own = prior.parameterGradient(z, rowWeights, arithmetic);
    sums.value.set(own.value, model.prior.offset);
    sums.bound.set(own.bound, model.prior.offset);
  }
  const dPosterior = carry(
    weights
      ? boundedWeightedBackward(posterior, epsilon, z, dz, weights, K, d, weight * beta, arithmetic)
      : boundedGaussianBackward(posterior, epsilon, z, dz, K, d, klKind, weight * beta, arithmetic),
  );
  boundedNetworkBackward(model.encoder, n, parameters, encoder, dPosterior, sums, analysis);
  const gradient = carry(sums);
  const terms = { logLikelihood, kl, objective, bound, gradient };
  const part = (which: keyof Bounded) =>
    Object.fromEntries(
      Object.entries(terms).map(([name, term]) => [name, term[which]]),
    ) as unknown as ElboTerms;
  return { value: part('value'), bound: part('bound') };
}

function scaledBy(a: Bounded, factor: number): Bounded {
  return {
    value: a.value.map((value) => value * factor),
    bound: a.bound.map((bound) => bound * Math.abs(factor)),
  };
}

/** a − b, rounded. */
function boundedDifference(a: Bounded, b: Bounded, arithmetic: Arithmetic): Bounded {
  return toBounded(
    Array.from(a.value, (_, i) => boundedSum([numberAt(a, i), scaled(numberAt(b, i), -1)], arithmetic)),
  );
}

/** [n, K] → [n]. */
function meanOverSamples({ value, bound }: Bounded, samples: number): Bounded {
  const mean = (values: Float64Array) =>
    Float64Array.from({ length: values.length / samples }, (_, i) =>
      values.subarray(i * samples, (i + 1) * samples).reduce((sum, own) => sum + own / samples, 0),
    );
  return { value: mean(value), bound: mean(bound) };
}

/** a + factor · b. */
function sumOf(a: Bounded, b: Bounded, factor: number): Bounded {
  return {
    value: a.value.map((value, i) => value + factor * b.value[i]!),
    bound: a.bound.map((error, i) => error + Math.abs(factor) * b.bound[i]!),
  };
}
