// The layer `batchNormalization`: that of tfjs-layers takes four axes at most, and cannot be trained without
// its scale or its offset.

import { filled, reshape, runnerOf } from './composition.js';
import { sizeOf } from './host.js';
import { mendLayer, onlyTensor } from './layerClass.js';
import type { TensorFlow, TensorInfo } from './tensorflow.js';

interface Weight {
  read(): TensorInfo;
}

interface Layer {
  readonly axis: number;
  /** Without `scale`, or `center`, there is none. */
  readonly gamma?: Weight;
  readonly beta?: Weight;
}

interface Methods {
  call(this: Layer, inputs: TensorInfo | readonly TensorInfo[], options: unknown): TensorInfo;
}

export function mendBatchNormLayer(tf: TensorFlow): void {
  const run = runnerOf(tf);
  mendLayer<Methods>(tf, 'BatchNormalization', (prototype) => {
    const { call } = prototype;
    prototype.call = function (inputs, options) {
      const x = onlyTensor(inputs);
      const { shape } = x;
      const axis = this.axis < 0 ? this.axis + shape.length : this.axis;
      const channels = shape[axis] ?? 1;
      const constant = (value: number): Weight => ({ read: () => filled(run, [channels], value) });
      const { gamma = constant(1), beta = constant(0) } = this;
      const weights = { gamma: { value: gamma }, beta: { value: beta } };
      if (shape.length <= 4) return call.call(Object.create(this, weights), inputs, options);
      // The axes before are one, and so are those behind: the statistics are the same.
      const behind = sizeOf(shape.slice(axis + 1));
      const merged = [sizeOf(shape.slice(0, axis)), channels, ...(behind === 1 ? [] : [behind])];
      const layer = Object.create(this, { ...weights, axis: { value: 1 } });
      const normalise = () => reshape(run, call.call(layer, reshape(run, x, merged), options), shape);
      return tf.engine().tidy(normalise) as TensorInfo;
    };
  });
}
