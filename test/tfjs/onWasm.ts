// TensorFlow.js with its plain backend and, after `registerTrainingKernels`, the backend `wasm` that trains.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
// Registers the gradients: tfjs-core's own Node bundle does not.
import '@tensorflow/tfjs-layers';
import { registerTrainingKernels } from '#src/tfjs/index.js';

registerTrainingKernels(tf);

export { tf };

export async function useBackend(backend: 'wasm' | 'cpu'): Promise<void> {
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js could not start its backend '${backend}'.`);
}
