// Layers of tfjs-layers that work on images and take what they are given for one tensor, where a model gives
// them a list of one. Found by their names where tfjs-core keeps the classes of layers.

import type { TensorFlow } from './tensorflow.js';

interface Layer {
  readonly height: number;
  readonly width: number;
}

interface LayerClass {
  readonly prototype: {
    call(this: Layer, inputs: unknown, options: unknown): unknown;
    computeOutputShape(this: Layer, inputShape: unknown): unknown;
  };
}

/** Classes that are mended already. */
const mended = new WeakSet<LayerClass>();

/** Mends `resizing` and `centerCrop` where tfjs-layers is loaded. */
export function mendImageLayers(tf: TensorFlow): void {
  const classes = tf.serialization.SerializationMap.getMap().classNameMap;
  for (const name of ['Resizing', 'CenterCrop']) {
    const layer = classes[name]?.[0] as LayerClass | undefined;
    if (layer === undefined || mended.has(layer)) continue;
    mended.add(layer);
    const { prototype } = layer;
    const { call } = prototype;
    prototype.call = function (inputs, options) {
      return call.call(this, Array.isArray(inputs) ? inputs[0] : inputs, options);
    };
    // That of `resizing` has no batch; that of `centerCrop` changes the shape that it is given.
    prototype.computeOutputShape = function (inputShape) {
      const shapes = inputShape as readonly unknown[];
      const shape = (Array.isArray(shapes[0]) ? shapes[0] : shapes) as readonly (number | null)[];
      return [...shape.slice(0, -3), this.height, this.width, shape.at(-1)];
    };
  }
}
