// The seam of estimators: by what random numbers the gradient with respect to the encoder is estimated. That
// with respect to the decoder is the same for all of them.
import type { Hyperparameters } from '../../model/hyperparameter.js';
import type { KlEstimate, RowRules } from '../objective.js';

/** The K rows of an example, nats. */
export interface EstimatedRows {
  /** [K]: log w_k, the KL's part times beta. */
  readonly logWeights: Float64Array;
  /** [K]: d(bound)/d(log w_k). */
  readonly weights: Float64Array;
  /** The bound of these log-weights. */
  readonly bound: number;
  readonly beta: number;
  readonly rules: RowRules;
}

/**
 * Writes factors p_k to `path` and c_k to `score`, [K] each. The gradient of −bound with respect to mu and
 * logvar is then Σ_k [−p_k W_k (∂log w_k/∂z_k) (∂z_k/∂(mu, logvar)) + c_k ∂log q(z_k|x)/∂(mu, logvar)]: along
 * z_k = mu + sigma epsilon_k, and at z_k as it is. W_k are the weights. Bits reach parameters: see Weigh.
 */
export type Factors = (rows: EstimatedRows, path: Float64Array, score: Float64Array) => void;

export interface Estimator {
  /** As people write it. */
  readonly title: string;
  readonly hyperparameters: Hyperparameters;
  /** The estimates of the KL that it can be computed with. */
  readonly klEstimates: readonly KlEstimate[];
  /** The smallest K. */
  readonly leastSamples: number;
  /**
   * Names of the objectives whose gradient is not its expectation where K > 1; empty: it has no bias at all.
   */
  readonly biasedFor: readonly string[];
  /** Absent for the reparameterised gradient, which kernels of its own compute. */
  readonly factors?: Factors;
}
