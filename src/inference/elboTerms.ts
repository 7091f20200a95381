import { Purpose } from '../kernels/stream.js';
import { logExcess } from '../model/priors/correction.js';
import type { ConditionalDensity } from '../sampling/conditionalDensity.js';
import type { RandomRows } from '../sampling/randomRows.js';
import { klOfDimensions, type PosteriorRow, reparameterize, sigmaOf } from './posteriorRow.js';

/** A dimension whose posterior mean varies more than this over the data is active (Burda et al. 2016). */
export const ACTIVE_VARIANCE = 0.01;

export interface ElboTask {
  /** p(x|z) of one example; the number of its rows decides no bit. */
  readonly density: ConditionalDensity;
  readonly posterior: PosteriorRow;
  readonly random: RandomRows;
  /** The example's: noise is a function of it. */
  readonly position: number;
  /** K. */
  readonly samples: number;
}

/** Nats. */
export interface ElboEstimate {
  /** logLikelihood − Σ_j kl_j, and for another prior than N(0, I) + (1/K) Σ_k log p(z_k) / N(z_k; 0, I). */
  readonly elbo: number;
  /** (1/K) Σ_k log p(x|z_k): the reconstruction term. */
  readonly logLikelihood: number;
  /** KL(q(z|x) ‖ N(0, I)) of each dimension, analytic, [latent]. */
  readonly kl: Float64Array;
}

/** The ELBO of one example at beta = 1. Its draws are those of an evaluation with as many samples. */
export function elboTerms({ density, posterior, random, position, samples }: ElboTask): ElboEstimate {
  const { prior, latent, rows, z } = density;
  const sigma = sigmaOf(posterior);
  const epsilon = new Float32Array(samples * latent);
  random.normal(epsilon, position, 0, Purpose.evaluationNoise);
  let sum = 0;
  let excess = 0;
  for (let first = 0; first < samples; first += rows) {
    const count = Math.min(rows, samples - first);
    reparameterize(posterior, sigma, epsilon.subarray(first * latent, (first + count) * latent), z);
    density.evaluate(count, false);
    for (let row = 0; row < count; row++) {
      sum += density.logLikelihood[row]!;
      excess += logExcess(prior, z, row);
    }
  }
  const logLikelihood = sum / samples;
  const kl = klOfDimensions(posterior);
  const klSum = kl.reduce((total, term) => total + term, 0);
  return { elbo: logLikelihood - klSum + excess / samples, logLikelihood, kl };
}

/** The variance of the posterior means over the data, in each dimension, and how many are active. */
export interface LatentActivity {
  /** [latent]. */
  readonly variance: Float64Array;
  readonly active: number;
}

/** @param mu [n, latent]. */
export function latentActivity(mu: Float32Array, latent: number): LatentActivity {
  const n = mu.length / latent;
  const variance = new Float64Array(latent);
  for (let j = 0; j < latent; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += mu[i * latent + j]!;
    const mean = sum / n;
    let squares = 0;
    for (let i = 0; i < n; i++) squares += (mu[i * latent + j]! - mean) ** 2;
    variance[j] = squares / n;
  }
  return { variance, active: variance.filter((value) => value > ACTIVE_VARIANCE).length };
}
