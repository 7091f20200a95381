import { POSITIVE, wholeRange } from '../../model/hyperparameter.js';
import { defineInference } from './inference.js';

/**
 * The decoder maximises log p(x|z) at draws that HMC has moved from q(z|x) towards p(z|x) (Hoffman 2017): the
 * gradient of log p(x) itself is its mean over p(z|x). The encoder maximises the ELBO.
 */
export const hmc = defineInference({
  title: 'HMC',
  hyperparameters: {
    hmcTransitions: {
      range: wholeRange(1, 1000),
      default: 1,
      describe: 'Transitions of HMC in a step, from a draw of q(z|x)',
    },
    hmcLeapfrogSteps: {
      range: wholeRange(1, 1000),
      default: 5,
      describe: 'Leapfrog steps of a transition: a pass through the decoder and back each',
    },
    hmcStepSize: {
      range: POSITIVE,
      default: 0.3,
      describe: 'Size of a leapfrog step, in standard deviations of q(z|x)',
    },
  },
  goesWith: { objective: ['elbo'], estimator: ['reparameterized'] },
  refinement: ({ hmcTransitions, hmcLeapfrogSteps, hmcStepSize }) => ({
    transitions: hmcTransitions,
    leapfrogSteps: hmcLeapfrogSteps,
    stepSize: hmcStepSize,
  }),
});
