// A thread of its own with TensorFlow.js and our kernels: posts a product, computed often, while others do
// the same.
import { parentPort } from 'node:worker_threads';
import { sampleValues } from './boundedProduct.js';
import { tf, useBackend } from './onWasm.js';

await useBackend('wasm');
const a = tf.tensor2d(sampleValues(40 * 70, 1), [40, 70]);
const b = tf.tensor2d(sampleValues(30 * 70, 2), [30, 70]);
const x = tf.tensor4d(sampleValues(8 * 9 * 9 * 8, 3), [8, 9, 9, 8]);
const filter = tf.tensor4d(sampleValues(3 * 3 * 8 * 16, 4), [3, 3, 8, 16]);
const results = () =>
  tf.tidy(() => [tf.matMul(a, b, false, true).dataSync(), tf.conv2d(x, filter, 1, 'same').dataSync()]);
const first = results();
for (let i = 0; i < 200; i++) {
  for (const [j, values] of results().entries()) {
    if (!Buffer.from(values.buffer).equals(Buffer.from(first[j]!.buffer)))
      throw new Error(`Run ${i} differs.`);
  }
}
parentPort?.postMessage(first);
