// Each optimizer number by number, rounded to float32 after each operation as its kernels do: the reference
// of tests and benchmarks.

import type { Choice } from '#src/model/hyperparameter.js';
import type { OptimizerName } from '#src/optimizer/registry.js';
import type { UpdateRule } from '#src/optimizer/updateRule.js';
import { add } from './float32.js';
import { ADAM_DEFAULTS, adamUpdate, scalarAdam } from './scalarAdam.js';
import { scalarAverage } from './scalarAverage.js';

export interface OptimizerState {
  readonly parameters: Float32Array;
  /** The state tensors, in the declared order. */
  readonly state: readonly Float32Array[];
}

/** Update `t` (from 1) at a learning rate, with the sum of the examples' gradients times `scale`. */
export interface UpdateNumbers {
  readonly t: number;
  readonly learningRate: number;
  readonly scale: number;
}

export interface ScalarOptimizer {
  readonly title: string;
  readonly choice: Choice<OptimizerName>;
  /** The kernels behind `apply` and `applySum` that read the gradient. */
  readonly kernels: { readonly apply: string; readonly applySum: string };
  update(before: OptimizerState, gradient: Float32Array, numbers: UpdateNumbers): OptimizerState;
}

const f = Math.fround;

function adam({ parameters, state: [m, v] }: OptimizerState, gradient: Float32Array, numbers: UpdateNumbers) {
  const options = { ...ADAM_DEFAULTS, learningRate: numbers.learningRate };
  const update = adamUpdate(options, numbers.t, numbers.scale);
  const next = scalarAdam({ parameters, m: m!, v: v! }, gradient, update);
  return { parameters: next.parameters, state: [next.m, next.v] };
}

/** p (1 − α λ), the factor rounded once. */
function decayed(parameters: Float32Array, weightDecay: number, learningRate: number): Float32Array {
  const keep = f(1 - learningRate * weightDecay);
  return parameters.map((value) => value * keep);
}

function sgd(
  { parameters, state: [velocity] }: OptimizerState,
  gradient: Float32Array,
  { learningRate, scale }: UpdateNumbers,
  momentum: number,
): OptimizerState {
  const scaled = gradient.map((value) => value * f(scale));
  const moved = velocity?.map((value, i) => {
    const next = add(f(f(momentum) * value), scaled[i]!);
    return Math.abs(next) < 2 ** -104 ? 0 : next;
  });
  const step = moved ?? scaled;
  return {
    parameters: parameters.map((value, i) => value - f(f(learningRate) * step[i]!)),
    state: moved ? [moved] : [],
  };
}

export const scalarOptimizers: readonly ScalarOptimizer[] = [
  {
    title: 'Adam',
    choice: { name: 'adam', values: { ...ADAM_DEFAULTS } },
    kernels: { apply: 'adam', applySum: 'reduceAdam' },
    update: adam,
  },
  {
    title: 'AdamW',
    choice: { name: 'adamw', values: { ...ADAM_DEFAULTS, weightDecay: 0.3 } },
    kernels: { apply: 'adam', applySum: 'reduceAdam' },
    update: ({ parameters, state }, gradient, numbers) =>
      adam({ parameters: decayed(parameters, 0.3, numbers.learningRate), state }, gradient, numbers),
  },
  {
    title: 'SGD',
    choice: { name: 'sgd', values: { momentum: 0 } },
    kernels: { apply: 'sgd', applySum: 'reduceSgd' },
    update: (before, gradient, numbers) => sgd(before, gradient, numbers, 0),
  },
  {
    title: 'SGD with momentum',
    choice: { name: 'sgd', values: { momentum: 0.9 } },
    kernels: { apply: 'sgd', applySum: 'reduceSgd' },
    update: (before, gradient, numbers) => sgd(before, gradient, numbers, 0.9),
  },
];

/** What happens in an update of a run: an optimizer, and perhaps the average. */
export interface ScalarUpdate extends Pick<ScalarOptimizer, 'title' | 'update'> {
  readonly rule: UpdateRule;
}

/** The same optimizer, with the average of its parameters as the last state tensor. */
function averaged({ title, choice, update }: ScalarOptimizer, emaDecay: number): ScalarUpdate {
  return {
    title: `${title}, averaged with decay ${emaDecay}`,
    rule: { optimizer: choice, emaDecay },
    update: ({ parameters, state }, gradient, numbers) => {
      const next = update({ parameters, state: state.slice(0, -1) }, gradient, numbers);
      const weight = (1 - emaDecay) / (1 - emaDecay ** numbers.t);
      return { ...next, state: [...next.state, scalarAverage(state.at(-1)!, next.parameters, weight)] };
    },
  };
}

/** Every optimizer alone and averaged: at its third update one decay has a weight below a half, one above. */
export const scalarUpdates: readonly ScalarUpdate[] = scalarOptimizers.flatMap((optimizer) => [
  { ...optimizer, rule: { optimizer: optimizer.choice, emaDecay: 0 } },
  averaged(optimizer, 0.9),
  averaged(optimizer, 0.25),
]);
