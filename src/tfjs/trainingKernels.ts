import { CONVOLUTION_KERNELS } from './conv2d.js';
import { EINSUM } from './einsum.js';
import { MATRIX_KERNELS } from './matMul.js';
import { RELU_GRADIENT } from './reluGradient.js';
import { TENSOR_KERNELS } from './tensorKernels.js';
import type { TrainingKernel } from './trainingKernel.js';

/** All kernels that `registerTrainingKernels` registers. */
export const TRAINING_KERNELS: readonly TrainingKernel[] = [
  ...MATRIX_KERNELS,
  ...CONVOLUTION_KERNELS,
  ...TENSOR_KERNELS,
  EINSUM,
  RELU_GRADIENT,
];
