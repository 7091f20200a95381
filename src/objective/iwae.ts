import { expNegative, log } from '../arithmetic/exponential.js';
import type { Objective } from './objective.js';

/**
 * The importance-weighted bound L_K = log (1/K) Σ_k w_k (Burda et al. 2016), and its gradient's weights w_k /
 * Σ_j w_j. With K = 1 it is the ELBO with the Monte-Carlo KL, bit by bit.
 */
export const iwae = {
  title: 'IWAE bound',
  hyperparameters: {},
  klEstimates: ['monteCarlo'],
  weigh,
  rows: {
    weigh,
    // At z_k as they are, the bound changes with log q, too: by −β w_k / Σ_j w_j.
    signals: ({ weights, bound, beta }, signals) => {
      for (let k = 0; k < signals.length; k++) signals[k] = bound - beta * weights[k]!;
    },
    /** The bound with the geometric mean of the other weights in place of w_k. */
    baselines: (logWeights, baselines) => {
      const weights = new Float64Array(logWeights.length);
      const others = new Float64Array(logWeights.length);
      for (let k = 0; k < logWeights.length; k++) {
        let sum = 0;
        logWeights.forEach((value, j) => {
          if (j !== k) sum += value;
        });
        others.set(logWeights);
        others[k] = sum / (logWeights.length - 1);
        baselines[k] = weigh(others, weights);
      }
    },
    relativeSlope: (weight) => 1 - weight,
  },
} as const satisfies Objective;

function weigh(logWeights: Float64Array, weights: Float64Array): number {
  let most = logWeights[0]!;
  for (const value of logWeights) if (value > most) most = value;
  let sum = 0;
  logWeights.forEach((value, k) => {
    weights[k] = expNegative(value - most);
    sum += weights[k]!;
  });
  for (let k = 0; k < weights.length; k++) weights[k]! /= sum;
  return most + log(sum / logWeights.length);
}
