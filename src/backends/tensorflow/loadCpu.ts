import { requirePeers } from './peers.js';
import type { TfjsRuntime } from './runtime.js';

/**
 * TensorFlow.js's backend in plain JavaScript.
 * @throws UsageError where a package is missing.
 */
export async function loadCpu(): Promise<TfjsRuntime> {
  requirePeers('cpu');
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-cpu');
  // It would recommend tfjs-node otherwise, on standard error, when first used.
  tf.enableProdMode();
  await tf.setBackend('cpu');
  return {
    tf,
    name: 'cpu',
    tfjsName: 'cpu',
    read: (tensor) => tensor.dataSync<'float32'>(),
  };
}
