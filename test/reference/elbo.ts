// The whole loss and its gradient in float64, in nats: −ELBO = −(1/K) Σ_k log p(x|z_k) + β·KL, or minus
// another objective's bound.

import type { Choice } from '#src/model/hyperparameter.js';
import { BERNOULLI, type LikelihoodName } from '#src/model/likelihoods/registry.js';
import type { Model } from '#src/model/model.js';
import type { ObjectiveName } from '#src/objective/registry.js';
import { gaussianBackward, type KlKind, klAnalytic, klMonteCarlo, reparameterise } from './gaussian.js';
import { logRatios, weighRows, weightedBackward } from './importance.js';
import { referenceLikelihood } from './likelihoods.js';
import { networkBackward, networkForward } from './network.js';
import { referenceWeights } from './objectives.js';
import { referencePrior } from './priors.js';
import { exact, float64 } from './rounding.js';

export interface ElboOptions {
  /** K. */
  readonly samples: number;
  readonly kl: KlKind;
  readonly beta: number;
  /** Whether the gradient is of the sum (the default) or of the mean of the examples' losses. */
  readonly reduction?: 'sum' | 'mean';
  /** Default: Bernoulli. */
  readonly likelihood?: Choice<LikelihoodName>;
  /** Default: the ELBO. */
  readonly objective?: ObjectiveName;
}

export interface ElboTerms {
  /** (1/K) Σ_k log p(x|z_k) per example, [n], in nats. */
  readonly logLikelihood: Float64Array;
  /** Per example, [n], in nats, without β. */
  readonly kl: Float64Array;
  /** What is maximised, with β, per example, [n], in nats. */
  readonly objective: Float64Array;
  /** The objective's bound at β = 1; empty where it is the ELBO. */
  readonly bound: Float64Array;
  /** [P]: of the sum or the mean over the examples of −objective. */
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
  const { encoder, decoder, z, rows, logLikelihood, kl, ratios, weighed, objective, prior } = forward(
    model,
    parameters,
    x,
    epsilon,
    options,
  );
  const posterior = encoder.output;

  const gradient = new Float64Array(model.parameters.size);
  const weight = options.reduction === 'mean' ? 1 / n : 1;
  const weigh = referenceWeights[options.objective ?? 'elbo'];
  const dOutputs = referenceLikelihood(options.likelihood ?? BERNOULLI).backward(
    decoder.output,
    x,
    samples,
    dimensions,
    weigh ? weight : weight / samples,
  );
  if (weighed) {
    for (let i = 0; i < dOutputs.length; i++) dOutputs[i]! *= weighed.weights[Math.floor(i / dimensions)]!;
  }
  const dz = networkBackward(model.decoder, n * samples, parameters, decoder, dOutputs, gradient);
  const scale = weight * beta;
  if (prior) {
    const rowWeights = weighed?.weights ?? new Float64Array(n * samples).fill(1 / samples);
    const scaled = rowWeights.map((rowWeight) => rowWeight * scale);
    const { value } = prior.excessGradient(exact(z));
    for (let i = 0; i < dz.length; i++) dz[i]! -= scaled[Math.floor(i / latent)]! * value[i]!;
    gradient.set(prior.parameterGradient(exact(z), exact(scaled), float64).value, model.prior.offset);
  }
  const dPosterior = weighed
    ? weightedBackward(
        posterior,
        epsilon,
        z,
        dz,
        weighed.weights.map((w) => w * weight),
        samples,
        latent,
        beta,
      )
    : gaussianBackward(posterior, epsilon, z, dz, samples, latent, klKind, scale);
  networkBackward(model.encoder, n, parameters, encoder, dPosterior, gradient);
  const bound = weigh ? weighRows(weigh, rows, ratios!, samples, 1).bounds : new Float64Array();
  return { logLikelihood, kl, objective, bound, gradient };
}

/** referenceElbo's objective, [n], without the time that its gradient takes. Arguments as referenceElbo's. */
export function referenceObjective(
  model: Model,
  parameters: Float64Array,
  x: Float64Array,
  epsilon: Float64Array,
  options: ElboOptions,
): Float64Array {
  return forward(model, parameters, x, epsilon, options).objective;
}

/** The way from the data to the objective, with what the way back reads. */
function forward(
  model: Model,
  parameters: Float64Array,
  x: Float64Array,
  epsilon: Float64Array,
  options: ElboOptions,
) {
  const { samples, kl: klKind, beta } = options;
  const { dimensions, latent } = model;
  const n = x.length / dimensions;
  checkLengths(model, n, parameters, epsilon, samples);
  const encoder = networkForward(model.encoder, n, parameters, x);
  const posterior = encoder.output; // [n, 2d]
  const z = reparameterise(posterior, epsilon, samples, latent); // [n, K, d]
  const decoder = networkForward(model.decoder, n * samples, parameters, z); // output [n, K, D]
  const likelihood = referenceLikelihood(options.likelihood ?? BERNOULLI);
  const rows = likelihood.logLikelihood(decoder.output, x, samples, dimensions); // [n, K]
  const logLikelihood = meanOverSamples(rows, samples);
  const kl =
    klKind === 'analytic'
      ? klAnalytic(posterior, latent)
      : klMonteCarlo(posterior, epsilon, z, samples, latent);
  const prior = referencePrior(model, parameters);
  const excess = prior?.excess(exact(z)).value;
  if (excess)
    meanOverSamples(excess, samples).forEach((value, i) => {
      kl[i]! -= value;
    });
  const weigh = referenceWeights[options.objective ?? 'elbo'];
  const ratios = weigh && logRatios(posterior, epsilon, z, samples, latent);
  if (ratios)
    excess?.forEach((value, row) => {
      ratios[row]! += value;
    });
  const weighed = weigh && weighRows(weigh, rows, ratios!, samples, beta);
  const objective = weighed?.bounds ?? logLikelihood.map((value, i) => value - beta * kl[i]!);
  return { encoder, decoder, z, rows, logLikelihood, kl, ratios, weighed, objective, prior };
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
