// Adam number by number, as reduceAdam and adam round it (assembly/optimizer.ts).

import {
  ADAM_HYPERPARAMETERS,
  type AdamFactors,
  type AdamValues,
  adamArguments,
  adamFactors,
} from '#src/optimizer/adam.js';
import { add } from './float32.js';

/** The published hyper-parameters. */
export const ADAM_DEFAULTS: AdamValues = {
  beta1: ADAM_HYPERPARAMETERS.beta1.default,
  beta2: ADAM_HYPERPARAMETERS.beta2.default,
  epsilon: ADAM_HYPERPARAMETERS.epsilon.default,
};

export interface AdamOptions extends AdamValues {
  readonly learningRate: number;
}

/** One update. */
export interface AdamUpdate {
  readonly options: AdamOptions;
  readonly factors: AdamFactors;
  readonly scale: number;
}

/** Update t, from 1. */
export function adamUpdate(options: AdamOptions, t: number, scale: number): AdamUpdate {
  return { options, factors: adamFactors(options, options.learningRate, t), scale };
}

/** What the kernels take beside addresses and counts. */
export function adamNumbers({ options, factors, scale }: AdamUpdate) {
  return adamArguments(options, factors, scale);
}

export interface AdamState {
  readonly parameters: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** Moments below 2⁻¹⁰⁴ become 0. */
function withoutNegligible(moment: number): number {
  return Math.abs(moment) < 2 ** -104 ? 0 : moment;
}

/** An update with the sum of the examples' gradients, rounding after each operation. */
export function scalarAdam(state: AdamState, gradient: Float32Array, update: AdamUpdate): AdamState {
  const { options, factors } = update;
  const f = Math.fround;
  const [b1, a1, b2, a2] = [options.beta1, 1 - options.beta1, options.beta2, 1 - options.beta2].map(f);
  const [scale, epsilon] = [f(update.scale), f(options.epsilon)];
  const [rate, correction] = [f(factors.stepSize), f(factors.rootCorrection)];
  const g = gradient.map((value) => value * scale);
  const m = state.m.map((value, i) => withoutNegligible(add(f(b1! * value), f(a1! * g[i]!))));
  const v = state.v.map((value, i) => withoutNegligible(add(f(b2! * value), f(a2! * f(g[i]! * g[i]!)))));
  const parameters = state.parameters.map((value, i) => {
    const root = add(f(f(Math.sqrt(v[i]!)) * correction), epsilon);
    return value - f(f(rate * m[i]!) / root);
  });
  return { parameters, m, v };
}
