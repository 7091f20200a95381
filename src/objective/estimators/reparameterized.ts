import type { Estimator } from './estimator.js';

/** The derivative along z = mu + sigma epsilon (Kingma and Welling 2014; Rezende et al. 2014). */
export const reparameterized = {
  title: 'reparameterised',
  hyperparameters: {},
  klEstimates: ['analytic', 'monteCarlo'],
  leastSamples: 1,
  biasedFor: [],
} as const satisfies Estimator;
