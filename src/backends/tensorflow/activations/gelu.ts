import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tfjs } from '../runtime.js';
import type { TensorActivation } from './tensorActivation.js';

/** Φ(x) = ½ (1 + erf(x / √2)). */
function normalCdf(tf: Tfjs, x: Tensor): Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** e^(−x²/2) / √(2π). */
function normalDensity(tf: Tfjs, x: Tensor): Tensor {
  return tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
}

export const gelu: TensorActivation = {
  forward: (tf, x) => tf.mul(x, normalCdf(tf, x)),
  gradient: (tf, d, x) => tf.mul(d, tf.add(normalCdf(tf, x), tf.mul(x, normalDensity(tf, x)))),
};
