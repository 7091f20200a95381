// Stochastic gradient descent with momentum (Sutskever et al. 2013, in the form of torch.optim.SGD).
import type { Kernels } from '../kernels/kernels.js';
import { DECAY_RATE, type Hyperparameters, type ValuesOf } from '../model/hyperparameter.js';
import { defineOptimizer, type SliceUpdate } from './optimizer.js';

const hyperparameters = {
  momentum: {
    range: DECAY_RATE,
    default: 0,
    describe: 'Share of the velocity that is left after a step',
  },
} as const satisfies Hyperparameters;

export type SgdValues = ValuesOf<typeof hyperparameters>;

export const sgd = defineOptimizer({
  title: 'SGD',
  hyperparameters,
  state: ({ momentum }) => (momentum === 0 ? [] : ['sgd/velocity']),
  create: createSgd,
});

/** v ← μ v + g, p ← p − α v; without momentum p ← p − α g. */
function createSgd(kernels: Kernels, { momentum }: SgdValues): SliceUpdate {
  let numbers: readonly [number, number, number] = [1, momentum, 0];
  return {
    begin: (_update, learningRate, scale) => {
      numbers = [scale, momentum, learningRate];
    },
    apply: ({ parameters, state: [velocity] }, offset, gradient, count) => {
      const v = velocity === undefined ? 0 : velocity + offset;
      kernels.sgd(parameters + offset, v, gradient, count, ...numbers);
    },
    applySum: ({ parameters, state: [velocity] }, offset, slots, pitch, shards, count) => {
      const v = velocity === undefined ? 0 : velocity + offset;
      kernels.reduceSgd(parameters + offset, v, slots, pitch, shards, count, ...numbers);
    },
  };
}
