// TensorFlow.js's gradient of ReLU is dy · step(x): two passes, and a tensor in between. Here it is one.

import { sizeOf } from './host.js';
import type { GradientConfig, TensorFlow } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

export const RELU_GRADIENT_NAME = 'LowerboundReluGradient';

/** `dy`, and ReLU's input or output `x` → dy where x > 0, else 0; NaN where x is. */
export const RELU_GRADIENT: TrainingKernel = {
  kernelName: RELU_GRADIENT_NAME,
  run({ host, inputs: { x, dy } }) {
    if (x?.dtype !== 'float32' || dy?.dtype !== 'float32') return undefined;
    const { tensor, address } = host.output(x.shape);
    host.kernels.reluGradient(host.address(x), host.address(dy), address, sizeOf(x.shape));
    return tensor;
  },
};

/** The gradients that ours have replaced, so that registering twice does not stack. */
const originals = new WeakMap<GradientConfig['gradFunc'], GradientConfig>();

/** Lets tf.relu use it on the backend `wasm`; nothing where no gradient of tf.relu is registered. */
export function replaceReluGradient(tf: TensorFlow): void {
  const current = tf.getGradient('Relu') as GradientConfig | undefined;
  if (current === undefined) return;
  const original = originals.get(current.gradFunc) ?? current;
  const gradFunc: GradientConfig['gradFunc'] = (dy, saved, attrs) => {
    const x = saved[0];
    if (tf.getBackend() !== 'wasm' || x?.dtype !== 'float32' || dy.dtype !== 'float32') {
      return original.gradFunc(dy, saved, attrs);
    }
    return { x: () => tf.engine().runKernel(RELU_GRADIENT_NAME, { x, dy }) };
  };
  originals.set(gradFunc, original);
  tf.unregisterGradient('Relu');
  tf.registerGradient({ ...original, gradFunc });
}
