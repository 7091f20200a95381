import { TENSOR_KERNELS } from './tensorKernels.js';
import type { TrainingKernel } from './trainingKernel.js';

/** All kernels that `registerTrainingKernels` registers. */
export const TRAINING_KERNELS: readonly TrainingKernel[] = TENSOR_KERNELS;
