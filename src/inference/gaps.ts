// What an encoder loses against the best Gaussian of each example, and that against the true posterior:
// Cremer, Li and Duvenaud, Inference Suboptimality in Variational Autoencoders, 2018.
import { exp } from '../arithmetic/exponential.js';
import { halfCosine } from '../arithmetic/halfCosine.js';
import { Purpose } from '../kernels/stream.js';
import { excessGradient } from '../model/priors/correction.js';
import type { ConditionalDensity } from '../sampling/conditionalDensity.js';
import type { RandomRows } from '../sampling/randomRows.js';
import { elboTerms } from './elboTerms.js';
import { type PosteriorRow, reparameterize, sigmaOf } from './posteriorRow.js';

/** Adam's (Kingma and Ba 2015), on mu and logvar; the rate falls to 0 along half a cosine. */
const RATE = 0.05;
const DECAY_FIRST = 0.9;
const DECAY_SECOND = 0.999;
const SMALL = 1e-8;

export interface GapTask {
  /** p(x|z) of one example; its rows are the draws of one step. */
  readonly density: ConditionalDensity;
  /** The encoder's q(z|x), where the optimisation starts. */
  readonly posterior: PosteriorRow;
  readonly random: RandomRows;
  /** The example's: noise is a function of it. */
  readonly position: number;
  /** Steps of the optimisation. */
  readonly steps: number;
  /** Draws of both ELBOs that are compared, the same noise in both. */
  readonly samples: number;
}

/** Nats. */
export interface OptimizedPosterior {
  /** The one with the largest ELBO that was found. */
  readonly posterior: PosteriorRow;
  /** The encoder's. */
  readonly elbo: number;
  readonly optimizedElbo: number;
  /** optimizedElbo − elbo: what the encoder loses by serving all examples. */
  readonly amortizationGap: number;
}

/**
 * Maximises the ELBO of one example over mu and logvar, from the encoder's, by reparameterised gradients with
 * fresh noise at each step. The encoder's stays where the result is no better on the noise of the comparison.
 */
export function optimizePosterior(task: GapTask): OptimizedPosterior {
  const { posterior: encoded } = task;
  const elbo = elboTerms(task).elbo;
  const ascended = ascend(task);
  const reached = elboTerms({ ...task, posterior: ascended }).elbo;
  const better = reached > elbo;
  const optimizedElbo = better ? reached : elbo;
  return {
    posterior: better ? ascended : encoded,
    elbo,
    optimizedElbo,
    amortizationGap: optimizedElbo - elbo,
  };
}

/** log p(x) − optimizedElbo, nats: what is lost by the family of q. @param logMarginal estimated by AIS. */
export function approximationGap(logMarginal: number, { optimizedElbo }: OptimizedPosterior): number {
  return logMarginal - optimizedElbo;
}

function ascend({ density, posterior, random, position, steps }: GapTask): PosteriorRow {
  const { latent, rows } = density;
  const values = Float64Array.of(...posterior.mu, ...posterior.logvar);
  const adam = new Adam(values);
  const epsilon = new Float32Array(rows * latent);
  for (let step = 0; step < steps; step++) {
    const row = rowOf(values);
    random.normal(epsilon, position, step, Purpose.gapNoise);
    reparameterize(row, sigmaOf(row), epsilon, density.z);
    density.evaluate(rows, true);
    adam.ascend(elboGradient(row, epsilon, density), RATE * halfCosine(step / steps));
  }
  return rowOf(values);
}

/**
 * d ELBO / d(mu, logvar), [2 latent]: through z = mu + exp(½ logvar) ⊙ epsilon, less that of the analytic KL
 * to N(0, I).
 */
function elboGradient(
  { mu, logvar }: PosteriorRow,
  epsilon: Float32Array,
  { prior, z, latent, rows, gradient }: ConditionalDensity,
): Float64Array {
  const sums = new Float64Array(2 * latent);
  const excess = new Float64Array(rows * latent);
  for (let row = 0; row < rows; row++) {
    excessGradient(prior, z, row, excess);
    for (let j = 0; j < latent; j++) {
      const slope = gradient[row * latent + j]! + excess[row * latent + j]!;
      sums[j]! += slope;
      sums[latent + j]! += slope * epsilon[row * latent + j]!;
    }
  }
  for (let j = 0; j < latent; j++) {
    const variance = exp(logvar[j]!);
    sums[j] = sums[j]! / rows - mu[j]!;
    sums[latent + j] = (Math.sqrt(variance) * sums[latent + j]!) / rows / 2 - (variance - 1) / 2;
  }
  return sums;
}

function rowOf(values: Float64Array): PosteriorRow {
  const latent = values.length / 2;
  return {
    mu: Float32Array.from(values.subarray(0, latent)),
    logvar: Float32Array.from(values.subarray(latent)),
  };
}

class Adam {
  readonly #values: Float64Array;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  #decayFirst = 1;
  #decaySecond = 1;

  constructor(values: Float64Array) {
    this.#values = values;
    this.#first = new Float64Array(values.length);
    this.#second = new Float64Array(values.length);
  }

  ascend(gradient: Float64Array, rate: number): void {
    this.#decayFirst *= DECAY_FIRST;
    this.#decaySecond *= DECAY_SECOND;
    for (let i = 0; i < gradient.length; i++) {
      const slope = gradient[i]!;
      this.#first[i] = DECAY_FIRST * this.#first[i]! + (1 - DECAY_FIRST) * slope;
      this.#second[i] = DECAY_SECOND * this.#second[i]! + (1 - DECAY_SECOND) * slope * slope;
      const mean = this.#first[i]! / (1 - this.#decayFirst);
      const size = Math.sqrt(this.#second[i]! / (1 - this.#decaySecond)) + SMALL;
      this.#values[i]! += (rate * mean) / size;
    }
  }
}
