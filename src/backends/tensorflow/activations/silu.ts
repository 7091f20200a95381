import type { TensorActivation } from './tensorActivation.js';

export const silu: TensorActivation = {
  forward: (tf, x) => tf.mul(x, tf.sigmoid(x)),
  // σ(−x) in place of 1 − σ(x), in which the rounding of σ would be multiplied by x.
  gradient: (tf, d, x) => {
    const [s, other] = [tf.sigmoid(x), tf.sigmoid(tf.neg(x))];
    return tf.mul(d, tf.mul(s, tf.add(tf.mul(x, other), 1)));
  },
};
