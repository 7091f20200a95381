// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019; torch.optim.AdamW).
import type { Kernels } from '../kernels/kernels.js';
import { FROM_ZERO, type Hyperparameters, type ValuesOf } from '../model/hyperparameter.js';
import { ADAM_HYPERPARAMETERS, adamArguments, adamFactors, momentsAt } from './adam.js';
import { defineOptimizer, type SliceUpdate } from './optimizer.js';

const hyperparameters = {
  ...ADAM_HYPERPARAMETERS,
  weightDecay: {
    range: FROM_ZERO,
    default: 0.01,
    describe: 'Share of a weight that decays in a step, before the learning rate',
  },
} as const satisfies Hyperparameters;

export type AdamWValues = ValuesOf<typeof hyperparameters>;

export const adamw = defineOptimizer({
  title: 'AdamW',
  hyperparameters,
  state: () => ['adamw/m', 'adamw/v'],
  create: createAdamW,
});

/**
 * p ← p (1 − α λ), α the learning rate and λ the weight decay; then Adam. Biases decay as weights do, as in
 * PyTorch.
 */
function createAdamW(kernels: Kernels, values: AdamWValues): SliceUpdate {
  let numbers = adamWArguments(values, 0, 1, 1);
  return {
    begin: (t, learningRate, scale) => {
      numbers = adamWArguments(values, learningRate, t, scale);
    },
    apply: (slice, offset, gradient, count) => {
      kernels.adamW({ ...momentsAt(slice, offset), gradient, count, ...numbers });
    },
    applySum: (slice, offset, slots, pitch, shards, count) => {
      kernels.reduceAdamW({ ...momentsAt(slice, offset), slots, pitch, shards, count, ...numbers });
    },
  };
}

/** What the kernels `adamW` and `reduceAdamW` take beside addresses and counts: of update t. */
export function adamWArguments(values: AdamWValues, learningRate: number, t: number, scale: number) {
  const keep = 1 - learningRate * values.weightDecay;
  return { ...adamArguments(values, adamFactors(values, learningRate, t), scale), keep };
}
