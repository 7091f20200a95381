import type { TensorActivation } from './tensorActivation.js';

export const leakyRelu: TensorActivation = {
  forward: (tf, x, { slope }) => tf.leakyRelu(x, slope),
  gradient: (tf, d, y, { slope }) => tf.mul(d, tf.step(y, slope)),
};
