// The layers' bounds hold for float32 arithmetic in any order, and are too narrow for a mistake to fit in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActivationLayer, CorrelationLayer } from '#src/model/model.js';
import { boundedLayerBackward, boundedLayerForward } from './boundedNetwork.js';
import { forEachTap } from './correlation.js';
import { floatsIn, layerBackward, layerForward } from './network.js';
import { type Bounded, exact, float32, withoutRoundings } from './rounding.js';
import { correlationLayer, correlationLayers, draw, layerTitle } from './smallModels.js';
import { uniform } from './uniform.js';

const rows = 3;

/** Float64 numbers, and their float32 neighbours as the implementation's version of them. */
function rounded(length: number, seed: number): { bounded: Bounded; single: Float64Array } {
  const random = uniform(seed);
  const value = Float64Array.from({ length }, random);
  const single = value.map(Math.fround);
  return { bounded: { value, bound: value.map((v, i) => Math.abs(v - single[i]!)) }, single };
}

type Summation = (terms: readonly number[]) => number;

const summations: Readonly<Record<string, Summation>> = {
  'one by one': (terms) => terms.reduce((sum, term) => Math.fround(sum + term), 0),
  'from the end': (terms) => terms.reduceRight((sum, term) => Math.fround(sum + term), 0),
  pairwise: function pairwise(terms): number {
    if (terms.length < 2) return terms[0] ?? 0;
    const half = Math.ceil(terms.length / 2);
    return Math.fround(pairwise(terms.slice(0, half)) + pairwise(terms.slice(half)));
  },
};

/** The rounded products that each element of a layer's output, dInput and gradient is the sum of. */
function float32Terms(
  layer: CorrelationLayer,
  parameters: Float64Array,
  input: Float64Array,
  dOutput: Float64Array,
) {
  const lists = (length: number) => Array.from({ length }, (): number[] => []);
  const terms = {
    output: lists(dOutput.length),
    dInput: lists(input.length),
    gradient: lists(parameters.length),
  };
  for (const [i, d] of dOutput.entries()) {
    const bias = layer.bias.offset + (i % layer.bias.size);
    terms.output[i]!.push(parameters[bias]!);
    terms.gradient[bias]!.push(d);
  }
  const transposed = layer.type === 'conv2dTranspose';
  forEachTap(layer, rows, (b, s, w) => {
    for (let cb = 0; cb < layer.big[2]; cb++) {
      for (let cs = 0; cs < layer.small[2]; cs++) {
        const [i, o] = transposed ? [s + cs, b + cb] : [b + cb, s + cs];
        const weight = w + cb * layer.small[2] + cs;
        terms.output[o]!.push(Math.fround(input[i]! * parameters[weight]!));
        terms.dInput[i]!.push(Math.fround(dOutput[o]! * parameters[weight]!));
        terms.gradient[weight]!.push(Math.fround(input[i]! * dOutput[o]!));
      }
    }
  });
  return terms;
}

function boundedLayer(layer: CorrelationLayer) {
  const parameters = draw(layer.weights.size + layer.bias.size, 1);
  const input = rounded(rows * floatsIn(layer.input), 2);
  const dOutput = rounded(rows * floatsIn(layer.output), 3);
  const gradient = exact(new Float64Array(parameters.length));
  const output = boundedLayerForward(layer, rows, parameters, input.bounded, float32);
  const dInput = boundedLayerBackward(
    layer,
    rows,
    parameters,
    input.bounded,
    dOutput.bounded,
    gradient,
    float32,
  );
  const terms = float32Terms(layer, parameters, input.single, dOutput.single);
  return { terms, results: { output, dInput, gradient } };
}

for (const layer of correlationLayers) {
  test(`${layerTitle(layer)}: float32 stays within the bounds, whatever the order`, () => {
    const { terms, results } = boundedLayer(layer);
    for (const [order, sum] of Object.entries(summations)) {
      for (const name of ['output', 'dInput', 'gradient'] as const) {
        for (const [i, list] of terms[name].entries()) {
          const error = Math.abs(sum(list) - results[name].value[i]!);
          const bound = results[name].bound[i]!;
          assert.ok(error <= bound, `${name}[${i}], ${order}: off by ${error}, bound ${bound}`);
        }
      }
    }
  });

  test(`${layerTitle(layer)}: a sum that lacks a product falls outside the bounds`, () => {
    const { terms, results } = boundedLayer(layer);
    for (const name of ['output', 'dInput', 'gradient'] as const) {
      for (const [i, list] of terms[name].entries()) {
        if (list.length === 0) continue;
        // The largest: by chance another may be next to nothing.
        const missing = list.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
        const sum = list.reduce((total, term) => total + term, -missing);
        const error = Math.abs(sum - results[name].value[i]!);
        assert.ok(error > results[name].bound[i]!, `${name}[${i}] may lack ${missing} unnoticed`);
      }
    }
  });
}

test('without roundings, the bound is reached by errors with the signs of the weights', () => {
  const layer = correlationLayers.find(({ type }) => type === 'dense')!;
  const [inputs, outputs] = [floatsIn(layer.input), floatsIn(layer.output)];
  const parameters = draw(layer.weights.size + layer.bias.size, 5);
  const input = { value: draw(inputs, 6), bound: draw(inputs, 7, 0.01).map(Math.abs) };
  const output = boundedLayerForward(layer, 1, parameters, input, withoutRoundings);
  for (let o = 0; o < outputs; o++) {
    const signs = input.value.map((_, i) => Math.sign(parameters[i * outputs + o]!));
    const moved = layerForward(
      layer,
      1,
      parameters,
      input.value.map((v, i) => v + signs[i]! * input.bound[i]!),
    );
    const shift = moved[o]! - output.value[o]!;
    // Two sums of a bias and five products, all below 1.01, in float64.
    assert.ok(Math.abs(output.bound[o]! - shift) <= 2 * 6 * 6 * 2 ** -52, `${output.bound[o]} and ${shift}`);
  }
});

test('relu: values move only on the positive side, and the gradient near the kink counts in full', () => {
  const layer = { kind: 'activation', name: 'relu', activation: 'relu', input: [4], output: [4] } as const;
  const input = { value: Float64Array.of(-1, -0.1, 0.1, 1), bound: new Float64Array(4).fill(0.25) };
  const none = new Float64Array(0);
  const forward = boundedLayerForward(layer, 1, none, input, float32);
  assert.deepEqual([...forward.value], [0, 0, 0.1, 1]);
  assert.deepEqual([...forward.bound], [0, -0.1 + 0.25, 0.1 + 0.25 - 0.1, 1 + 0.25 - 1]);
  const dOutput = { value: Float64Array.of(8, 8, -8, 8), bound: new Float64Array(4).fill(0.5) };
  const backward = boundedLayerBackward(layer, 1, none, input, dOutput, exact(none), float32);
  assert.deepEqual([...backward.value], [0, 0, -8, 8]);
  assert.deepEqual([...backward.bound], [0, 8.5, 8.5, 0.5]);
  const certain = boundedLayerBackward(
    layer,
    1,
    none,
    exact(new Float64Array(4)),
    dOutput,
    exact(none),
    float32,
  );
  assert.deepEqual([...certain.bound], [0, 0, 0, 0]);
});

/** One input, one output. */
const single = correlationLayer({
  type: 'dense',
  big: [1, 1, 1],
  small: [1, 1, 1],
  kernel: [1, 1],
  strides: [1, 1],
  padding: [0, 0],
});

test('without roundings, the bound of a weight is reached by errors that make both factors larger', () => {
  const input = { value: Float64Array.of(-3), bound: Float64Array.of(0.5) };
  const dOutput = { value: Float64Array.of(2), bound: Float64Array.of(0.25) };
  const gradient = exact(new Float64Array(2));
  boundedLayerBackward(single, 1, new Float64Array(2), input, dOutput, gradient, withoutRoundings);
  assert.deepEqual([...gradient.value], [-6, 2]);
  assert.deepEqual([...gradient.bound], [3.5 * 2.25 - 6, 0.25]);
});

test('a bias rounds even where it swallows all products', () => {
  const parameters = Float64Array.of(1, 1);
  const input = exact(Float64Array.of(1.5 * 2 ** -24));
  const { value, bound } = boundedLayerForward(single, 1, parameters, input, float32);
  const error = Math.abs(Math.fround(1 + 1.5 * 2 ** -24) - value[0]!);
  assert.equal(error, 2 ** -25);
  assert.ok(error <= bound[0]!);
});

test('tanh: the gradient stays within its bound, wherever input and gradient lie within theirs', () => {
  const layer: ActivationLayer = {
    kind: 'activation',
    name: 'tanh',
    activation: 'tanh',
    input: [400],
    output: [400],
  };
  const none = new Float64Array(0);
  const input = { value: draw(400, 11, 4), bound: draw(400, 12).map(Math.abs) };
  const dOutput = { value: draw(400, 13), bound: draw(400, 14).map(Math.abs) };
  const dInput = boundedLayerBackward(layer, 1, none, input, dOutput, exact(none), withoutRoundings);
  for (const seed of [15, 16, 17, 18]) {
    const moved = [input, dOutput].map(({ value, bound }, which) => {
      const signs = draw(400, 10 * seed + which).map(Math.sign);
      return value.map((v, i) => v + signs[i]! * bound[i]!);
    });
    const elsewhere = layerBackward(layer, 1, none, moved[0]!, moved[1]!, none);
    for (const [i, d] of elsewhere.entries()) {
      const shift = Math.abs(d - dInput.value[i]!);
      // Room for the comparison's own roundings in float64, of numbers below 2.
      assert.ok(
        shift <= dInput.bound[i]! + 8 * 2 ** -52,
        `dInput[${i}] moves by ${shift} > ${dInput.bound[i]}`,
      );
    }
  }
});
