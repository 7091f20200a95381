// From an example's log-weights to its bound and to the weights of its rows, in float64.

import type { ObjectiveName } from '#src/objective/registry.js';

export interface Weighed {
  readonly bound: number;
  readonly weights: Float64Array;
}

/** log (1/K) Σ_k w_k and w_k / Σ_j w_j. */
function iwae(logWeights: Float64Array): Weighed {
  const most = Math.max(...logWeights);
  const weights = logWeights.map((value) => Math.exp(value - most));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return {
    bound: most + Math.log(sum / weights.length),
    weights: weights.map((weight) => weight / sum),
  };
}

/** Absent where every row has the weight 1/K. */
export const referenceWeights: {
  readonly [Name in ObjectiveName]: ((logWeights: Float64Array) => Weighed) | undefined;
} = { elbo: undefined, iwae };
