// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019; torch.optim.AdamW).
import { type Address, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { FROM_ZERO, type Hyperparameters, type ValuesOf } from '../model/hyperparameter.js';
import { ADAM_HYPERPARAMETERS, adam } from './adam.js';
import { CHUNK } from './chunk.js';
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

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * p ← p (1 − α λ), α the learning rate and λ the weight decay; then Adam. Biases decay as weights do, as in
 * PyTorch.
 */
function createAdamW(kernels: Kernels, values: AdamWValues): SliceUpdate {
  const update = adam.create(kernels, values);
  let keep = 1;
  /** Adam looks at its parameters only where it may itself have made them infinite. */
  const notGrown = (address: Address, count: number) =>
    Math.abs(keep) <= 1 || kernels.allFinite(address, count) !== 0;
  return {
    begin: (t, learningRate, scale) => {
      keep = 1 - learningRate * values.weightDecay;
      update.begin(t, learningRate, scale);
    },
    apply: (slice, offset, gradient, count) => {
      let finite = true;
      for (let first = 0; first < count; first += CHUNK) {
        const floats = Math.min(CHUNK, count - first);
        const bytes = first * FLOAT;
        const parameters = plus(slice.parameters, offset + bytes);
        kernels.scaleFloats(parameters, floats, keep);
        finite = update.apply(slice, offset + bytes, plus(gradient, bytes), floats) && finite;
        finite = notGrown(parameters, floats) && finite;
      }
      return finite;
    },
    applySum: (slice, offset, slots, pitch, shards, count) => {
      let finite = true;
      for (let first = 0; first < count; first += CHUNK) {
        const floats = Math.min(CHUNK, count - first);
        const bytes = first * FLOAT;
        const parameters = plus(slice.parameters, offset + bytes);
        // Whole pairs of vectors, as Adam's update of a sum.
        kernels.scaleFloats(parameters, Math.ceil(floats / 8) * 8, keep);
        finite = update.applySum(slice, offset + bytes, plus(slots, bytes), pitch, shards, floats) && finite;
        finite = notGrown(parameters, floats) && finite;
      }
      return finite;
    },
  };
}
