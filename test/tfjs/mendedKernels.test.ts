// Forward passes that stock TensorFlow.js computes wrongly on `wasm`, silently: against the backend `cpu`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs-core';
import { gamma } from '../kernels/float32.js';
import { real } from './gradientCases.js';
import { tensorOf } from './gradientRun.js';
import { tf, useBackend } from './onWasm.js';

const numbers = [-300.7, -2.7, -0.3, -0, 0, 0.4, 1, 1.9, 256];

function whole(shape: readonly number[]): Tensor {
  return tensorOf(tf, { shape, low: -9, high: 9, kind: 'integers' }, 1);
}

/** The error of as few roundings as an interpolation has. */
const cases: Record<string, () => Tensor> = {
  'cast float32 to bool': () => tf.cast(tf.tensor1d([...numbers, Number.NaN]), 'bool'),
  'cast int32 to bool': () => tf.cast(tf.tensor1d([-256, -2, 0, 1, 256, 300], 'int32'), 'bool'),
  'cast bool to float32 and back': () =>
    tf.cast(tf.cast(tf.cast(tf.tensor1d(numbers), 'bool'), 'float32'), 'bool'),
  'cast float32 to int32': () => tf.cast(tf.tensor1d(numbers), 'int32'),
  'clipByValue of whole numbers': () => tf.clipByValue(whole([5, 7]), -3, 4),
  'clipByValue of whole numbers at halves': () => tf.clipByValue(whole([5, 7]), -2.5, 3.5),
  'clipByValue of real numbers': () => tf.clipByValue(tensorOf(tf, real([5, 7]), 1), -0.5, 0.7),
  'reverse of three axes': () => tf.reverse(tensorOf(tf, real([3, 4, 5]), 1)),
  'reverse of two axes, bool': () =>
    tf.reverse(tensorOf(tf, { shape: [3, 5, 2], low: 0, high: 2, kind: 'truth' }, 1), [0, 2]),
  'reverse of two axes, int32': () => tf.reverse(whole([3, 5, 2]), [1, -1]),
};
for (const alpha of [[4], [3, 4], [3, 1], [2, 1, 1], [1, 3, 1], [2, 1, 4], [2, 3, 4], [1, 1, 4], [1], []]) {
  cases[`prelu of [2,3,4] with slopes of [${alpha}]`] = () =>
    tf.prelu(tensorOf(tf, real([2, 3, 4]), 1), tensorOf(tf, real(alpha, 0, 1), 2));
}
for (const method of ['bilinear', 'nearest'] as const) {
  for (const width of [1, 2, 3, 6]) {
    for (const crop of [
      [1, 1],
      [3, 2],
      [5, 3],
      [6, 6],
    ] as const) {
      // No position lies half-way between two pixels, where the backends round differently.
      cases[`cropAndResize of width ${width} to ${crop.join(' × ')}, ${method}`] = () =>
        tf.image.cropAndResize(
          tensorOf(tf, real([2, 5, width, 2]), 1) as never,
          tf.tensor2d(
            [-0.21, 0.31, 0.61, 1.29, 0, 0, 1, 1, 0.11, 0.23, 0.91, 0.87, 0.13, 0.1, 0.2, 0.17],
            [4, 4],
          ),
          tf.tensor1d([0, 1, 1, 0], 'int32'),
          [...crop],
          method,
          -7,
        );
    }
  }
}

for (const [name, run] of Object.entries(cases)) {
  test(name, async () => {
    const results = [];
    for (const backend of ['cpu', 'wasm'] as const) {
      await useBackend(backend);
      results.push(
        tf.tidy(() => {
          const y = run();
          return { shape: y.shape, dtype: y.dtype, values: [...y.dataSync()] };
        }),
      );
    }
    const [expected, actual] = results;
    assert.deepEqual([actual!.shape, actual!.dtype], [expected!.shape, expected!.dtype]);
    // Positions of a crop are products and sums of numbers up to 6: three roundings, of values up to 2.
    const bound = expected!.dtype === 'float32' ? gamma(12) * 6 * 2 * 4 : 0;
    expected!.values.forEach((value, i) => {
      const error = Math.abs(actual!.values[i]! - value);
      assert.ok(error <= bound, `[${i}] is ${actual!.values[i]}, expected ${value} within ${bound}`);
    });
  });
}
