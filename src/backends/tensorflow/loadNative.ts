import { loadNative } from './native.js';
import type { TfjsRuntime } from './runtime.js';

/**
 * TensorFlow's C library through tfjs-node. The main thread must have prepared it (native.ts).
 * @throws UsageError where it is missing or does not load.
 */
export async function loadTensorflow(): Promise<TfjsRuntime> {
  const tf = loadNative();
  if (!(await tf.setBackend('tensorflow'))) {
    throw new Error("TensorFlow.js's backend tensorflow did not start.");
  }
  return {
    tf,
    name: 'native',
    tfjsName: 'tensorflow',
    read: (tensor) => tensor.dataSync<'float32'>(),
  };
}
