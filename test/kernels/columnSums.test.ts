import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { add, gamma, sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();

/** Sums of `values`, [pixels, channels], on top of `initial` if given. */
function columnSums(values: Float32Array, channels: number, initial?: Float32Array): Float32Array {
  harness.reset();
  const source = harness.input(values);
  const gradient = harness.inPlace(initial ?? new Float32Array(channels).fill(Number.NaN));
  const pixels = values.length / channels;
  harness.run((kernels) => kernels.columnSums(source, pixels, channels, gradient, initial ? 1 : 0));
  return harness.floats(gradient, channels);
}

/** In order, from `initial` or 0. */
function reference(values: Float32Array, channels: number, initial?: Float32Array): Float32Array {
  const sums = initial?.slice() ?? new Float32Array(channels);
  values.forEach((value, i) => {
    sums[i % channels] = add(sums[i % channels]!, value);
  });
  return sums;
}

// The kernel takes sixteen channels at a time, then four.
test('every number of channels to 37: the bits of sums in order, within γ of the float64 ones', () => {
  for (let channels = 1; channels <= 37; channels++) {
    for (const pixels of [1, 2, 9]) {
      const values = sampleFloats(channels, pixels * channels);
      for (const accumulate of [false, true]) {
        const initial = accumulate ? sampleFloats(channels + 1, channels) : undefined;
        const result = columnSums(values, channels, initial);
        assertSameBits(
          result,
          reference(values, channels, initial),
          `${pixels} pixels of ${channels} channels`,
        );
        result.forEach((sum, channel) => {
          const terms = [initial?.[channel] ?? 0, ...values.filter((_, i) => i % channels === channel)];
          const exact = terms.reduce((a, b) => a + b);
          const magnitude = terms.reduce((a, b) => a + Math.abs(b), 0);
          assert.ok(Math.abs(sum - exact) <= gamma(pixels) * magnitude);
        });
      }
    }
  }
});

const shapes = fc.record({
  channels: fc.integer({ min: 1, max: 37 }),
  pixels: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(),
});

test('blocks of pixels do not change a bit', () => {
  fc.assert(
    fc.property(shapes, fc.nat(), ({ channels, pixels, seed }, at) => {
      const values = sampleFloats(seed, pixels * channels);
      const split = (at % pixels) * channels;
      const first = columnSums(values.subarray(0, split), channels);
      const both = columnSums(values.subarray(split), channels, first);
      assertSameBits(both, columnSums(values, channels), 'two blocks');
    }),
  );
});

test('zero borders between the pixels do not change a bit', () => {
  fc.assert(
    fc.property(shapes, ({ channels, pixels, seed }) => {
      const values = sampleFloats(seed, pixels * channels);
      const bordered = new Float32Array(2 * values.length);
      for (let pixel = 0; pixel < pixels; pixel++) {
        bordered.set(values.subarray(pixel * channels, (pixel + 1) * channels), 2 * pixel * channels);
      }
      assertSameBits(columnSums(bordered, channels), columnSums(values, channels), 'with borders');
    }),
  );
});
