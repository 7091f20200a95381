import type { Estimator } from './estimator.js';

/**
 * The score of q is reparameterised in its turn (Tucker et al. 2018): E[f(z) ∂log q(z)] = E[∂f/∂z ∂z]. With
 * f = −β W_k, W_k' = dW_k/d(log w_k), a row's path counts W_k − β W_k': w̃_k² for the IWAE bound at β = 1. The
 * ELBO's weights are constant, so for it this is sticking the landing.
 */
export const doublyReparameterized = {
  title: 'doubly reparameterised',
  hyperparameters: {},
  klEstimates: ['monteCarlo'],
  leastSamples: 1,
  biasedFor: [],
  factors: ({ weights, beta, rules }, path, score) => {
    score.fill(0);
    for (let k = 0; k < path.length; k++) path[k] = 1 - beta * rules.relativeSlope(weights[k]!);
  },
} as const satisfies Estimator;
