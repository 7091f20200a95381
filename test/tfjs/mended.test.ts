// Gradients that the training kernels mend or add, against the backend `cpu` or central differences.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rank, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { gamma } from '../kernels/float32.js';
import { byDifferences, DIFFERENCE_NOISE } from './gradientReference.js';
import { runGradient, tensorOf } from './gradientRun.js';
import { type MendedCase, mendedCases } from './mendedCases.js';
import { tf, useBackend } from './onWasm.js';

for (const each of mendedCases) {
  test(`${each.kernel}: ${each.name}`, async () => {
    await useBackend('cpu');
    const { equivalent } = each;
    const expected = equivalent ? runGradient(tf, { ...each, run: equivalent }) : byDifferences(tf, each);
    await useBackend('wasm');
    const actual = runGradient(tf, each);
    assertClose(actual.value, expected.value, each, 1, 'value');
    each.inputs.forEach((_, i) => {
      const noise = equivalent ? 1 : DIFFERENCE_NOISE;
      assertClose(actual.gradients[i]!, expected.gradients[i]!, each, noise, `gradient ${i}`);
    });
  });
}

test('nothing is left behind by mended gradients, and by kernels outside of tf.tidy', async () => {
  await useBackend('wasm');
  const count = () => ({ tensors: tf.memory().numTensors, data: tf.engine().backend.numDataIds() });
  for (const each of mendedCases) {
    const before = count();
    runGradient(tf, each);
    assert.deepEqual(count(), before, each.name);
    const inputs = each.inputs.map((spec, i) => tensorOf(tf, spec, i));
    const around = count();
    const outputs = tf.tidy(() => each.run(tf, inputs, []));
    assert.equal(count().tensors, around.tensors + 1, each.name);
    tf.dispose([...inputs, outputs]);
    assert.deepEqual(count(), before, each.name);
  }
  const operands = [tf.ones([2, 3]), tf.ones([3, 4])];
  const before = count();
  tf.dispose(tf.einsum('ij,jk->k', ...operands));
  assert.deepEqual(count(), before, 'einsum');
});

test('divNoNan has no gradient where it divides by zero', async () => {
  await useBackend('wasm');
  const [a, b] = [tf.tensor1d([1, 2, 0, 3]), tf.tensor1d([0, 2, 0, 4])];
  const [da, db] = tf.grads((x, y) => tf.divNoNan(x, y))([a, b]);
  assert.deepEqual([...da!.dataSync()], [0, 0.5, 0, 0.25]);
  assert.deepEqual([...db!.dataSync()], [0, -0.5, 0, -0.1875]);
});

test('oneHot writes the dtype that it is asked for, and no byte more', async () => {
  await useBackend('wasm');
  for (const dtype of ['float32', 'bool', 'int32'] as const) {
    const around = [tf.ones([16]), tf.ones([16])];
    const indices = tf.tensor1d([2, 0, 5], 'int32');
    const y = tf.oneHot(indices, 3, 1, 0, dtype);
    const behind = tf.ones([16]);
    assert.equal(y.dtype, dtype);
    assert.deepEqual([...y.dataSync()], [0, 0, 1, 1, 0, 0, 0, 0, 0]);
    tf.oneHot(indices, 3, 1, 0, dtype);
    for (const each of [...around, behind]) assert.deepEqual([...each.dataSync()], Array(16).fill(1));
  }
  const y = tf.oneHot(tf.tensor1d([1], 'int32'), 3, 2.5, -0.5, 'float32');
  assert.deepEqual([...y.dataSync()], [-0.5, 2.5, -0.5]);
});

test('a gradient of a gradient goes through a dilated convolution', async () => {
  await useBackend('wasm');
  const x = tf.ones<Rank.R4>([1, 4, 4, 1]);
  const filter = tf.ones<Rank.R4>([2, 2, 1, 1]);
  const convolved = (each: Tensor) => tf.conv2d(each as Tensor4D, filter, 1, 'valid', 'NHWC', 2);
  // ½ Σ y² has the gradient Cᵀ C x, whose sum has the gradient Cᵀ C 1: the same here, where x is 1.
  const slope = tf.grad((each) => tf.mul(0.5, tf.sum(tf.square(convolved(each)))));
  const curvature = tf.grad((each) => tf.sum(slope(each)));
  assert.deepEqual([...curvature(x).dataSync()], [...slope(x).dataSync()]);
});

/**
 * As in gradients.test.ts: no number is a sum of more terms than its largest tensor has, or goes through more
 * than 16 other roundings, on either side; terms are no larger than four times the largest of the results and
 * inputs.
 */
function assertClose(
  actual: Float32Array,
  expected: Float32Array,
  { inputs }: MendedCase,
  noise: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  const sizes = inputs.map(({ shape }) => shape.reduce((product, extent) => product * extent, 1));
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const bound = 2 * gamma(Math.max(...sizes, expected.length) + 16) * 4 * largest * noise;
  expected.forEach((value, i) => {
    const error = Math.abs(actual[i]! - value);
    assert.ok(error <= bound, `${what}[${i}] is ${actual[i]}, expected ${value} within ${bound}`);
  });
}
