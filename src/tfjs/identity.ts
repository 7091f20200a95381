// Copies that are none: stock TensorFlow.js copies the data, though tensors cannot be changed once they are
// made.

import type { TrainingKernel } from './trainingKernel.js';

function isPlain(dtype: string): boolean {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

const identity: TrainingKernel = {
  kernelName: 'Identity',
  run({ host, inputs: { x } }) {
    return x && isPlain(x.dtype) ? host.reshaped(x, x.shape) : undefined;
  },
};

const cast: TrainingKernel = {
  kernelName: 'Cast',
  run({ host, inputs: { x }, attrs: { dtype } }) {
    return x && isPlain(x.dtype) && x.dtype === dtype ? host.reshaped(x, x.shape) : undefined;
  },
};

export const IDENTITIES: readonly TrainingKernel[] = [identity, cast];
