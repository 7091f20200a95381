import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { referenceActivations } from '../reference/activations.js';
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

interface SmoothActivation {
  readonly name: 'sigmoid' | 'gelu' | 'silu';
  /** Most that the value and the slope may be off, in units of the last place of 1. */
  readonly value: number;
  readonly slope: number;
}

/**
 * The whole numbers above the largest errors found with SWEEP_STEP=13: below 1 (sigmoid), 1.54 and 2.94
 * (gelu), 1.22 and 1.63 (silu). A value that grows with x is measured relative to max(1, |x|).
 */
const smooth: readonly SmoothActivation[] = [
  { name: 'sigmoid', value: 1, slope: 1 },
  { name: 'gelu', value: 2, slope: 3 },
  { name: 'silu', value: 2, slope: 2 },
];

const SWEEP_STEP = Number(process.env.SWEEP_STEP ?? 9973);
const CHUNK = 1 << 16;
const wide = new KernelHarness(3 * CHUNK * 4 + 65536);

/** Every so many float32 between −40 and 40. */
function* sweep(): Generator<Float32Array> {
  const end = new Uint32Array(Float32Array.of(40).buffer)[0]!;
  for (const sign of [0, 0x80000000]) {
    for (let from = 0; from < end; from += CHUNK * SWEEP_STEP) {
      const count = Math.min(CHUNK, Math.ceil((end - from) / SWEEP_STEP));
      const patterns = Uint32Array.from({ length: count }, (_, i) => (sign + from + i * SWEEP_STEP) >>> 0);
      yield new Float32Array(patterns.buffer);
    }
  }
}

function forwardOf(name: SmoothActivation['name'], x: Float32Array): Float32Array {
  wide.reset();
  const bytes = wholeVectors(x.length);
  if (name === 'sigmoid') {
    const y = wide.inPlace(x, bytes);
    wide.run((kernels) => kernels.sigmoidForward(y, x.length));
    return wide.floats(y, x.length);
  }
  const input = wide.input(x);
  const y = wide.output(x.byteLength, bytes);
  wide.run((kernels) => kernels[`${name}Forward`](input, y, x.length));
  return wide.floats(y, x.length);
}

/** dy, after the backward kernel; `needed` is the output of sigmoid, the input of the others. */
function backwardOf(name: SmoothActivation['name'], needed: Float32Array, dy: Float32Array): Float32Array {
  wide.reset();
  const bytes = wholeVectors(dy.length);
  const from = wide.input(needed);
  if (name === 'sigmoid') {
    const gradient = wide.inPlace(dy, bytes);
    wide.run((kernels) => kernels.sigmoidBackward(from, gradient, dy.length));
    return wide.floats(gradient, dy.length);
  }
  const gradient = wide.input(dy);
  const dx = wide.output(dy.byteLength, bytes);
  wide.run((kernels) => kernels[`${name}Backward`](from, gradient, dx, dy.length));
  return wide.floats(dx, dy.length);
}

for (const { name, ...limits } of smooth) {
  test(`${name}: the value is within ${limits.value}, the slope within ${limits.slope} units of the last place of 1`, (t) => {
    const worst = { value: 0, slope: 0 };
    const { value, slope } = referenceActivations[name];
    for (const x of sweep()) {
      const y = forwardOf(name, x);
      const gradient = backwardOf(name, name === 'sigmoid' ? y : x, new Float32Array(x.length).fill(1));
      x.forEach((v, i) => {
        const scale = 2 ** -23 * Math.max(1, Math.abs(v));
        worst.value = Math.max(worst.value, Math.abs(y[i]! - value(v, {})) / scale);
        worst.slope = Math.max(worst.slope, Math.abs(gradient[i]! - slope(v, {})) / 2 ** -23);
      });
    }
    // node --test prints it: the figures above are those of SWEEP_STEP=13, which takes minutes.
    t.diagnostic(`largest errors: ${JSON.stringify(worst)}`);
    assert.ok(worst.value <= limits.value && worst.slope <= limits.slope, JSON.stringify(worst));
  });

  test(`${name}: NaN stays NaN, and the gradient is multiplied by dy`, () => {
    const x = Float32Array.of(Number.NaN, 0, -1, 2, Number.NaN);
    assert.deepEqual([...forwardOf(name, x)].map(Number.isNaN), [true, false, false, false, true]);
    const needed = name === 'sigmoid' ? forwardOf(name, x) : x;
    const ones = backwardOf(name, needed, new Float32Array(5).fill(1));
    const dy = sampleFloats(3, 5);
    assertSameBits(
      backwardOf(name, needed, dy),
      dy.map((d, i) => d * ones[i]!),
      'gradient',
    );
  });
}

test('leakyRelu: the slope below 0, and what is above 0 as it is', () => {
  fc.assert(
    fc.property(arrays, fc.constantFrom(0.3, 0.01, 1), fc.nat(), (values, slope, seed) => {
      const factor = Math.fround(slope);
      harness.reset();
      const y = harness.inPlace(values, wholeVectors(values.length));
      harness.run((kernels) => kernels.leakyReluForward(y, values.length, slope));
      const outputs = harness.floats(y, values.length);
      assertSameBits(
        outputs,
        values.map((v) => (v > 0 ? v : v * factor)),
        'leaky relu',
      );
      const dy = sampleFloats(seed, values.length);
      harness.reset();
      const output = harness.input(outputs);
      const gradient = harness.inPlace(dy, wholeVectors(dy.length));
      harness.run((kernels) => kernels.leakyReluBackward(output, gradient, dy.length, slope));
      const expected = dy.map((d, i) => (values[i]! > 0 ? d : d * factor));
      assertSameBits(harness.floats(gradient, dy.length), expected, 'leaky relu gradient');
    }),
  );
});
