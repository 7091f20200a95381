// Stochastic gradient descent with momentum (Sutskever et al. 2013, in the form of torch.optim.SGD).
import { NONE, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { DECAY_RATE, type Hyperparameters, type ValuesOf } from '../model/hyperparameter.js';
import { defineOptimizer, type Slice, type SliceUpdate } from './optimizer.js';

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
  let numbers = { scale: 1, momentum, rate: 0 };
  const at = ({ parameters, state: [velocity] }: Slice, offset: number) => ({
    parameters: plus(parameters, offset),
    velocity: velocity === undefined ? NONE : plus(velocity, offset),
  });
  return {
    begin: (_update, learningRate, scale) => {
      numbers = { scale, momentum, rate: learningRate };
    },
    apply: (slice, offset, gradient, count) => {
      const { parameters, velocity } = at(slice, offset);
      return kernels.sgd({ parameters, velocity, gradient, count, ...numbers }) !== 0;
    },
    applySum: (slice, offset, slots, pitch, shards, count) => {
      const { parameters, velocity } = at(slice, offset);
      return kernels.reduceSgd({ parameters, velocity, slots, pitch, shards, count, ...numbers }) !== 0;
    },
  };
}
