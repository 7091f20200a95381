import { test } from 'node:test';
import { float32, gamma } from '../reference/rounding.js';
import { assertWithin, sampleValues } from './boundedProduct.js';
import { tf, useBackend } from './onWasm.js';

test('gradients of gradients go through ReLU and sums', async () => {
  await useBackend('wasm');
  const values = sampleValues(33, 1);
  // f = Σ relu(x) x², so f' = 3 x² and (Σ f'²)' = 36 x³ where x > 0, else 0.
  const slope = tf.grad((x) => tf.sum(tf.mul(tf.relu(x), tf.square(x))));
  const curvature = tf.grad((x) => tf.sum(tf.square(slope(x))));
  const actual = curvature(tf.tensor1d(values)).dataSync();
  const value = (i: number) => (values[i]! > 0 ? 36 * values[i]! ** 3 : 0);
  // A sum of a dozen products of up to six factors, each rounded.
  const bound = (i: number) => gamma(float32, 72) * Math.abs(value(i));
  assertWithin(actual, { size: values.length, value, bound }, 'second derivative');
});
