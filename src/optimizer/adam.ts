// Adam (Kingma and Ba 2015, algorithm 1).

import { power } from '../arithmetic/power.js';
import { type Address, NONE, plus } from '../kernels/address.js';
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

/**
 * A finite second moment bounds gradients, and so the first moment, by 2⁶⁴. Up to this step size, and up to
 * this multiple of ε, an update is below 2¹⁰² then: less than half a unit in the last place of the largest
 * float. Above it parameters may become infinite beside finite moments. Runs that learn stay far below.
 */
const LARGEST_STEP = 2 ** 38;

function createAdam(kernels: Kernels, values: AdamValues): SliceUpdate {
  // One record for all calls: a new one for each took V8 over one per cent of a small step.
  const call = {
    ...{ parameters: NONE, m: NONE, v: NONE, gradient: NONE, slots: NONE, pitch: 0, shards: 0, count: 0 },
    ...adamArguments(values, adamFactors(values, 0, 1), 1),
  };
  let mayOverflow = false;
  const at = ({ parameters, state }: Slice, offset: number, count: number) => {
    const [m, v] = state as readonly [Address, Address];
    call.parameters = plus(parameters, offset);
    call.m = plus(m, offset);
    call.v = plus(v, offset);
    call.count = count;
  };
  /** Exact: the kernels' own answer is the sum of v, which may overflow though each v is finite. */
  const allFinite = () =>
    kernels.allFinite(call.v, call.count) !== 0 && kernels.allFinite(call.parameters, call.count) !== 0;
  return {
    begin: (t, learningRate, scale) => {
      Object.assign(call, adamArguments(values, adamFactors(values, learningRate, t), scale));
      mayOverflow = !(call.stepSize <= LARGEST_STEP * Math.min(1, values.epsilon));
    },
    apply: (slice, offset, gradient, count) => {
      at(slice, offset, count);
      call.gradient = gradient;
      return (kernels.adam(call) !== 0 && !mayOverflow) || allFinite();
    },
    applySum: (slice, offset, slots, pitch, shards, count) => {
      at(slice, offset, count);
      call.slots = slots;
      call.pitch = pitch;
      call.shards = shards;
      return (kernels.reduceAdam(call) !== 0 && !mayOverflow) || allFinite();
    },
  };
}
