import type { Tensor } from '@tensorflow/tfjs-core';
import type { Settings } from '../../../model/activations/activation.js';
import type { Tfjs } from '../runtime.js';

/** An activation by TensorFlow.js's operations. */
export interface TensorActivation {
  forward(tf: Tfjs, x: Tensor, settings: Settings): Tensor;
  /** @param saved the output, or the input where the activation's gradient needs it (model/activations). */
  gradient(tf: Tfjs, d: Tensor, saved: Tensor, settings: Settings): Tensor;
}
