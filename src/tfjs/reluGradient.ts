// TensorFlow.js's gradient of ReLU is dy · step(x): two passes, and a tensor in between. Here it is one.

import { sizeOf } from './host.js';
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
