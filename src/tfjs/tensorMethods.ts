// Methods of tensors that only the package @tensorflow/tfjs adds, and that tfjs-core and tfjs-layers call all
// the same: the default initializer of recurrent layers, gradients, metrics.

import type { TensorFlow } from './tensorflow.js';

/** They have the name of the operation, with the tensor as its first argument. */
const METHODS = [
  'div',
  'mean',
  'reshape',
  'sign',
  'slice',
  'split',
  'square',
  'stridedSlice',
  'sub',
  'sum',
  'transpose',
] as const;

type Method = (this: { readonly size: number }, ...rest: unknown[]) => unknown;

/** Adds them where they are missing, for all tensors of this TensorFlow.js. */
export function addTensorMethods(tf: TensorFlow): void {
  const prototype = tf.Tensor.prototype as Record<string, unknown>;
  const operations = tf as unknown as Record<string, (...args: unknown[]) => unknown>;
  const add = (name: string, method: Method) => {
    if (!(name in prototype)) {
      Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
    }
  };
  for (const name of METHODS) {
    add(name, function (...rest) {
      return operations[name]?.(this, ...rest);
    });
  }
  add('flatten', function () {
    return operations.reshape?.(this, [this.size]);
  });
}
