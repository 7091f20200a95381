// The layers' backward passes against differences of their forward passes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { activationNames } from '#src/model/activations/registry.js';
import { everyLayer } from '#src/model/layers/kinds.js';
import type { ActivationLayer, Layer } from '#src/model/model.js';
import { correlateToBig, correlateToSmall, correlateToWeights } from './correlation.js';
import { floatsIn, layerBackward, layerForward } from './network.js';
import { correlationLayer, correlationLayers, draw, layerTitle, smallModels } from './smallModels.js';

const rows = 2;
const epsilon = 2 ** -52;

/** ⟨c, layer(input)⟩: a scalar whose gradient is what layerBackward makes of dOutput = c. */
function projection(layer: Layer, parameters: Float64Array, input: Float64Array, c: Float64Array): number {
  return layerForward(layer, rows, parameters, input).reduce((sum, y, i) => sum + c[i]! * y, 0);
}

/** (f(v + h) − f(v − h)) / 2h in each element of v, which is restored. */
function centralDifferences(v: Float64Array, h: number, f: () => number): Float64Array {
  return Float64Array.from(v, (original, i) => {
    v[i] = original + h;
    const above = f();
    v[i] = original - h;
    const below = f();
    v[i] = original;
    return (above - below) / (2 * h);
  });
}

function assertClose(actual: Float64Array, expected: Float64Array, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries()) {
    const error = Math.abs(value - expected[i]!);
    assert.ok(error <= tolerance, `${what}[${i}] is ${value}, expected ${expected[i]} ± ${tolerance}`);
  }
}

for (const layer of correlationLayers) {
  test(`${layerTitle(layer)}: the gradients are the central differences`, () => {
    const parameters = draw(layer.weights.size + layer.bias.size, 1);
    const input = draw(rows * floatsIn(layer.input), 2);
    const c = draw(rows * floatsIn(layer.output), 3);
    const gradient = new Float64Array(parameters.length);
    const dInput = layerBackward(layer, rows, parameters, input, c, gradient);

    // A correlation is linear in each single number, so any h is exact but for rounding, and 1 rounds least:
    // all numbers are below 2 then, each of `terms` products below 4, and none of their sums passes `terms`
    // roundings.
    const h = 1;
    const terms = c.length * (floatsIn(layer.kernel) * Math.max(layer.big[2], layer.small[2]) + 1);
    const tolerance = 2 * terms * (4 * terms) * epsilon;
    assert.ok(tolerance < 1e-6); // The gradients are of order 1.
    const f = () => projection(layer, parameters, input, c);
    assertClose(dInput, centralDifferences(input, h, f), tolerance, 'dInput');
    assertClose(gradient, centralDifferences(parameters, h, f), tolerance, 'gradient');
  });
}

test('layerBackward adds to the gradient that it is given', () => {
  const layer = correlationLayers[0]!;
  const parameters = draw(layer.weights.size + layer.bias.size, 1);
  const input = draw(rows * floatsIn(layer.input), 2);
  const c = draw(rows * floatsIn(layer.output), 3);
  const once = new Float64Array(parameters.length);
  layerBackward(layer, rows, parameters, input, c, once);
  const onTop = new Float64Array(parameters.length).fill(1);
  layerBackward(layer, rows, parameters, input, c, onTop);
  // Started from 1, sums round differently: below 2·terms·ε of a magnitude below `terms`.
  const terms = rows * layer.small[0] * layer.small[1] + 1;
  assertClose(
    onTop,
    once.map((g) => g + 1),
    2 * terms * terms * epsilon,
    'gradient',
  );
});

function activationLayer(activation: 'relu' | 'tanh'): ActivationLayer {
  return { kind: 'activation', name: activation, activation, input: [50], output: [50] };
}

// Where f has a third derivative, the central difference errs by h²/6·|f‴| and by 2ε·|f|/h of rounding: least
// near h = cbrt(ε), and |tanh‴| ≤ 2. All weights and values are below 4; the sum over 100 elements rounds 100
// times.
const h = 2 ** -17; // ≈ cbrt(ε)
const differenceTolerance = ((h * h) / 6) * 2 + (100 * 100 * epsilon) / h;

test('tanh: the gradient is the central difference', () => {
  const layer = activationLayer('tanh');
  const input = draw(rows * 50, 4, 3);
  const c = draw(rows * 50, 5);
  const dInput = layerBackward(layer, rows, new Float64Array(0), input, c, new Float64Array(0));
  const f = () => projection(layer, new Float64Array(0), input, c);
  assertClose(dInput, centralDifferences(input, h, f), differenceTolerance, 'dInput');
});

test('relu: the gradient is the central difference away from 0, and 0 at 0', () => {
  const layer = activationLayer('relu');
  const input = draw(rows * 50, 6, 3).map((x) => x + Math.sign(x) * 0.1);
  const c = draw(rows * 50, 7);
  const none = new Float64Array(0);
  const dInput = layerBackward(layer, rows, none, input, c, none);
  const f = () => projection(layer, none, input, c);
  assertClose(dInput, centralDifferences(input, h, f), differenceTolerance, 'dInput');
  const atZero = layerBackward(layer, rows, none, new Float64Array(rows * 50), c, none);
  assert.ok(atZero.every((d) => d === 0));
});

test('a reshape hands values and gradients on in their order', () => {
  const layer = { kind: 'reshape', name: 'flatten', input: [2, 3, 1], output: [6] } as const;
  const values = draw(rows * 6, 8);
  const none = new Float64Array(0);
  assert.deepEqual(layerForward(layer, rows, none, values), values);
  assert.deepEqual(layerBackward(layer, rows, none, values, values, none), values);
});

test('a strided correlation by hand: taps 1, 10, 100 every 2 pixels, one pixel of padding', () => {
  const layer = correlationLayer({
    type: 'conv2d',
    big: [1, 4, 1],
    small: [1, 2, 1],
    kernel: [1, 3],
    strides: [1, 2],
    padding: [0, 1],
  });
  const weights = Float64Array.of(1, 10, 100);
  const small = new Float64Array(2);
  correlateToSmall(layer, 1, weights, Float64Array.of(1, 2, 3, 4), small);
  assert.deepEqual([...small], [10 * 1 + 100 * 2, 1 * 2 + 10 * 3 + 100 * 4]);
  const big = new Float64Array(4);
  correlateToBig(layer, 1, weights, Float64Array.of(5, 7), big);
  assert.deepEqual([...big], [10 * 5, 100 * 5 + 1 * 7, 10 * 7, 100 * 7]);
});

const extent = fc.integer({ min: 1, max: 5 });
const geometry = fc.record({
  big: fc.tuple(extent, extent, fc.integer({ min: 1, max: 2 })),
  small: fc.tuple(extent, extent, fc.integer({ min: 1, max: 2 })),
  kernel: fc.tuple(extent, extent),
  strides: fc.tuple(extent, extent),
  padding: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
});

test('any geometry: the three correlations are one trilinear form of big, small and weights', () => {
  fc.assert(
    fc.property(geometry, fc.integer(), (shape, seed) => {
      const layer = correlationLayer({ type: 'conv2d', ...shape });
      // Small integers: every sum is exact, so the three must be equal.
      const integers = (length: number, of: number) => draw(length, seed + of, 8).map(Math.round);
      const big = integers(rows * floatsIn(layer.big), 0);
      const small = integers(rows * floatsIn(layer.small), 1);
      const weights = integers(layer.weights.size, 2);
      const toSmall = new Float64Array(small.length);
      const toBig = new Float64Array(big.length);
      const toWeights = new Float64Array(weights.length);
      correlateToSmall(layer, rows, weights, big, toSmall);
      correlateToBig(layer, rows, weights, small, toBig);
      correlateToWeights(layer, rows, big, small, toWeights);
      const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
      assert.equal(inner(toSmall, small), inner(toBig, big));
      assert.equal(inner(toSmall, small), inner(toWeights, weights));
    }),
  );
});

test('every activation stands in a small model, whose gradients all backends compute', () => {
  const layers = smallModels.flatMap(({ encoder, decoder }) => everyLayer([...encoder, ...decoder]));
  const found = layers.flatMap((layer) => (layer.kind === 'activation' ? [layer.activation] : []));
  assert.deepEqual(
    activationNames.filter((name) => !found.includes(name)),
    [],
  );
});
