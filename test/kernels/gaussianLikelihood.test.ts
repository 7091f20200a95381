import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE } from '#src/kernels/address.js';
import {
  boundedGaussianLogLikelihood,
  boundedGaussianSlope,
} from '../reference/boundedGaussianLikelihood.js';
import { gaussianLogLikelihood } from '../reference/gaussianLikelihood.js';
import { exact, float32 } from '../reference/rounding.js';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

interface Rows {
  /** [examples, samples, dimensions]. */
  readonly means: Float32Array;
  /** [examples, dimensions]. */
  readonly x: Float32Array;
  readonly samples: number;
  readonly dimensions: number;
  readonly sigma: number;
  readonly scale: number;
}

const harness = new KernelHarness(1 << 20);

function likelihood({ means, x, samples, dimensions, sigma, scale }: Rows, withGradient = true) {
  harness.reset();
  const rows = means.length / dimensions;
  const [m, target] = [harness.input(means), harness.input(x)];
  const sums = harness.output(rows * Float64Array.BYTES_PER_ELEMENT);
  const gradient = withGradient ? harness.output(means.byteLength) : NONE;
  harness.run((kernels) =>
    kernels.gaussianLikelihood({
      means: m,
      x: target,
      rows,
      samples,
      dimensions,
      sigma,
      scale,
      logLikelihood: sums,
      dMeans: gradient,
    }),
  );
  return {
    logLikelihood: harness.doubles(sums, rows),
    dMeans: withGradient ? harness.floats(gradient, means.length) : new Float32Array(),
  };
}

function sampleRows(examples: number, samples: number, dimensions: number, sigma: number): Rows {
  return {
    means: sampleFloats(dimensions, examples * samples * dimensions),
    x: sampleFloats(dimensions + 1, examples * dimensions).map(Math.abs),
    samples,
    dimensions,
    sigma,
    scale: 1 / samples,
  };
}

for (const sigma of [0.001, 0.1, 1, 37]) {
  test(`σ = ${sigma}: rows and gradients within the bound of their roundings, at widths around the vector and 784`, () => {
    for (const dimensions of [1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 784]) {
      for (const samples of [1, 3]) {
        const rows = sampleRows(2, samples, dimensions, sigma);
        const actual = likelihood(rows);
        const [means, x] = [exact(Float64Array.from(rows.means)), Float64Array.from(rows.x)];
        // Row by row: each is an example of its own.
        const repeated = Float64Array.from(rows.means, (_, i) => {
          const row = Math.floor(i / dimensions);
          return x[Math.floor(row / samples) * dimensions + (i % dimensions)]!;
        });
        const expected = boundedGaussianLogLikelihood(means, repeated, 1, dimensions, float32, sigma);
        actual.logLikelihood.forEach((value, row) => {
          const error = Math.abs(value - expected.value[row]!);
          assert.ok(error <= expected.bound[row]!, `row ${row} of ${dimensions} is off by ${error}`);
        });
        const slopes = boundedGaussianSlope(means, x, samples, dimensions, rows.scale, float32, sigma);
        actual.dMeans.forEach((value, i) => {
          const error = Math.abs(value - slopes.value[i]!);
          assert.ok(error <= slopes.bound[i]!, `gradient ${i} of ${dimensions} is off by ${error}`);
        });
        const alone = likelihood(rows, false);
        assert.deepEqual(alone.logLikelihood, actual.logLikelihood, 'the same without a gradient');
      }
    }
  });
}

test('the gradient is that of the float64 density, by central differences', () => {
  const rows = { ...sampleRows(1, 1, 6, 0.3), scale: 1 };
  const { dMeans } = likelihood(rows);
  const [means, x] = [Float64Array.from(rows.means), Float64Array.from(rows.x)];
  const h = 2 ** -10;
  dMeans.forEach((actual, i) => {
    const moved = (by: number) => gaussianLogLikelihood(means.with(i, means[i]! + by), x, 1, 6, 0.3)[0]!;
    // Quadratic: central differences are exact but for roundings of numbers below 100, over h; and float32's
    // three.
    const slope = -(moved(h) - moved(-h)) / (2 * h);
    const allowed = (100 * 8 * 2 ** -53) / h + 4 * 2 ** -24 * Math.abs(slope) + 2 ** -24;
    assert.ok(Math.abs(actual - slope) <= allowed, `gradient ${i}: ${actual}, slope ${slope}`);
  });
});

test('a NaN makes its row NaN, and no other', () => {
  const rows = sampleRows(3, 1, 5, 0.1);
  const before = likelihood(rows);
  rows.means[5 + 2] = Number.NaN;
  const after = likelihood(rows);
  assert.deepEqual(Array.from(after.logLikelihood, Number.isNaN), [false, true, false]);
  assertSameBits(after.dMeans.slice(0, 5), before.dMeans.slice(0, 5), 'the first row');
});
