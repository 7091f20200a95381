import type { Estimator } from './estimator.js';

/**
 * The path's part of the reparameterised gradient alone (Roeder et al. 2017): the score of q, whose
 * expectation is 0 for the ELBO, is left out. Where q is the posterior it has no variance. For the IWAE bound
 * of several draws the expectation is not 0, so it has a bias (Tucker et al. 2018).
 */
export const stickingTheLanding = {
  title: 'sticking the landing',
  hyperparameters: {},
  klEstimates: ['monteCarlo'],
  leastSamples: 1,
  biasedFor: ['iwae'],
  factors: (_, path, score) => {
    path.fill(1);
    score.fill(0);
  },
} as const satisfies Estimator;
