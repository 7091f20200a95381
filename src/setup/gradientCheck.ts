// Run by the set-up in a process of its own, with the package's folder as its argument: loads tfjs-node,
// computes gradients whose numbers are known, and prints TensorFlow's version.
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { loadNativeFrom, setNativeEnvironment } from '../backends/tensorflow/native.js';

/**
 * Gradient of Σ y²/2 by the image and by the kernel, y = 1[3, 3] ∗ 1[3, 3] with zeros around: the same by
 * symmetry, and small whole numbers, which float32 has exactly.
 */
const EXPECTED = '25,35,25,35,49,35,25,35,25';

setNativeEnvironment();
const tf = loadNativeFrom(process.argv[2]!);
const image = tf.ones([1, 3, 3, 1]);
const kernel = tf.ones([3, 3, 1, 1]);
const loss = (x: Tensor, w: Tensor) =>
  tf.sum(tf.div(tf.square(tf.conv2d(x as Tensor4D, w as Tensor4D, 1, 'same')), 2));
for (const gradient of tf.grads(loss)([image, kernel])) {
  const found = gradient.dataSync().join();
  if (found !== EXPECTED) throw new Error(`a gradient is ${found}, but ${EXPECTED} is right`);
}
const { binding } = tf.backend() as unknown as { readonly binding: { readonly TF_Version: string } };
process.stdout.write(`${JSON.stringify({ tensorflow: binding.TF_Version })}\n`);
