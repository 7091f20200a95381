import type { TensorActivation } from './tensorActivation.js';

export const silu: TensorActivation = {
  forward: (tf, x) => tf.mul(x, tf.sigmoid(x)),
  gradient: (tf, d, x) => {
    const s = tf.sigmoid(x);
    return tf.mul(d, tf.mul(s, tf.add(tf.mul(x, tf.sub(1, s)), 1)));
  },
};
