import type { TrainingKernel } from './trainingKernel.js';

/** Dtypes whose data lies in the backend's memory as we read it. */
export function isPlain(dtype: string): boolean {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

/** Stock TensorFlow.js copies the data, though tensors cannot be changed once they are made. */
export const IDENTITY: TrainingKernel = {
  kernelName: 'Identity',
  run({ host, inputs: { x } }) {
    return x && isPlain(x.dtype) ? host.reshaped(x, x.shape) : undefined;
  },
};
