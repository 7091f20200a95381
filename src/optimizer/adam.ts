// Adam (Kingma and Ba 2015, algorithm 1).

import { power } from '../arithmetic/power.js';
import { type Address, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { DECAY_RATE, type Hyperparameters, POSITIVE, type ValuesOf } from '../model/hyperparameter.js';
import { defineOptimizer, type Slice, type SliceUpdate } from './optimizer.js';

/** β₁, β₂ and ε, with the published defaults. */
export const ADAM_HYPERPARAMETERS = {
  beta1: { range: DECAY_RATE, default: 0.9, describe: 'Decay of the first moment', group: 'adam' },
  beta2: { range: DECAY_RATE, default: 0.999, describe: 'Decay of the second moment', group: 'adam' },
  epsilon: {
    range: POSITIVE,
    default: 1e-8,
    describe: 'Added to the root of the second moment',
    group: 'adam',
  },
} as const satisfies Hyperparameters;

export type AdamValues = ValuesOf<typeof ADAM_HYPERPARAMETERS>;

/** The factors of update t (from 1) at a learning rate α: bias corrections included. */
export interface AdamFactors {
  /** α / (1 − β₁ᵗ). */
  readonly stepSize: number;
  /** 1 / √(1 − β₂ᵗ). */
  readonly rootCorrection: number;
}

export function adamFactors({ beta1, beta2 }: AdamValues, learningRate: number, t: number): AdamFactors {
  return {
    stepSize: learningRate / (1 - power(beta1, t)),
    rootCorrection: 1 / Math.sqrt(1 - power(beta2, t)),
  };
}

/** What the kernels `adam` and `reduceAdam` take beside addresses and counts: of one update. */
export function adamArguments(values: AdamValues, { stepSize, rootCorrection }: AdamFactors, scale: number) {
  const { beta1, beta2, epsilon } = values;
  return {
    scale,
    beta1,
    oneMinusBeta1: 1 - beta1,
    beta2,
    oneMinusBeta2: 1 - beta2,
    stepSize,
    rootCorrection,
    epsilon,
  };
}

export const adam = defineOptimizer({
  title: 'Adam',
  hyperparameters: ADAM_HYPERPARAMETERS,
  state: () => ['adam/m', 'adam/v'],
  create: createAdam,
});

function createAdam(kernels: Kernels, values: AdamValues): SliceUpdate {
  let numbers = adamArguments(values, adamFactors(values, 0, 1), 1);
  return {
    begin: (t, learningRate, scale) => {
      numbers = adamArguments(values, adamFactors(values, learningRate, t), scale);
    },
    apply: (slice, offset, gradient, count) => {
      // Two spread results in one record cost V8 of Node 20 ten microseconds.
      const { parameters, m, v } = momentsAt(slice, offset);
      return kernels.adam({ parameters, m, v, gradient, count, ...numbers }) !== 0;
    },
    applySum: (slice, offset, slots, pitch, shards, count) => {
      const { parameters, m, v } = momentsAt(slice, offset);
      return kernels.reduceAdam({ parameters, m, v, slots, pitch, shards, count, ...numbers }) !== 0;
    },
  };
}

/** Addresses of a slice of the parameters and of both moments, `offset` bytes into it. */
function momentsAt({ parameters, state }: Slice, offset: number) {
  const [m, v] = state as readonly [Address, Address];
  return { parameters: plus(parameters, offset), m: plus(m, offset), v: plus(v, offset) };
}
