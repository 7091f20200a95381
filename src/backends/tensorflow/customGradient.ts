import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tfjs } from './runtime.js';

interface Differentiable {
  readonly value: Tensor;
  /** From the value's gradient, and what was saved, to the gradients of all inputs. */
  readonly gradients: (d: Tensor, saved: readonly Tensor[]) => Tensor[];
}

/**
 * An operation with a gradient of its own. TensorFlow.js disposes of all that was made on the way forward:
 * what the gradient needs must be saved, the operation's input included. It computes the gradients of all
 * `inputs`, so what needs no gradient should not be one.
 */
export function customGradient(
  tf: Tfjs,
  inputs: readonly Tensor[],
  forward: (save: (...tensors: Tensor[]) => void) => Differentiable,
): Tensor {
  return tf.customGrad((...given) => {
    // Behind the inputs.
    const save = given.at(-1) as unknown as (tensors: Tensor[]) => void;
    const { value, gradients } = forward((...tensors) => save(tensors));
    return { value, gradFunc: gradients };
  })(...inputs);
}
