import type { EstimatedRows, Estimator } from './estimator.js';

/**
 * The score function's (REINFORCE; Williams 1992, Ranganath et al. 2014): what a row contributes times
 * ∂log q(z_k|x), z_k constant. It asks for no derivative along z.
 */
export const scoreFunction = {
  title: 'score function',
  hyperparameters: {},
  klEstimates: ['monteCarlo'],
  leastSamples: 1,
  biasedFor: [],
  factors: (rows, path, score) => {
    path.fill(0);
    rows.rules.signals(rows, score);
    for (let k = 0; k < score.length; k++) score[k] = -score[k]!;
  },
} as const satisfies Estimator;

/**
 * The same less a baseline from the other rows, which z_k does not change: the mean of their log-weights for
 * the ELBO, and that of Mnih and Rezende 2016 (VIMCO) for the IWAE bound.
 */
export const scoreFunctionBaseline = {
  ...scoreFunction,
  title: 'score function with a baseline',
  leastSamples: 2,
  factors: (rows: EstimatedRows, path: Float64Array, score: Float64Array) => {
    rows.rules.signals(rows, score);
    // Room for the baselines, which path does not need yet.
    rows.rules.baselines(rows.logWeights, path);
    for (let k = 0; k < score.length; k++) score[k] = path[k]! - score[k]!;
    path.fill(0);
  },
} as const satisfies Estimator;
