// What the checks say, and what they put right, through TensorFlow.js's own operations.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { WasmBackend } from '#src/tfjs/tensorflow.js';
import { HeapGuards } from './heapGuards.js';
import { tf, useBackend } from './onWasm.js';

let guards: HeapGuards;

before(async () => {
  await useBackend('wasm');
  guards = new HeapGuards((tf.backend() as unknown as WasmBackend).wasm);
});

function valuesOf(run: () => Tensor): number[] {
  return tf.tidy(() => [...run().dataSync()]);
}

test('cumprod counts a negative axis from the end, and writes nothing else', () => {
  for (let i = 0; i < 5; i++) {
    const products = valuesOf(() => tf.cumprod(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), -1));
    assert.deepEqual(products, [1, 2, 6, 4, 20, 120]);
    assert.deepEqual(guards.takeDamage(true), []);
  }
});

test('a window of 3 × 1 with a number for the padding stays within its image', () => {
  const x = () => tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 3, 2, 1]) as Tensor4D;
  assert.deepEqual(
    valuesOf(() => tf.maxPool(x(), [3, 1], 1, 0)),
    [5, 6],
  );
  assert.deepEqual(
    valuesOf(() => tf.avgPool(x(), [3, 1], 1, 0)),
    [3, 4],
  );
  assert.throws(() => tf.maxPool(x(), [3, 1], 1, 1), {
    message: 'MaxPool: with this padding, a window of 1 over 2 elements would hold padding alone.',
  });
  assert.deepEqual(guards.takeDamage(true), []);
});

const refusals: readonly (readonly [string, () => unknown, string])[] = [
  [
    'an axis that is none',
    () => tf.cumprod(tf.ones([2, 3]), 2),
    'Cumprod: axis 2 is no axis of a tensor of shape [2, 3], whose axes are the whole numbers -2 to 1.',
  ],
  [
    'an axis between two',
    () => tf.engine().runKernel('Reverse', { x: tf.ones([2, 3]) }, { dims: [0.5] }),
    'Reverse: axis 0.5 is no axis of a tensor of shape [2, 3], whose axes are the whole numbers -2 to 1.',
  ],
  [
    'an axis that is named twice',
    () => tf.sum(tf.ones([2, 3]), [1, -1]),
    'Sum: the axes [1, -1] name one axis twice.',
  ],
  [
    'sizes that do not sum',
    () => tf.split(tf.ones([4]), [1, 2]),
    'SplitV: the sizes [1, 2] do not sum to 4, the axis 0 of a tensor of shape [4]; one of them may be -1, for what is left.',
  ],
  [
    'a vector in a product',
    () => tf.engine().runKernel('BatchMatMul', { a: tf.ones([3]), b: tf.ones([3, 2]) }, {}),
    "BatchMatMul: 'a' of shape [3] is no matrix: reshape it to two axes.",
  ],
  [
    'batchDims that do not fit',
    () => tf.gather(tf.ones([2, 3]), tf.zeros([3, 1], 'int32'), 1, 1),
    "GatherV2: the first 1 axes (batchDims) of 'x' and 'indices', of shapes [2, 3] and [3, 1], must be the same, and no more than axis 1.",
  ],
  [
    'an index that is none',
    () => tf.scatterND(tf.tensor2d([[4]], [1, 1], 'int32'), tf.ones([1]), [4]),
    "ScatterNd: 'indices' holds the index 4, and only 0 to 3 exist there.",
  ],
  [
    'a size beyond all memory',
    () => tf.fill([2 ** 20, 2 ** 20], 1),
    "A tensor of 4398046511104 bytes cannot be made in the memory of TensorFlow.js's wasm backend, which holds 4 GiB: " +
      'a size is not a whole number from 0 on, or too large.',
  ],
];

for (const [name, run, message] of refusals) {
  test(`${name} is refused by a sentence`, () => {
    tf.tidy(() => assert.throws(run as () => void, { name: 'Error', message }));
    assert.deepEqual(guards.takeDamage(true), []);
  });
}

test('what is refused leaves no tensor behind', () => {
  const count = tf.memory().numTensors;
  for (const [, run] of refusals) tf.tidy(() => assert.throws(run as () => void));
  assert.equal(tf.memory().numTensors, count);
});
