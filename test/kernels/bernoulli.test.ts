import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NONE } from '#src/kernels/address.js';
import { bernoulliLogLikelihood } from '../reference/bernoulli.js';
import { boundedBernoulliBackward, boundedLogLikelihood } from '../reference/boundedBernoulli.js';
import { exact, float32 } from '../reference/rounding.js';
import { elementary } from './elementary.js';
import { roundoff, words } from './float32.js';
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
  const gradient = withGradient ? harness.output(logits.byteLength) : NONE;
  harness.run((kernels) =>
    kernels.bernoulli({
      logits: l,
      x: target,
      rows,
      samples,
      dimensions,
      scale,
      logLikelihood: terms,
      terms: scratch,
      dLogits: gradient,
    }),
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

/** The gradient pixel by pixel, rounded to float32 after each operation. */
function assertGradientBits(likelihood: Likelihood): void {
  const { logits, scale } = likelihood;
  const x = repeated(likelihood);
  const sigmoid = elementary('sigmoidArray', logits);
  const gradient = logits.map((_, i) => Math.fround(sigmoid[i]! - x[i]!) * Math.fround(scale));
  assertSameBits(bernoulli(likelihood).dLogits, gradient, 'dLogits');
}

/** Rows against sums in float64, within what src/kernels/assembly/bernoulli.ts derives. */
function assertWithinBound(likelihood: Likelihood): void {
  const { logits, dimensions } = likelihood;
  const x = repeated(likelihood);
  const { logLikelihood } = bernoulli(likelihood);
  logLikelihood.forEach((actual, row) => {
    const own = Float64Array.from(logits.subarray(row * dimensions, (row + 1) * dimensions));
    const pixels = Float64Array.from(x.subarray(row * dimensions, (row + 1) * dimensions));
    const [expected] = bernoulliLogLikelihood(own, pixels, 1, dimensions);
    const bound = rowBound(own, pixels);
    const error = Math.abs(actual - expected!);
    assert.ok(error <= bound, `row ${row} of ${dimensions}: ${actual}, expected ${expected} ± ${bound}`);
  });
}

/**
 * Largest error of a row in nats. For each pixel, s = e / (1 + e): 2u s by exp, which is within 1 unit in the
 * last place (elementary.test.ts); 2u s and u q / (1 + q) by the factor, where q / (1 + q) ≤ log1p(q) is at
 * most 1 and the sum of the logarithms of its lane, one of eight; and the linear term's own two roundings. Of
 * second order: 2⁻²⁰ of all that.
 */
function rowBound(logits: Float64Array, x: Float64Array): number {
  const decays = logits.map((l) => Math.exp(-Math.abs(l)));
  const lanes = new Float64Array(8);
  for (const [i, e] of decays.entries()) lanes[i % 8]! += Math.log1p(e);
  let single = 0;
  let magnitude = 0;
  for (const [i, e] of decays.entries()) {
    const [l, pixel] = [logits[i]!, x[i]!];
    const linear = pixel * l - Math.max(l, 0);
    const binary = pixel === 0 || pixel === 1;
    single += roundoff * ((4 * e) / (1 + e) + Math.min(1, lanes[i % 8]!));
    single += binary ? 0 : roundoff * (Math.abs(pixel * l) + Math.abs(linear));
    // Four numbers may be subnormal: x ℓ, e, q e, q e + e.
    single += 4 * 2 ** -149;
    magnitude += Math.abs(pixel * l) + Math.max(l, 0) + Math.log1p(e);
  }
  // Sums of n float64 numbers, the kernel's and the one that it is compared with; 2⁻⁴⁸ for the kernel's
  // product and logarithm, as much for exp and log1p of the other one.
  const double = (2 * logits.length * 2 ** -53 + 2 * 2 ** -48) * magnitude;
  return single * (1 + 2 ** -20) + double;
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

function assertLikelihood(likelihood: Likelihood): void {
  assertGradientBits(likelihood);
  assertWithinBound(likelihood);
  assertRight(likelihood);
}

test('log p(x|z) and its gradient, every number of dimensions to 40 and of samples to 3', () => {
  for (let dimensions = 1; dimensions <= 40; dimensions++) {
    for (let samples = 1; samples <= 3; samples++) {
      for (const examples of [1, 3]) {
        assertLikelihood(sample(10 * dimensions + samples, examples, samples, dimensions));
      }
    }
  }
});

/** Around what makes one product, 960 pixels; an MNIST image; several products. */
const LONG_ROWS = [784, 952, 959, 960, 961, 963, 967, 968, 1925, 4096];

test('rows of one product and of several', () => {
  for (const dimensions of LONG_ROWS) assertLikelihood(sample(dimensions, 2, 2, dimensions));
});

test('any logits, any size', () => {
  const size = fc.integer({ min: 1, max: 9 });
  const logit = fc.float({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.nat(), size, size, size, logit, (seed, examples, samples, dimensions, l) => {
      const likelihood = sample(seed, examples, samples, dimensions);
      likelihood.logits[seed % likelihood.logits.length] = l;
      assertLikelihood(likelihood);
    }),
  );
});

/**
 * Logits of both signs: factors of 2, one of nearly 1, ones that float32 cannot tell from 1, subnormal and
 * vanishing e.
 */
const EXTREMES = [0, 1e-8, 1, 20, 40, 90, 100, 1e4, 3e38].flatMap((l) => [l, -l]);

test('extreme logits are finite and right', () => {
  for (const l of EXTREMES) {
    for (const pixel of [0, 1, 0.25]) {
      for (const dimensions of [1, 8, 11, ...LONG_ROWS]) {
        const logits = new Float32Array(dimensions).fill(l);
        const x = new Float32Array(dimensions).fill(pixel);
        const row = { logits, x, samples: 1, dimensions, scale: 1 };
        assert.ok(
          Number.isFinite(bernoulli(row).logLikelihood[0]),
          `${dimensions} logits of ${l}, x ${pixel}`,
        );
        assertLikelihood(row);
      }
    }
  }
});

test('extreme logits beside each other', () => {
  for (const dimensions of [5, 8, 40, 784, 4096]) {
    const likelihood = sample(dimensions, 2, 2, dimensions);
    likelihood.logits.forEach((_, i, logits) => {
      // A prime stride: each lane meets all of them.
      logits[i] = EXTREMES[(7 * i + (i >>> 3)) % EXTREMES.length]!;
    });
    assertLikelihood(likelihood);
  }
});

test('784 binary pixels err by less than 1.41e-4 nats: 3 · 2⁻²⁴ each', () => {
  for (let seed = 0; seed < 20; seed++) {
    const { logits, x } = sample(seed, 1, 1, 784);
    const row = { logits, x: x.map(Math.round), samples: 1, dimensions: 784, scale: 1 };
    const [expected] = bernoulliLogLikelihood(Float64Array.from(logits), Float64Array.from(row.x), 1, 784);
    const error = Math.abs(bernoulli(row).logLikelihood[0]! - expected!);
    assert.ok(error <= 3 * 784 * roundoff && 3 * 784 * roundoff < 1.41e-4, `seed ${seed}: ${error}`);
  }
});

test('up to seven black pixels: the logarithms of 1 + e in float64', () => {
  // In rows without eight pixels beside each other, the product and its logarithm are float64 throughout,
  // 2⁻⁴⁸. The logarithms and sums that they are compared with are as exact.
  const next = words(7);
  for (let dimensions = 1; dimensions <= 7; dimensions++) {
    const logits = Float32Array.from({ length: 500 * dimensions }, () => -(100 ** (next() / 2 ** 32)) + 1);
    const x = new Float32Array(logits.length);
    const e = elementary('expArray', logits);
    const { logLikelihood } = bernoulli({ logits, x, samples: 1, dimensions, scale: 1 });
    logLikelihood.forEach((actual, row) => {
      const own = Float64Array.from(e.subarray(row * dimensions, (row + 1) * dimensions), Math.log1p);
      const expected = -own.reduce((a, b) => a + b);
      const error = Math.abs(actual - expected);
      assert.ok(error <= -expected * 2 * 2 ** -48, `row ${row} of ${dimensions}: ${actual}, not ${expected}`);
    });
  }
});

test('an infinite logit: −∞ where the pixel is white and the logit −∞, else NaN; the gradient has its limit', () => {
  const { NEGATIVE_INFINITY, POSITIVE_INFINITY, NaN: nan } = Number;
  for (const dimensions of [1, 8, 13, 961]) {
    for (const [l, pixel, expected, slope] of [
      [NEGATIVE_INFINITY, 1, NEGATIVE_INFINITY, -1],
      [NEGATIVE_INFINITY, 0, nan, 0],
      [POSITIVE_INFINITY, 1, nan, 0],
      [POSITIVE_INFINITY, 0, nan, 1],
      [NEGATIVE_INFINITY, 0.25, NEGATIVE_INFINITY, -0.25],
      [POSITIVE_INFINITY, 0.25, nan, 0.75],
    ] as const) {
      const likelihood = { ...sample(6, 1, 1, dimensions), scale: 1 };
      for (const at of new Set([0, dimensions - 1])) {
        const logits = likelihood.logits.slice();
        const x = likelihood.x.slice();
        logits[at] = l;
        x[at] = pixel;
        const { logLikelihood, dLogits } = bernoulli({ ...likelihood, logits, x });
        assert.deepEqual([logLikelihood[0], dLogits[at]], [expected, slope], `${l}, x ${pixel}, place ${at}`);
      }
    }
  }
});

test('a NaN logit makes its row NaN, and no other', () => {
  for (const [dimensions, places] of [
    [5, [0, 3, 4]],
    [17, [2, 15, 16]],
    [1923, [959, 960, 1922]],
  ] as const) {
    for (const place of places) {
      const likelihood = sample(3, 3, 1, dimensions);
      likelihood.logits[dimensions + place] = Number.NaN;
      const { logLikelihood, dLogits } = bernoulli(likelihood);
      assert.deepEqual(Array.from(logLikelihood, Number.isNaN), [false, true, false]);
      assert.equal(dLogits.findIndex(Number.isNaN), dimensions + place);
      assert.equal(dLogits.findLastIndex(Number.isNaN), dimensions + place);
    }
  }
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

test('without a gradient the log-likelihoods have the same bits', () => {
  for (const dimensions of [7, 8, 784, 1923]) {
    const likelihood = sample(5, 4, 2, dimensions);
    assert.deepEqual(bernoulli(likelihood, false).logLikelihood, bernoulli(likelihood).logLikelihood);
  }
});
