// TensorFlow.js with its backend `wasm` as it comes, and a way back to it after our kernels were registered.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';

export { tf };

const stock = [...tf.getKernelsForBackend('wasm')];

export function restoreKernels(): void {
  for (const { kernelName } of [...tf.getKernelsForBackend('wasm')]) tf.unregisterKernel(kernelName, 'wasm');
  for (const kernel of stock) tf.registerKernel(kernel);
}

export async function useBackend(backend: 'wasm'): Promise<void> {
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js could not start its backend '${backend}'.`);
}
