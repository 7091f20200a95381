// AdamW and SGD against their definitions in float64, within a bound of what float32 adds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '#src/kernels/address.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import type { Choice } from '#src/model/hyperparameter.js';
import { type OptimizerName, optimizerOf, stateNames } from '#src/optimizer/registry.js';
import { createUpdate, stateTensors } from '#src/optimizer/updateRule.js';
import { roundoff, sampleFloats } from '../kernels/float32.js';
import { ADAM_DEFAULTS } from '../kernels/scalarAdam.js';

const COUNT = 64;
const STEPS = 50;
const BATCH = 32;
const LEARNING_RATE = 1e-2;

const start = sampleFloats(1, COUNT);
const gradients = Array.from({ length: STEPS }, (_, step) => sampleFloats(step + 2, COUNT));

/** The parameters after all steps, by the kernels. */
function trained({ name, values }: Choice<OptimizerName>): Float32Array {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const kernels = bindKernels(compileKernels('portable'), memory);
  const floats = (address: number) => new Float32Array(memory.buffer, address, COUNT);
  const state = stateNames({ name, values }).map((_, i) => addressOf(1024 * (i + 2)));
  floats(1024).set(start);
  const update = optimizerOf({ name, values }).create(kernels, values);
  gradients.forEach((gradient, step) => {
    floats(16384).set(gradient);
    update.begin(step + 1, LEARNING_RATE, 1 / BATCH);
    update.apply({ parameters: addressOf(1024), state }, 0, addressOf(16384), COUNT);
  });
  return Float32Array.from(floats(1024));
}

/** Parameters and average after each step of Adam. */
function averaged(emaDecay: number) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const kernels = bindKernels(compileKernels('portable'), memory);
  const floats = (address: number) => new Float32Array(memory.buffer, address, COUNT);
  const rule = { optimizer: { name: 'adam', values: ADAM_DEFAULTS }, emaDecay } as const;
  const state = stateTensors(rule).map((_, i) => addressOf(1024 * (i + 2)));
  floats(1024).set(start);
  const update = createUpdate(kernels, rule);
  const steps = gradients.map((gradient, step) => {
    floats(16384).set(gradient);
    update.begin(step + 1, LEARNING_RATE, 1 / BATCH);
    update.apply({ parameters: addressOf(1024), state }, 0, addressOf(16384), COUNT);
    return [1024, state.at(-1)!].map((address) => Float32Array.from(floats(address)));
  });
  return { parameters: steps.map(([p]) => p!), averages: steps.map(([, average]) => average!) };
}

interface Expected {
  readonly value: number;
  readonly bound: number;
}

function assertNear(actual: Float32Array, expected: readonly Expected[]): void {
  expected.forEach(({ value, bound }, i) => {
    const error = Math.abs(actual[i]! - value);
    assert.ok(error <= bound, `parameter ${i} is off by ${error}, bound ${bound}`);
    assert.ok(bound < LEARNING_RATE / 10, 'the bound must be far below fifty updates');
  });
}

/**
 * As test/kernels/adam.test.ts derives for Adam: 4.5 t + 10.5 units of an update's size. The decay rounds its
 * factor and its product, each at most a unit of p, and shrinks earlier errors.
 */
test('AdamW: p ← p − α λ p, then Adam, fifty steps in float64', () => {
  const weightDecay = 0.3;
  const { beta1, beta2, epsilon } = ADAM_DEFAULTS;
  const expected = Array.from(start, (initial, i): Expected => {
    let [p, m, v, magnitude, bound] = [initial, 0, 0, 0, 0];
    gradients.forEach((gradient, step) => {
      const t = step + 1;
      const g = gradient[i]! / BATCH;
      p -= LEARNING_RATE * weightDecay * p;
      bound += 2 * Math.abs(p) * roundoff;
      m = beta1 * m + (1 - beta1) * g;
      magnitude = beta1 * magnitude + (1 - beta1) * Math.abs(g);
      v = beta2 * v + (1 - beta2) * g * g;
      const rate = LEARNING_RATE / (1 - beta1 ** t) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
      p -= rate * m;
      bound += (rate * magnitude * (4.5 * t + 10.5) + Math.abs(p)) * roundoff;
    });
    return { value: p, bound: bound * 1.001 };
  });
  const choice = { name: 'adamw', values: { ...ADAM_DEFAULTS, weightDecay } } as const;
  const actual = trained(choice);
  assertNear(actual, expected);
  const without = trained({ name: 'adamw', values: { ...ADAM_DEFAULTS, weightDecay: 0 } });
  assert.deepEqual(without, trained({ name: 'adam', values: ADAM_DEFAULTS }), 'no decay: Adam to the bit');
  assert.notDeepEqual(actual, without);
});

/**
 * The velocity of step t has t + 3 roundings on its oldest part (g's scale is exact; a product and a sum a
 * step, μ's own), relative to the mean of magnitudes; the update has three more (rate, product, sum).
 */
test('SGD: v ← μ v + g, p ← p − α v, fifty steps in float64; without momentum p ← p − α g', () => {
  for (const momentum of [0, 0.9]) {
    const expected = Array.from(start, (initial, i): Expected => {
      let [p, v, magnitude, bound] = [initial, 0, 0, 0];
      gradients.forEach((gradient, step) => {
        const g = gradient[i]! / BATCH;
        v = momentum * v + g;
        magnitude = momentum * magnitude + Math.abs(g);
        p -= LEARNING_RATE * v;
        bound += (LEARNING_RATE * magnitude * (3 * (step + 1) + 3) + Math.abs(p)) * roundoff;
      });
      return { value: p, bound: bound * 1.001 };
    });
    assertNear(trained({ name: 'sgd', values: { momentum } }), expected);
  }
});

/**
 * A step rounds the difference, its share and the sum: two units of the share, w or 1 − w of the difference,
 * and one of the average. The rounding of w moves it by a unit of w times the difference. Earlier errors
 * shrink by 1 − w.
 */
test('the average is the mean of the parameters behind all updates with weights Dᵗ⁻ⁱ, in float64', () => {
  for (const emaDecay of [0.1, 0.5, 0.9, 0.999, 0.99999]) {
    const { parameters, averages } = averaged(emaDecay);
    for (let i = 0; i < COUNT; i++) {
      let bound = 0;
      averages.forEach((average, step) => {
        const weights = parameters.slice(0, step + 1).map((_, j) => emaDecay ** (step - j));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const value = weights.reduce((sum, weight, j) => sum + (weight / total) * parameters[j]![i]!, 0);
        const weight = 1 / total;
        const before = averages[step - 1]?.[i] ?? parameters[step]![i]!;
        const difference = Math.abs(parameters[step]![i]! - before);
        const share = 2 * Math.min(weight, 1 - weight) + weight;
        bound = (1 - weight) * bound + (Math.abs(value) + share * difference) * roundoff * 1.01;
        const error = Math.abs(average[i]! - value);
        assert.ok(error <= bound, `D ${emaDecay}, update ${step + 1}, ${i}: off by ${error}, bound ${bound}`);
      });
      assert.ok(bound < LEARNING_RATE / 100, 'the bound must be far below an update');
    }
    assert.notDeepEqual(averages.at(-1), parameters.at(-1));
  }
});

test('the state tensors that checkpoints hold', () => {
  const names = (name: OptimizerName, values: Choice['values']) => stateNames({ name, values });
  assert.deepEqual(names('adam', ADAM_DEFAULTS), ['adam/m', 'adam/v']);
  assert.deepEqual(names('adamw', ADAM_DEFAULTS), ['adamw/m', 'adamw/v']);
  assert.deepEqual(names('sgd', { momentum: 0 }), []);
  assert.deepEqual(names('sgd', { momentum: 0.5 }), ['sgd/velocity']);
  const sgd = { name: 'sgd', values: { momentum: 0.5 } } as const;
  assert.deepEqual(stateTensors({ optimizer: sgd, emaDecay: 0.9 }), ['sgd/velocity', 'ema']);
  assert.deepEqual(stateTensors({ optimizer: sgd, emaDecay: 0 }), ['sgd/velocity']);
});
