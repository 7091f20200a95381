import type { TensorFlow } from './tensorflow.js';

/** Classes that are mended already. */
const mended = new WeakSet<object>();

/**
 * Mends a class of tfjs-layers, once. It is found where tfjs-core keeps the classes of layers; where tfjs-
 * layers is not loaded, there is nothing to mend.
 * @param name the class's own, e.g. `Resizing`.
 * @param mend replaces methods of the prototype, for models that exist as well.
 */
export function mendLayer<Prototype>(
  tf: TensorFlow,
  name: string,
  mend: (prototype: Prototype) => void,
): void {
  const [layer] = tf.serialization.SerializationMap.getMap().classNameMap[name] ?? [];
  if (typeof layer !== 'function' || mended.has(layer)) return;
  mended.add(layer);
  mend(layer.prototype as Prototype);
}

/** A model gives its layers a list of one tensor, a caller the tensor itself. */
export function onlyTensor<Tensor>(inputs: Tensor | readonly Tensor[]): Tensor {
  return (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor;
}
