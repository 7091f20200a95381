import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scalar, Variable } from '@tensorflow/tfjs-core';
import { assertSameBits } from '../kernels/kernelHarness.js';
import { real } from './gradientCases.js';
import { valuesOf } from './gradientRun.js';
import { tf, useBackend } from './onWasm.js';

const SHAPES = [[5, 7], [7], [1], [3, 4]] as const;

/**
 * Steps of Adam on a loss whose gradients have the same bits everywhere; it depends on the third variable in
 * odd steps.
 */
function adamSteps(steps: number): Float32Array[] {
  const variables = SHAPES.map((shape, i) =>
    tf.variable(tf.tensor(valuesOf(real(shape), i + 1), [...shape])),
  );
  const optimizer = tf.train.adam(0.01, 0.8, 0.99, 1e-7);
  for (let step = 0; step < steps; step++) {
    const { value, grads } = tf.variableGrads(() => loss(variables, step), variables);
    const gradients = variables.map((variable, i) => ({
      name: variable.name,
      tensor: (i === 2 && step > 0 && step % 2 === 0 ? null : grads[variable.name]) as Scalar,
    }));
    optimizer.applyGradients(gradients);
    tf.dispose([value, grads]);
  }
  const values = variables.map((variable) => Float32Array.from(variable.dataSync()));
  tf.dispose(variables);
  optimizer.dispose();
  return values;
}

function loss(variables: readonly Variable[], step: number): Scalar {
  const terms = variables.map((variable, i) => {
    const target = tf.tensor(valuesOf(real(variable.shape), 100 * step + i), variable.shape);
    return tf.sum(tf.square(tf.sub(variable, target)));
  });
  return tf.addN(terms) as Scalar;
}

// After 100 steps, 1 − β₁^t is 1 in float32.
for (const steps of [7, 100]) {
  test(`${steps} updates of Adam, each in one pass, have the bits of TensorFlow.js's sequence of operations`, async () => {
    await useBackend('cpu');
    const expected = adamSteps(steps);
    await useBackend('wasm');
    const actual = adamSteps(steps);
    actual.forEach((values, i) => {
      assertSameBits(values, expected[i]!, `variable ${i}`);
    });
  });
}

test('moments that fade become 0 before they are subnormal numbers, which processors are slow on', async () => {
  await useBackend('wasm');
  // A pair of vectors, a vector, and a rest.
  const variable = tf.variable(tf.ones([15]));
  const optimizer = tf.train.adam(0.01, 0.8, 0.85);
  for (let step = 0; step < 900; step++) {
    const weight = step < 2 ? 1 : 0;
    optimizer.minimize(() => tf.sum(tf.mul(variable, weight)) as Scalar);
  }
  const [, ...weights] = await optimizer.getWeights();
  assert.equal(weights.length, 2);
  for (const { tensor } of weights) assert.deepEqual(Array.from(tensor.dataSync()), Array(15).fill(0));
  assert.ok(variable.dataSync().every((value) => value < 0.98));
  tf.dispose(variable);
  optimizer.dispose();
});

test('updates leave no tensor and no memory behind', async () => {
  await useBackend('wasm');
  const variable = tf.variable(tf.zeros([64, 1024]));
  const optimizer = tf.train.adam(0.01);
  const step = () => optimizer.minimize(() => tf.sum(tf.square(tf.sub(variable, 1))) as Scalar);
  for (let i = 0; i < 3; i++) step();
  const tensors = tf.memory().numTensors;
  const heap = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.byteLength;
  const bytes = heap();
  // A leak of one update would be 256 KiB.
  for (let i = 0; i < 400; i++) step();
  assert.equal(tf.memory().numTensors, tensors);
  assert.ok(heap() - bytes <= 4 * 2 ** 20, `the heap grew by ${heap() - bytes} bytes`);
  assert.equal(optimizer.iterations, 403);
  tf.dispose(variable);
  optimizer.dispose();
});

test('a variable keeps its past: tensors that were cloned from it do not change with it', async () => {
  await useBackend('wasm');
  const variable = tf.variable(tf.ones([5]));
  const optimizer = tf.train.adam(0.5);
  const snapshots: Scalar[] = [];
  for (let i = 0; i < 4; i++) {
    snapshots.push(tf.clone(variable) as unknown as Scalar);
    optimizer.minimize(() => tf.sum(variable) as Scalar);
  }
  const values = snapshots.map((snapshot) => snapshot.dataSync()[0]!);
  assert.equal(values[0], 1);
  // Each step of Adam on a constant gradient goes down by the learning rate.
  for (let i = 1; i < 4; i++) assert.ok(values[i]! < values[i - 1]! - 0.4, `${values}`);
  tf.dispose([...snapshots, variable]);
  optimizer.dispose();
});

test('a clone and a cast to the same dtype share the data, and outlive what they were made from', async () => {
  await useBackend('wasm');
  const before = tf.memory();
  const x = tf.tensor1d([1, 2, 3]);
  const copies = [tf.clone(x), tf.cast(x, 'float32'), tf.clone(tf.cast(x, 'int32'))];
  x.dispose();
  // What takes freed memory would show in the copies.
  const others = Array.from({ length: 8 }, () => tf.fill([3], 9));
  for (const copy of copies) assert.deepEqual(Array.from(copy.dataSync()), [1, 2, 3]);
  tf.dispose([...copies, ...others]);
  // The cast to int32 that was cloned.
  assert.equal(tf.memory().numTensors - before.numTensors, 1);
});
