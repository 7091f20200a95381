// A program: four threads load tfjs-node and compute their first operations at the same moment.
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { loadNative, prepareNative } from '#src/backends/tensorflow/native.js';

const THREADS = 4;

if (isMainThread) {
  prepareNative();
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  for (let i = 0; i < THREADS; i++) new Worker(new URL(import.meta.url), { workerData: gate });
} else {
  const tf = loadNative();
  const x = tf.ones([2, 12, 12, 2]);
  const w = tf.ones([3, 3, 2, 4]);
  const last = tf.ones([36, 3]);
  const loss = (...[image, kernel]: Tensor[]) => {
    const map = tf.maxPool(tf.conv2d(image as Tensor4D, kernel as Tensor4D, 2, 'same'), 2, 2, 'same');
    return tf.sum(tf.softplus(tf.matMul(tf.reshape(map, [2, -1]), last)));
  };
  const gate = workerData as Int32Array;
  const others = Atomics.add(gate, 0, 1) + 1;
  if (others === THREADS) Atomics.notify(gate, 0);
  // All wake at once: sooner would mean one by one, as they arrive.
  else
    for (let arrived = others; arrived < THREADS; arrived = Atomics.load(gate, 0))
      Atomics.wait(gate, 0, arrived);
  for (const gradient of tf.grads(loss)([x, w])) gradient.dataSync();
  tf.topk(tf.ones([4, 4]), 2);
  tf.concat([x, x]);
}
