// The seam of objectives: what a step maximises, mean over the examples.
import type { Hyperparameters } from '../model/hyperparameter.js';

/** How the KL term is computed: see gaussianForward in kernels/assembly/gaussian.ts. */
export type KlEstimate = 'analytic' | 'monteCarlo';

/**
 * From the log-weights of an example's K rows, log w_k = log p(x|z_k) + β [log p(z_k) − log q(z_k|x)] in
 * nats, to the bound, which is returned, and to d(bound)/d(log w_k), which is written to `weights`: rows are
 * backpropagated with these, and sum to 1. The bits reach parameters: no Math.exp or log (src/arithmetic has
 * its own).
 */
export type Weigh = (logWeights: Float64Array, weights: Float64Array) => number;

/** What estimators that need the rows one by one (estimators/) ask of an objective. */
export interface RowRules {
  readonly weigh: Weigh;
  /**
   * Writes what the score ∂log q(z_k|x) of each row is to be multiplied by, so that the sum over the rows
   * is, in expectation, the gradient of the bound with respect to q at constant z_k. `logWeights` [K],
   * `weights` and `bound` are those of `weigh` at `beta`.
   */
  readonly signals: (
    rows: {
      readonly logWeights: Float64Array;
      readonly weights: Float64Array;
      readonly bound: number;
      readonly beta: number;
    },
    signals: Float64Array,
  ) => void;
  /** Writes for each row a guess of its signal by the other rows; K > 1. */
  readonly baselines: (logWeights: Float64Array, baselines: Float64Array) => void;
  /** d(log W_k)/d(log w_k) of a row with the weight W_k. */
  readonly relativeSlope: (weight: number) => number;
}

export interface Objective {
  /** As people write it. */
  readonly title: string;
  readonly hyperparameters: Hyperparameters;
  /** The estimates of the KL that it can be computed with, the default first. */
  readonly klEstimates: readonly [KlEstimate, ...KlEstimate[]];
  /**
   * Absent for the ELBO, every row of which has the weight 1/K: its kernels have that built in, and its KL
   * may be analytic. Others are reported as `bound`, beside the ELBO of the same draws.
   */
  readonly weigh?: Weigh;
  readonly rows: RowRules;
}
