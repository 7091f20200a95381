import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { multiplyAdd } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';
import { type Key, rowWords, type Stream } from './philoxReference.js';
import { FOUR_SIGMA, kolmogorovCritical, kolmogorovDistance, moments } from './statistics.js';

const harness = new KernelHarness(1 << 20);
const word = fc.integer({ min: 0, max: 0xffffffff });
const anyKey: fc.Arbitrary<Key> = fc.tuple(word, word);
const anyStream: fc.Arbitrary<Stream> = fc.record({ position: word, step: word, purpose: word });
const key: Key = [0x2545f491, 0x4f6cdd1d];
const stream: Stream = { position: 1, step: 0, purpose: 1 };

function randomUniform(count: number, [low, high]: readonly [number, number], [key0, key1]: Key, s: Stream) {
  harness.reset();
  const out = harness.output(count * 4);
  const scratch = harness.output(64);
  harness.run((kernels) =>
    kernels.randomUniform({
      out,
      count,
      low,
      high,
      key0,
      key1,
      position: s.position,
      step: s.step,
      purpose: s.purpose,
      scratch,
    }),
  );
  return harness.floats(out, count);
}

test('every value is low + (high − low) u, u the upper 24 bits of its random word', () => {
  const limit = fc.float({ min: -100, max: 100, noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      limit,
      limit,
      anyKey,
      anyStream,
      (count, low, high, k, s) => {
        const width = Math.fround(high - low);
        const expected = Float32Array.from(rowWords(count, k, s), (bits) =>
          multiplyAdd(width, (bits >>> 8) * 2 ** -24, low),
        );
        assertSameBits(randomUniform(count, [low, high], k, s), expected, 'randomUniform');
      },
    ),
  );
});

const n = 100_000;

test('values fill the range from low to high', () => {
  for (const [low, high] of [
    [0, 1],
    [-1, 1],
    [2, 6],
  ] as const) {
    const values = randomUniform(n, [low, high], key, stream);
    assert.ok(values.every((value) => value >= low && value <= high));
    // The gap between an end and the nearest of n values is exponential: above 12 / n once in 160,000 times.
    assert.ok(values.reduce((a, b) => Math.min(a, b)) < low + ((high - low) * 12) / n);
    assert.ok(values.reduce((a, b) => Math.max(a, b)) > high - ((high - low) * 12) / n);
  }
});

test('mean, variance and kurtosis of a uniform distribution', () => {
  const { mean, variance, skewness, kurtosis } = moments(randomUniform(n, [-1, 1], key, stream));
  // E x² = 1/3, E x⁴ = 1/5, E x⁶ = 1/7, E x⁸ = 1/9: the variance of x is 1/3, of x² 1/5 − 1/9, of x³ 1/7, of
  // x⁴ 1/9 − 1/25.
  assert.ok(Math.abs(mean) < FOUR_SIGMA * Math.sqrt(1 / 3 / n), `mean ${mean}`);
  assert.ok(Math.abs(variance - 1 / 3) < FOUR_SIGMA * Math.sqrt((1 / 5 - 1 / 9) / n), `variance ${variance}`);
  // x³ less what the unknown mean takes with it, 3 x E x²: variance 1/7 − 2/5 + 1/3, over (1/3)³.
  const skewError = Math.sqrt(((1 / 7 - 2 / 5 + 1 / 3) * 27) / n);
  assert.ok(Math.abs(skewness) < FOUR_SIGMA * skewError, `skewness ${skewness}`);
  // x⁴ less what the unknown variance takes with it, 2 (E x⁴ / E x²) x² = 6/5 x².
  const kurtosisError = Math.sqrt(
    ((1 / 9 - 1 / 25 - (12 / 5) * (1 / 7 - 1 / 15) + (36 / 25) * (1 / 5 - 1 / 9)) * 81) / n,
  );
  assert.ok(Math.abs(kurtosis - 9 / 5) < FOUR_SIGMA * kurtosisError, `kurtosis ${kurtosis}`);
});

test('the distribution function, at a significance of 0.001', () => {
  const distance = kolmogorovDistance(randomUniform(n, [0, 1], key, stream), (x) => x);
  assert.ok(distance < kolmogorovCritical(n, 1e-3), `distance ${distance}`);
});
