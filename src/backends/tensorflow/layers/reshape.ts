import type { Tensor } from '@tensorflow/tfjs-core';
import type { ReshapeLayer } from '../../../model/model.js';
import { customGradient } from '../customGradient.js';
import type { Tfjs } from '../runtime.js';
import { batchShape, type LayerKind } from './step.js';

export const reshape: LayerKind<ReshapeLayer> = ({ output }, { runtime, rows }, needed) => {
  const shape = batchShape(rows, output);
  return { step: (input) => reshapeTensor(runtime.tf, input, shape), layers: 1, needed };
};

export function reshapeTensor(tf: Tfjs, input: Tensor, shape: number[]): Tensor {
  const { shape: before } = input;
  return customGradient(tf, [input], () => ({
    value: tf.reshape(input, shape),
    gradients: (d) => [tf.reshape(d, before)],
  }));
}
