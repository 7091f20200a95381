import type { Objective } from './objective.js';

/** (1/K) Σ_k log p(x|z_k) − β KL(q(z|x) ‖ p(z)) (Kingma and Welling 2014). */
export const elbo = {
  title: 'ELBO',
  hyperparameters: {},
  klEstimates: ['analytic', 'monteCarlo'],
} as const satisfies Objective;
