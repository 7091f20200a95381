// Layers of tfjs-layers that work on images and take what they are given for one tensor, where a model gives
// them a list of one.

import { mendLayer, onlyTensor } from './layerClass.js';
import type { TensorFlow } from './tensorflow.js';

interface Layer {
  readonly height: number;
  readonly width: number;
}

interface Methods {
  call(this: Layer, inputs: unknown, options: unknown): unknown;
  computeOutputShape(this: Layer, inputShape: unknown): unknown;
}

/** Mends `resizing` and `centerCrop`. */
export function mendImageLayers(tf: TensorFlow): void {
  for (const name of ['Resizing', 'CenterCrop']) {
    mendLayer<Methods>(tf, name, (prototype) => {
      const { call } = prototype;
      prototype.call = function (inputs, options) {
        return call.call(this, onlyTensor(inputs), options);
      };
      // That of `resizing` has no batch; that of `centerCrop` changes the shape that it is given.
      prototype.computeOutputShape = function (inputShape) {
        const shapes = inputShape as readonly unknown[];
        const shape = (Array.isArray(shapes[0]) ? shapes[0] : shapes) as readonly (number | null)[];
        return [...shape.slice(0, -3), this.height, this.width, shape.at(-1)];
      };
    });
  }
}
