import type { Objective } from './objective.js';

/** (1/K) Σ_k log p(x|z_k) − β KL(q(z|x) ‖ p(z)) (Kingma and Welling 2014). */
export const elbo = {
  title: 'ELBO',
  hyperparameters: {},
  klEstimates: ['analytic', 'monteCarlo'],
  rows: {
    weigh: (logWeights: Float64Array, weights: Float64Array): number => {
      weights.fill(1 / logWeights.length);
      return sumOf(logWeights) / logWeights.length;
    },
    signals: ({ logWeights }, signals) => {
      for (let k = 0; k < signals.length; k++) signals[k] = logWeights[k]! / signals.length;
    },
    baselines: (logWeights, baselines) => {
      const count = logWeights.length;
      const sum = sumOf(logWeights);
      for (let k = 0; k < count; k++) baselines[k] = (sum - logWeights[k]!) / (count - 1) / count;
    },
    relativeSlope: () => 0,
  },
} as const satisfies Objective;

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
