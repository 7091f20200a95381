import type { TensorActivation } from './tensorActivation.js';

export const relu: TensorActivation = {
  forward: (tf, x) => tf.relu(x),
  gradient: (tf, d, y) => tf.mul(d, tf.step(y)),
};
