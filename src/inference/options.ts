// What the methods of a latent model take; src/inference/arguments.ts checks it.
import type { KlEstimate } from '../backends/backend.js';
import type { Arithmetic } from '../kernels/kernels.js';
import type { Platform } from '../kernels/platform.js';
import type { Choice } from '../model/hyperparameter.js';
import type { LikelihoodName } from '../model/likelihoods/registry.js';
import type { EstimatorName } from '../objective/estimators/registry.js';
import type { ObjectiveName } from '../objective/registry.js';

export interface LatentModelOptions {
  /**
   * How products are added; default `portable`. Where this machine does not fuse, portable is used in place
   * of fused.
   */
  readonly arithmetic?: Arithmetic;
  /** p(x|z); default Bernoulli. */
  readonly likelihood?: Choice<LikelihoodName>;
  /** The kernels of a run, in place of the arithmetic. */
  readonly platform?: Platform;
}

export interface GradientOptions {
  /** What is maximised; default `elbo`. */
  readonly objective?: ObjectiveName;
  /** How the encoder's gradient is estimated; default `reparameterized`. */
  readonly estimator?: EstimatorName;
  /** Default: the objective's, `analytic` for the ELBO. */
  readonly kl?: KlEstimate;
  /** Weight of the KL; default 1. */
  readonly beta?: number;
}

export interface ElboOptions {
  /** Default: the prior's, `analytic` for a standard normal. */
  readonly kl?: KlEstimate;
  /** Weight of the KL; default 1. */
  readonly beta?: number;
  /** K; default 1. */
  readonly samples?: number;
  /** The seed of the noise, unsigned 64 bits; default 0. */
  readonly seed?: number | bigint;
}

export interface DecodeOptions {
  /**
   * `outputs` as they are (default), or `means` of p(x|z). Of a Bernoulli likelihood these are the `logits` ℓ
   * and the `probabilities` sigmoid(ℓ), and may be called so.
   */
  readonly as?: 'outputs' | 'means' | 'logits' | 'probabilities';
}

export interface SampleOptions {
  /** Default 100. */
  readonly count?: number;
  /** Unsigned 64 bits; default 0. Sample i depends on (seed, i) alone. */
  readonly seed?: number | bigint;
  /** False (default): the means of p(x|z); true: draws, of a Bernoulli likelihood 0 or 1. */
  readonly draw?: boolean;
}

export const POSTERIOR_METHODS = ['hmc', 'variational'] as const;
export type PosteriorMethod = (typeof POSTERIOR_METHODS)[number];

export interface PosteriorOptions {
  /** `hmc` (default): p(z|x) by Hamiltonian Monte Carlo. `variational`: q(z|x), the encoder's. */
  readonly method?: PosteriorMethod;
  /** Default 4. */
  readonly chains?: number;
  /** Transitions of a chain before its draws: they adapt the step size. 2 or more; default 200. */
  readonly warmup?: number;
  /** Draws of each chain, 16 or more; default 500. */
  readonly draws?: number;
  /** Leapfrog steps of a transition; default 5. */
  readonly leapfrogSteps?: number;
  /** Unsigned 64 bits; default 0. */
  readonly seed?: number | bigint;
  /** One for each example: random numbers are a function of it. Default 0, 1, 2, … */
  readonly positions?: readonly number[];
  /** Called after each transition of HMC. */
  readonly onProgress?: (done: number, count: number) => void;
}

export interface ReconstructOptions {
  /** Where given, z ~ q(z|x) with this seed's noise; otherwise z is the posterior's mean. */
  readonly seed?: number | bigint;
}
