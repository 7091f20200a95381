import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tfjs } from '../runtime.js';

/** A likelihood over TensorFlow.js, value by value: outputs of the decoder [n, K, D], x [n, 1, D]. */
export interface TfjsLikelihood {
  /** log p(x_i|z_k), nats: [n, K, D]. */
  terms(tf: Tfjs, outputs: Tensor, x: Tensor): Tensor;
  /** d(terms)/d(outputs), [n, K, D]. */
  slopes(tf: Tfjs, outputs: Tensor, x: Tensor): Tensor;
}
