import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bernoulliLogLikelihood } from '../reference/bernoulli.js';
import { boundedBernoulliBackward, boundedLogLikelihood } from '../reference/boundedBernoulli.js';
import { exact, float32 } from '../reference/rounding.js';
import { elementary } from './elementary.js';
import { words } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

interface Likelihood {
  /** [examples, samples, dimensions]. */
  readonly logits: Float32Array;
  /** [examples, dimensions]. */
  readonly x: Float32Array;
  readonly samples: number;
  readonly dimensions: number;
  readonly scale: number;
}

const harness = new KernelHarness();

/** Row by row: [rows] and [rows, dimensions]. */
function bernoulli({ logits, x, samples, dimensions, scale }: Likelihood, withGradient = true) {
  harness.reset();
  const rows = logits.length / dimensions;
  const [l, target] = [harness.input(logits), harness.input(x)];
  const terms = harness.output(rows * Float64Array.BYTES_PER_ELEMENT);
  const scratch = harness.output(Math.ceil(dimensions / 4) * 16);
  const gradient = withGradient ? harness.output(logits.byteLength) : 0;
  harness.run((kernels) =>
    kernels.bernoulli(l, target, rows, samples, dimensions, scale, terms, scratch, gradient),
  );
  return {
    logLikelihood: harness.doubles(terms, rows),
    dLogits: withGradient ? harness.floats(gradient, logits.length) : new Float32Array(),
  };
}

/** x once for each sample: [examples, samples, dimensions]. */
function repeated({ logits, x, samples, dimensions }: Likelihood): Float32Array {
  return logits.map((_, i) => x[Math.floor(i / (samples * dimensions)) * dimensions + (i % dimensions)]!);
}

/** Terms and gradients pixel by pixel, rounded to float32 after each operation; a row's sum in float64. */
function assertBits(likelihood: Likelihood): void {
  const { logits, dimensions, scale } = likelihood;
  const f = Math.fround;
  const x = repeated(likelihood);
  const log1p = elementary(
    'log1pArray',
    elementary(
      'expArray',
      logits.map((l) => -Math.abs(l)),
    ),
  );
  const terms = logits.map((l, i) => f(f(f(x[i]! * l) - (l < 0 ? 0 : l)) - log1p[i]!));
  const sigmoid = elementary('sigmoidArray', logits);
  const gradient = logits.map((_, i) => f(sigmoid[i]! - x[i]!) * f(scale));
  const { logLikelihood, dLogits } = bernoulli(likelihood);
  assertSameBits(dLogits, gradient, 'dLogits');
  logLikelihood.forEach((actual, row) => {
    const own = Float64Array.from(terms.subarray(row * dimensions, (row + 1) * dimensions));
    const sum = own.reduce((a, b) => a + b);
    // Float64 sums of n terms in two orders differ by at most 2 (n − 1) 2⁻⁵³ of their magnitudes.
    const bound = dimensions * 2 ** -52 * own.reduce((a, b) => a + Math.abs(b), 0);
    assert.ok(Math.abs(actual - sum) <= bound, `row ${row}: ${actual}, the sum of its terms is ${sum}`);
  });
}

/** Against float64, within what float32 and elementary functions of 4 ulp may add. */
function assertRight(likelihood: Likelihood): void {
  const { logits, samples, dimensions, scale } = likelihood;
  const l = exact(Float64Array.from(logits));
  const x = Float64Array.from(repeated(likelihood));
  const { logLikelihood, dLogits } = bernoulli(likelihood);
  const expected = boundedLogLikelihood(l, x, 1, dimensions, float32);
  const gradient = boundedBernoulliBackward(l, x, 1, dimensions, scale, float32);
  for (const [name, actual, { value, bound }] of [
    ['log p(x|z)', logLikelihood, expected],
    ['dLogits', dLogits, gradient],
  ] as const) {
    assert.equal(actual.length, value.length);
    value.forEach((v, i) => {
      const error = Math.abs(actual[i]! - v);
      assert.ok(
        error <= bound[i]!,
        `${name}[${i}], ${samples} samples: ${actual[i]}, expected ${v} ± ${bound[i]}`,
      );
    });
  }
}

/** Logits of all sizes up to ±128, examples of 0, 1 and grey. */
function sample(seed: number, examples: number, samples: number, dimensions: number): Likelihood {
  const next = words(seed);
  const size = () => 2 ** ((next() % 14) - 6) * (next() / 2 ** 32);
  return {
    logits: Float32Array.from({ length: examples * samples * dimensions }, () =>
      next() & 1 ? size() : -size(),
    ),
    x: Float32Array.from({ length: examples * dimensions }, () => [0, 1, (next() >>> 24) / 255][next() % 3]!),
    samples,
    dimensions,
    scale: 1 / samples,
  };
}

test('log p(x|z) and its gradient, every number of dimensions to 9 and of samples to 3', () => {
  for (let dimensions = 1; dimensions <= 9; dimensions++) {
    for (let samples = 1; samples <= 3; samples++) {
      for (const examples of [1, 3]) {
        const likelihood = sample(10 * dimensions + samples, examples, samples, dimensions);
        assertBits(likelihood);
        assertRight(likelihood);
      }
    }
  }
  assertBits(sample(1, 2, 2, 784));
});

test('any logits, any size', () => {
  const size = fc.integer({ min: 1, max: 9 });
  const logit = fc.float({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.nat(), size, size, size, logit, (seed, examples, samples, dimensions, l) => {
      const likelihood = sample(seed, examples, samples, dimensions);
      likelihood.logits[seed % likelihood.logits.length] = l;
      assertBits(likelihood);
      assertRight(likelihood);
    }),
  );
});

test('extreme logits are finite and right', () => {
  for (const l of [100, -100, 1e4, -1e4, 3e38, -3e38, 0, -0]) {
    for (const x of [0, 1, 0.25]) {
      const one = { logits: Float32Array.of(l), x: Float32Array.of(x), samples: 1, dimensions: 1, scale: 1 };
      const { logLikelihood, dLogits } = bernoulli(one);
      assert.ok(Number.isFinite(logLikelihood[0]) && Number.isFinite(dLogits[0]), `logit ${l}, x ${x}`);
      assertRight(one);
    }
  }
});

test('a NaN logit makes its row NaN, and no other', () => {
  const likelihood = sample(3, 3, 1, 5);
  likelihood.logits[5 + 3] = Number.NaN;
  const { logLikelihood, dLogits } = bernoulli(likelihood);
  assert.deepEqual(Array.from(logLikelihood, Number.isNaN), [false, true, false]);
  assert.equal(dLogits.findIndex(Number.isNaN), 8);
  assert.equal(dLogits.findLastIndex(Number.isNaN), 8);
});

test('the gradient is that of the float64 likelihood: central differences', () => {
  const h = 2 ** -14;
  const likelihood = sample(4, 30, 1, 9);
  const { dLogits } = bernoulli(likelihood);
  dLogits.forEach((gradient, i) => {
    const [l, x] = [likelihood.logits[i]!, Float64Array.of(likelihood.x[i]!)];
    const at = (logit: number) => bernoulliLogLikelihood(Float64Array.of(logit), x, 1, 1)[0]!;
    const slope = -(at(l + h) - at(l - h)) / (2 * h);
    // Truncation: h² / 6 of |σ''| ≤ 0.1; rounding: four of 2⁻⁵³ in numbers below 200, over h; float32's own.
    const { bound } = boundedBernoulliBackward(exact(Float64Array.of(l)), x, 1, 1, 1, float32);
    const allowed = (h * h) / 60 + (4 * 200 * 2 ** -53) / h + bound[0]!;
    assert.ok(Math.abs(gradient - slope) <= allowed, `logit ${l}, x ${x[0]}: ${gradient}, slope ${slope}`);
  });
});

test('without a gradient the terms have the same bits', () => {
  const likelihood = sample(5, 4, 2, 7);
  assert.deepEqual(bernoulli(likelihood, false).logLikelihood, bernoulli(likelihood).logLikelihood);
});
