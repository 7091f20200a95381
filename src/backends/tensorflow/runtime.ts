import type { Tensor } from '@tensorflow/tfjs-core';
import type { BackendName } from '../backend.js';

/** TensorFlow.js: tfjs-core, or tfjs-node, which has the same operations. */
export type Tfjs = typeof import('@tensorflow/tfjs-core');

export type TfjsBackendName = Exclude<BackendName, 'simd'>;

/** TensorFlow.js with one of its backends loaded, in one thread. */
export interface TfjsRuntime {
  readonly name: TfjsBackendName;
  readonly tf: Tfjs;
  /** As TensorFlow.js calls the backend. */
  readonly tfjsName: 'wasm' | 'cpu' | 'tensorflow';
  /**
   * Name of a kernel that gives each shard of a dense layer a sum of its own (denseGradients.ts). Without it
   * all examples have one sum.
   */
  readonly denseGradients?: string;
  /**
   * Whether there are kernels that TensorFlow.js lacks: LowerboundReluGradient, and a bias and ReLU in
   * Conv2DBackpropInput.
   */
  readonly fuses?: true;
  /**
   * Whether arrays that become tensors are copied at once; else they are kept, and perhaps read by other
   * threads.
   */
  readonly copiesArrays?: true;
  /**
   * The values of a float32 tensor, to be read before the next operation: perhaps a view of the backend's
   * memory.
   */
  read(tensor: Tensor): Float32Array;
}

/** Makes the runtime's backend the one that operations run on: a process may have loaded several. */
export function activate({ tf, tfjsName }: TfjsRuntime): void {
  if (tf.getBackend() === tfjsName) return;
  // If the backend is loaded, all is done when the call returns.
  void tf.setBackend(tfjsName);
}
