import type { PriorDensity } from '../model/priors/prior.js';

/**
 * p(x|z) as a function of z, for the examples at hand: what importance weights, HMC and AIS evaluate. Row r
 * belongs to example floor(r / chains). It lives on one thread and is not re-entrant: the three arrays are
 * its own, the caller writes `z`, and `evaluate` writes the other two.
 */
export interface ConditionalDensity {
  /** p(z). */
  readonly prior: PriorDensity;
  /** Dimensions of z. */
  readonly latent: number;
  /** Rows for each example. */
  readonly chains: number;
  /** Most rows of one call of `evaluate`. */
  readonly rows: number;
  /** The points, [rows, latent]. */
  readonly z: Float32Array;
  /** log p(x|z) of each row, nats. */
  readonly logLikelihood: Float64Array;
  /** d log p(x|z) / dz, [rows, latent]. */
  readonly gradient: Float32Array;

  /**
   * Evaluates the first `rows` rows. A row's bits do not depend on the others.
   * @param withGradient false leaves `gradient` as it is.
   */
  evaluate(rows: number, withGradient: boolean): void;
}
