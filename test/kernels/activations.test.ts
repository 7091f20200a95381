import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness, wholeVectors } from './kernelHarness.js';

const harness = new KernelHarness();
const special = [0, -0, 1, -1, 2 ** -149, -(2 ** -149), Infinity, -Infinity, Number.NaN];

/** Values of every kind, of a length that ends anywhere in a vector. */
const arrays = fc
  .record({
    seed: fc.nat(),
    count: fc.integer({ min: 1, max: 18 }),
    at: fc.nat(),
    value: fc.constantFrom(...special),
  })
  .map(({ seed, count, at, value }) => {
    const values = sampleFloats(seed, count);
    values[at % count] = value;
    return values;
  });

test('reluForward: negative numbers become 0, a NaN stays one', () => {
  fc.assert(
    fc.property(arrays, (values) => {
      harness.reset();
      const y = harness.inPlace(values, wholeVectors(values.length));
      harness.run((kernels) => kernels.reluForward(y, values.length));
      const expected = values.map((value) => (value < 0 ? 0 : value));
      assertSameBits(harness.floats(y, values.length), expected, 'relu');
    }),
  );
});

/** dy after a backward kernel, given the output y. */
function backward(kernel: 'reluBackward' | 'tanhBackward', y: Float32Array, dy: Float32Array): Float32Array {
  harness.reset();
  const output = harness.input(y);
  const gradient = harness.inPlace(dy, wholeVectors(dy.length));
  harness.run((kernels) => kernels[kernel](output, gradient, y.length));
  return harness.floats(gradient, dy.length);
}

test('reluBackward: the gradient passes where the output is positive', () => {
  fc.assert(
    fc.property(arrays, fc.nat(), (y, seed) => {
      const dy = sampleFloats(seed, y.length);
      const expected = dy.map((value, i) => (y[i]! > 0 ? value : 0));
      assertSameBits(backward('reluBackward', y, dy), expected, 'relu gradient');
    }),
  );
});

test('tanhBackward: dy (1 − y²), rounded step by step', () => {
  fc.assert(
    fc.property(arrays, fc.nat(), (y, seed) => {
      const dy = sampleFloats(seed, y.length);
      const expected = dy.map((value, i) => value * Math.fround(1 - Math.fround(y[i]! * y[i]!)));
      assertSameBits(backward('tanhBackward', y, dy), expected, 'tanh gradient');
    }),
  );
});

test('tanhBackward follows the slope of tanh', () => {
  // Central differences of step h: truncation h² |tanh'''| / 6 ≤ h² / 3, rounding 2⁻⁵² / h.
  const h = 2 ** -16;
  for (const x of [-3, -0.6, 0, 0.01, 0.7, 2]) {
    const slope = (Math.tanh(x + h) - Math.tanh(x - h)) / (2 * h);
    const gradient = backward('tanhBackward', Float32Array.of(Math.tanh(x)), Float32Array.of(1))[0]!;
    // y, y² and the difference are rounded to float32: 2 + 1 + 1 halves of 2⁻²³ at most.
    const bound = 4 * 2 ** -24 + (h * h) / 3 + 2 ** -52 / h;
    assert.ok(Math.abs(gradient - slope) <= bound, `at ${x}: ${gradient}, slope ${slope}`);
  }
});
