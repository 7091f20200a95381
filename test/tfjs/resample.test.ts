import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { gamma } from '../kernels/float32.js';
import { real } from './gradientCases.js';
import { valuesOf } from './gradientRun.js';
import { tf, useBackend } from './onWasm.js';

const cases = fc.record({
  height: fc.integer({ min: 1, max: 4 }),
  width: fc.integer({ min: 1, max: 4 }),
  outHeight: fc.integer({ min: 1, max: 8 }),
  outWidth: fc.integer({ min: 1, max: 8 }),
  channels: fc.constantFrom(1, 3, 4, 6),
  // At most one of them: tfjs-core refuses both.
  centring: fc.constantFrom('corners', 'half', 'none'),
  seed: fc.nat(),
});

for (const name of ['resizeNearestNeighbor', 'resizeBilinear'] as const) {
  test(`${name}: the gradient is the transpose of TensorFlow.js's forward pass`, async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ height, width, outHeight, outWidth, channels, centring, seed }) => {
        const shape = [2, height, width, channels];
        const outShape = [2, outHeight, outWidth, channels];
        const run = (x: Tensor) =>
          tf.image[name](x as Tensor4D, [outHeight, outWidth], centring === 'corners', centring === 'half');
        const dy = valuesOf(real(outShape), seed);
        await useBackend('cpu');
        const x = valuesOf(real(shape), seed + 1);
        const value = tf.tidy(() => run(tf.tensor(x, shape)).dataSync());
        const expected = tf.tidy(() => x.map((_, i) => dot(dy, run(unit(shape, i)).dataSync())));
        await useBackend('wasm');
        const actual = tf.tidy(() => ({
          value: run(tf.tensor(x, shape)).dataSync(),
          gradient: tf.grad(run)(tf.tensor(x, shape), tf.tensor(dy, outShape)).dataSync(),
        }));
        // |dy| < 2, weights of at most 1. Positions up to 8 are rounded in float32 on one backend, in float64
        // on the other.
        const terms = outHeight * outWidth;
        const weight = 8 * gamma(8);
        assertWithin(actual.gradient, expected, 2 * terms * (gamma(terms + 8) + weight), 'gradient');
        assertWithin(actual.value, value, 4 * (gamma(8) + weight), 'value');
      }),
      { numRuns: 40 },
    );
  });
}

function unit(shape: number[], at: number): Tensor {
  const values = new Float32Array(shape.reduce((size, extent) => size * extent, 1));
  values[at] = 1;
  return tf.tensor(values, shape);
}

function dot(a: readonly number[], b: ArrayLike<number>): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function assertWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    assert.ok(error <= bound, `${what}[${i}] is ${actual[i]}, expected ${expected[i]} within ${bound}`);
  }
}
