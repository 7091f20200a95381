import type { TensorActivation } from './tensorActivation.js';

export const tanh: TensorActivation = {
  forward: (tf, x) => tf.tanh(x),
  gradient: (tf, d, y) => tf.mul(d, tf.sub(1, tf.square(y))),
};
