import { dirname, sep } from 'node:path';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { Tensor } from '@tensorflow/tfjs-core';
import { choosePlatform, type PlatformOptions } from '../../kernels/platform.js';
import { Host } from '../../tfjs/host.js';
import { registerTrainingKernels } from '../../tfjs/register.js';
import type { WasmBackend } from '../../tfjs/tensorflow.js';
import { DENSE_GRADIENTS, registerDenseGradients } from './denseGradients.js';
import { peerFile, requirePeers } from './peers.js';
import type { TfjsRuntime } from './runtime.js';

/**
 * TensorFlow.js's backend wasm with our training kernels, on this thread alone.
 * @param options of our kernels: mode and tile, and whether V8 was told to re-vectorise.
 * @throws UsageError where a package is missing.
 */
export async function loadWasm(options: PlatformOptions): Promise<TfjsRuntime> {
  requirePeers('wasm');
  const tf = await import('@tensorflow/tfjs-core');
  const { setThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  // Beside its JavaScript; nothing is fetched.
  setWasmPaths(dirname(peerFile('@tensorflow/tfjs-backend-wasm')) + sep);
  setThreadsCount(1);
  registerTrainingKernels(tf, options);
  if (!(await tf.setBackend('wasm'))) {
    throw new Error("TensorFlow.js's backend wasm did not start: its module did not load or compile.");
  }
  const backend = tf.backend() as BackendWasm;
  registerDenseGradients(tf, new Host(backend as unknown as WasmBackend, choosePlatform(options)));
  return {
    tf,
    name: 'wasm',
    tfjsName: 'wasm',
    denseGradients: DENSE_GRADIENTS,
    fuses: true,
    copiesArrays: true,
    // In place of a copy: no operation, so no growth of the memory, comes in between.
    read: (tensor: Tensor) => backend.typedArrayFromHeap(tensor) as Float32Array,
  };
}
