import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { roundoff, underflow } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';
import { type Key, rowWords, type Stream } from './philoxReference.js';
import {
  correlation,
  FOUR_SIGMA,
  kolmogorovCritical,
  kolmogorovDistance,
  moments,
  normalCdf,
} from './statistics.js';

const harness = new KernelHarness(1 << 23);
const word = fc.integer({ min: 0, max: 0xffffffff });
const anyKey: fc.Arbitrary<Key> = fc.tuple(word, word);
const anyStream: fc.Arbitrary<Stream> = fc.record({ position: word, step: word, purpose: word });
const key: Key = [0x1bd11bda, 0xa9fc1a22];
const stream: Stream = { position: 5, step: 3, purpose: 7 };

function randomNormal(rows: number, count: number, [low, high]: Key, { position, step, purpose }: Stream) {
  harness.reset();
  const out = harness.output(rows * count * 4);
  const scratch = harness.output(64);
  harness.run((kernels) =>
    kernels.randomNormal({ out, rows, count, key0: low, key1: high, position, step, purpose, scratch }),
  );
  return harness.floats(out, rows * count);
}

/** Elements 0 … 3 and 8 … 11 of a group of sixteen are cosines, each with the sine four further on. */
function partner(i: number): { cosine: number; sine: number } {
  const cosine = i & ~4;
  return { cosine, sine: cosine + 4 };
}

/** √(−2 ln u) (cos, sin)(2π v) in float64; u is documented as a float32, v as the upper 24 bits. */
function boxMuller(bits: Uint32Array, i: number): { value: number; bound: number } {
  const { cosine, sine } = partner(i);
  const u = Math.fround(Math.fround(bits[cosine]!) + 0.5) * 2 ** -32;
  const angle = 2 * Math.PI * ((bits[sine]! >>> 8) * 2 ** -24);
  const radius = Math.sqrt(-2 * Math.log(u));
  // In units of roundoff, an ulp being at most two: ln within 4 ulp, halved by the root, the root's own
  // rounding.
  const radiusError = 8 / 2 + 1;
  // The reduced angle, at most π/4, has the roundings of π/2 and of a product; then a polynomial within 4
  // ulp, of a value below 1: an ulp is at most one unit there; last the product's rounding. 1.001 covers
  // their products.
  const unitError = (2 * Math.PI) / 4 + 4;
  const value = radius * (i === cosine ? Math.cos(angle) : Math.sin(angle));
  const bound = roundoff * (Math.abs(value) * (radiusError + 1) + radius * unitError) * 1.001 + underflow;
  return { value, bound };
}

test('every normal is the float64 one of the same random words, within the errors of its steps', () => {
  const count = 100_000;
  const values = randomNormal(1, count, key, stream);
  const bits = rowWords(Math.ceil(count / 16) * 16, key, stream);
  for (let i = 0; i < count; i++) {
    const { value, bound } = boxMuller(bits, i);
    const error = Math.abs(values[i]! - value);
    assert.ok(error <= bound, `normal ${i} is ${values[i]}, expected ${value} ± ${bound}`);
  }
});

// Found among the words 0 … 3 and 8 … 11 of key 0, step 0, purpose 0, by trying positions below 2^24.
test('the extreme radii are right: a word of 16, and one that rounds to u = 1', () => {
  for (const { position, element, bits } of [
    { position: 3474781, element: 1, bits: 16 },
    { position: 8966016, element: 0, bits: 0xffffffef },
  ]) {
    const extreme: Stream = { position, step: 0, purpose: 0 };
    const row = rowWords(16, [0, 0], extreme);
    assert.equal(row[element], bits);
    const values = randomNormal(1, 16, [0, 0], extreme);
    for (const i of [element, element + 4]) {
      const { value, bound } = boxMuller(row, i);
      assert.ok(Math.abs(values[i]! - value) <= bound, `${values[i]}, expected ${value} ± ${bound}`);
    }
    const radius = Math.hypot(values[element]!, values[element + 4]!);
    assert.ok(bits === 16 ? radius > 6.2 : radius === 0, `radius ${radius}`);
  }
});

test('row r belongs to position + r, whatever the number of rows, and rows may end anywhere', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 37 }));
  fc.assert(
    fc.property(sizes, anyKey, anyStream, ([rows, count], anotherKey, another) => {
      const together = randomNormal(rows, count, anotherKey, another);
      for (let row = 0; row < rows; row++) {
        const position = (another.position + row) >>> 0;
        const alone = randomNormal(1, 48, anotherKey, { ...another, position });
        const part = together.subarray(row * count, (row + 1) * count);
        assertSameBits(part, alone.subarray(0, count), `row ${row}`);
      }
    }),
  );
});

// A million: standard errors of the moments of n normals are √(1/n), √(2/n), √(6/n) and √(24/n).
const million = randomNormal(1000, 1000, key, stream);

test('moments of a million normals', () => {
  const n = million.length;
  const { mean, variance, skewness, kurtosis } = moments(million);
  const scores = {
    mean: mean * Math.sqrt(n),
    variance: (variance - 1) * Math.sqrt(n / 2),
    skewness: skewness * Math.sqrt(n / 6),
    kurtosis: (kurtosis - 3) * Math.sqrt(n / 24),
  };
  for (const [name, score] of Object.entries(scores)) {
    assert.ok(Math.abs(score) < FOUR_SIGMA, `the ${name} is ${score} standard errors off`);
  }
});

test('the distribution function of a million normals, at a significance of 0.001', () => {
  const distance = kolmogorovDistance(million, normalCdf);
  assert.ok(distance < kolmogorovCritical(million.length, 1e-3), `distance ${distance}`);
});

test('as many of a million lie beyond 3, 4 and 4.5 sigma as should', () => {
  for (const sigmas of [3, 4, 4.5]) {
    const expected = million.length * 2 * normalCdf(-sigmas);
    const found = million.filter((value) => Math.abs(value) > sigmas).length;
    const score = (found - expected) / Math.sqrt(expected);
    assert.ok(Math.abs(score) < FOUR_SIGMA, `${found} beyond ${sigmas} sigma, expected ${expected}`);
  }
});

test('cosine and sine of a pair are independent, though they share a radius', () => {
  const bits = Uint32Array.from({ length: 500_000 }, (_, i) => i);
  const place = (i: number) => 8 * Math.floor(i / 4) + (i % 4);
  // Rows of 1000 end within a group: one row of whole groups keeps the pairs together.
  const values = randomNormal(1, 1_000_000, key, stream);
  const cosines = Float64Array.from(bits, (i) => values[place(i)]!);
  const sines = Float64Array.from(bits, (i) => values[place(i) + 4]!);
  const squares = (a: Float64Array) => a.map((x) => x * x);
  for (const [name, r] of [
    ['values', correlation(cosines, sines)],
    ['squares', correlation(squares(cosines), squares(sines))],
  ] as const) {
    assert.ok(Math.abs(r) * Math.sqrt(bits.length) < FOUR_SIGMA, `${name}: correlation ${r}`);
  }
});
