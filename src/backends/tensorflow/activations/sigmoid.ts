import type { TensorActivation } from './tensorActivation.js';

export const sigmoid: TensorActivation = {
  forward: (tf, x) => tf.sigmoid(x),
  gradient: (tf, d, y) => tf.mul(d, tf.mul(y, tf.sub(1, y))),
};
