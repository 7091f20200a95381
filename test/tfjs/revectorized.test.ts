// V8's flag for 256-bit operations holds for TensorFlow.js's own module, too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { registerTrainingKernels } from '#src/tfjs/index.js';

/**
 * Enough calls for V8 to optimise; each with other numbers, so that what an earlier call has left in memory
 * is wrong.
 */
const CALLS = 30;
const COUNT = 4096;

const exact: Readonly<Record<string, readonly [(x: tf.Tensor) => tf.Tensor, (x: number) => number]>> = {
  ceil: [tf.ceil, Math.ceil],
  relu6: [tf.relu6, (x) => Math.min(Math.max(x, 0), 6)],
  clipByValue: [(x) => tf.clipByValue(x, -2, 3), (x) => Math.min(Math.max(x, -2), 3)],
  floor: [tf.floor, Math.floor],
  neg: [tf.neg, (x) => -x],
};

test("TensorFlow.js's own kernels stay right beside re-vectorised ones", async () => {
  const warnings = registerTrainingKernels(tf, { revectorize: true });
  const node22 = process.versions.node.startsWith('22.');
  assert.equal(
    warnings.some((sentence) => sentence.startsWith('Nothing is re-vectorised:')),
    node22,
  );
  await tf.setBackend('wasm');
  for (let call = 0; call < CALLS; call++) {
    const values = Float32Array.from(
      { length: COUNT },
      (_, i) => (((i + 1) * (call + 7) * 37) % 1999) / 100 - 9.99,
    );
    const x = tf.tensor1d(values);
    for (const [name, [operation, reference]] of Object.entries(exact)) {
      const y = operation(x).dataSync();
      values.forEach((value, i) => {
        assert.equal(y[i], Math.fround(reference(value)), `${name}(${value}), element ${i}`);
      });
    }
    const sigmoid = tf.sigmoid(x).dataSync();
    values.forEach((value, i) => {
      // XNNPACK states 2 units in the last place; a value left out is off by more than 1e-5.
      assert.ok(
        Math.abs(sigmoid[i]! - 1 / (1 + Math.exp(-value))) <= 2 ** -21,
        `sigmoid(${value}), element ${i}`,
      );
    });
  }
});
