// Densities of draws, and gradients weighted row by row: bits of the unweighted kernels where all rows count
// the same, and values against float64 within what roundings may add.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundedEstimatedBackward, boundedLogWeightGradient } from '../reference/boundedEstimators.js';
import { boundedNegativeLogRatios, boundedWeightedBackward } from '../reference/boundedImportance.js';
import { exact, float32 } from '../reference/rounding.js';
import { sampleFloats } from './float32.js';
import { backward, forward, type GaussianCase, sampleGaussian } from './gaussianCase.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

function logRatios({ posterior, epsilon, examples, samples, latent }: GaussianCase, z: Float32Array) {
  harness.reset();
  const inputs = {
    posterior: harness.input(posterior),
    epsilon: harness.input(epsilon),
    z: harness.input(z),
  };
  const out = harness.output(examples * samples * DOUBLE);
  harness.run((kernels) =>
    kernels.gaussianLogRatios({ ...inputs, examples, samples, latent, logRatio: out }),
  );
  return harness.doubles(out, examples * samples);
}

function weighted(gaussian: GaussianCase, z: Float32Array, weights: Float32Array): Float32Array {
  const { posterior, epsilon, dz, examples, samples, latent, beta } = gaussian;
  harness.reset();
  const inputs = {
    posterior: harness.input(posterior),
    epsilon: harness.input(epsilon),
    z: harness.input(z),
    dz: harness.input(dz),
    weights: harness.input(weights),
  };
  const out = harness.output(posterior.byteLength);
  harness.run((kernels) =>
    kernels.gaussianBackwardWeighted({ ...inputs, dPosterior: out, examples, samples, latent, beta }),
  );
  return harness.floats(out, posterior.length);
}

function* sizes(): Generator<GaussianCase> {
  for (let latent = 1; latent <= 9; latent++) {
    for (const samples of [1, 2, 5]) {
      for (const examples of [1, 3]) {
        yield sampleGaussian(10 * latent + samples, { examples, samples, latent }, 'monteCarlo');
      }
    }
  }
}

/** Not negative, and 1 in all for each example. */
function drawWeights({ examples, samples }: GaussianCase): Float32Array {
  const raw = sampleFloats(7, examples * samples).map(Math.abs);
  return raw.map((value, row) => {
    const first = Math.floor(row / samples) * samples;
    const sum = raw.subarray(first, first + samples).reduce((total, weight) => total + weight, 0);
    return value / sum;
  });
}

function assertWithin(
  actual: ArrayLike<number>,
  expected: { readonly value: Float64Array; readonly bound: Float64Array },
  what: string,
): void {
  expected.value.forEach((value, i) => {
    const error = Math.abs(actual[i]! - value);
    assert.ok(error <= expected.bound[i]!, `${what}[${i}] is off by ${error}, bound ${expected.bound[i]}`);
  });
}

test('gaussianLogRatios: of one sample minus the Monte-Carlo KL to the bit; of several within the bound', () => {
  for (const gaussian of sizes()) {
    const { posterior, epsilon, samples, latent } = gaussian;
    const { z, kl } = forward(gaussian);
    const actual = logRatios(gaussian, z);
    if (samples === 1)
      assert.deepEqual(
        actual,
        kl.map((value) => -value),
      );
    const expected = boundedNegativeLogRatios(
      exact(Float64Array.from(posterior)),
      Float64Array.from(epsilon),
      exact(Float64Array.from(z)),
      samples,
      latent,
      float32,
    );
    assertWithin(
      actual.map((value) => -value),
      expected,
      'log-ratio',
    );
  }
});

test('gaussianBackwardWeighted: with weights of 1 / K and one sample the bits of gaussianBackward; any weights within the bound', () => {
  for (const gaussian of sizes()) {
    const { posterior, epsilon, dz, samples, latent, beta } = gaussian;
    const { z } = forward(gaussian);
    if (samples === 1) {
      const ones = new Float32Array(gaussian.examples).fill(1);
      assertSameBits(weighted(gaussian, z, ones), backward(gaussian, z), 'dPosterior');
    }
    const weights = drawWeights(gaussian);
    // The kernel takes their sum for 1: it is, within the roundings of a quotient each.
    const sum = { value: Float64Array.from(weights), bound: weights.map((w) => w * 2 ** -23) };
    const expected = boundedWeightedBackward(
      exact(Float64Array.from(posterior)),
      Float64Array.from(epsilon),
      exact(Float64Array.from(z)),
      exact(Float64Array.from(dz)),
      { value: sum.value, bound: Float64Array.from(sum.bound) },
      samples,
      latent,
      beta,
      float32,
    );
    assertWithin(weighted(gaussian, z, weights), expected, 'dPosterior');
  }
});

test('gaussianBackwardEstimated: any weights and factors within the bound', () => {
  for (const gaussian of sizes()) {
    const { posterior, epsilon, dz, examples, samples, latent, beta } = gaussian;
    const { z } = forward(gaussian);
    const weights = drawWeights(gaussian);
    const [path, score] = [sampleFloats(8, weights.length), sampleFloats(9, weights.length)];
    harness.reset();
    const inputs = {
      posterior: harness.input(posterior),
      epsilon: harness.input(epsilon),
      z: harness.input(z),
      dz: harness.input(dz),
      weights: harness.input(weights),
      path: harness.input(path),
      score: harness.input(score),
    };
    const dPosterior = harness.output(posterior.byteLength);
    harness.run((kernels) =>
      kernels.gaussianBackwardEstimated({ ...inputs, dPosterior, examples, samples, latent, beta }),
    );
    const doubles = (values: Float32Array) => Float64Array.from(values);
    const expected = boundedEstimatedBackward({
      posterior: exact(doubles(posterior)),
      epsilon: doubles(epsilon),
      z: exact(doubles(z)),
      dz: exact(doubles(dz)),
      ...{ weights: doubles(weights), path: doubles(path), score: doubles(score) },
      ...{ samples, latent, beta, arithmetic: float32 },
    });
    assertWithin(harness.floats(dPosterior, posterior.length), expected, 'dPosterior');
  }
});

test('gaussianLogWeightGradient: within the bound, nothing behind the last row', () => {
  for (const gaussian of sizes()) {
    const { posterior, epsilon, dz, examples, samples, latent } = gaussian;
    const { z } = forward(gaussian);
    const scale = samples;
    harness.reset();
    const inputs = {
      posterior: harness.input(posterior),
      epsilon: harness.input(epsilon),
      z: harness.input(z),
      dz: harness.input(dz),
    };
    const gradient = harness.output(z.byteLength);
    harness.run((kernels) =>
      kernels.gaussianLogWeightGradient({ ...inputs, scale, gradient, examples, samples, latent }),
    );
    const bounded = (values: Float32Array) => exact(Float64Array.from(values));
    const expected = boundedLogWeightGradient({
      ...{ posterior: bounded(posterior), epsilon: bounded(epsilon), z: bounded(z), dz: bounded(dz) },
      ...{ scale, samples, latent, arithmetic: float32 },
    });
    assertWithin(harness.floats(gradient, z.length), expected, 'gradient');
  }
});

test('scaleRows: each row by its weight to the bit, and nothing behind the last one', () => {
  for (const columns of [1, 3, 4, 5, 8, 13]) {
    for (const rows of [1, 2, 5]) {
      const values = sampleFloats(columns, rows * columns);
      const weights = sampleFloats(columns + 50, rows);
      harness.reset();
      const place = harness.inPlace(values);
      const factors = harness.input(weights);
      harness.run((kernels) => kernels.scaleRows(place, factors, rows, columns));
      const expected = values.map((value, i) => value * weights[Math.floor(i / columns)]!);
      assertSameBits(harness.floats(place, rows * columns), expected, `${rows}×${columns}`);
    }
  }
});
