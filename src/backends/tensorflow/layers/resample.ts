// maxPool, avgPool and upsample. Gradients of averages and of enlarged maps go by averages of whole windows:
// TensorFlow.js's cpu backend has the gradients of clipped averages, and of resizing several images, wrong.
import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { ResampleLayer } from '../../../model/model.js';
import { customGradient } from '../customGradient.js';
import type { Tfjs } from '../runtime.js';
import type { LayerKind } from './step.js';

type Method = (tf: Tfjs, layer: ResampleLayer) => (input: Tensor) => Tensor;

const METHODS: Readonly<Record<ResampleLayer['type'], Method>> = { maxPool, avgPool, upsample };

export const resample: LayerKind<ResampleLayer> = (layer, { runtime: { tf } }, needed) => ({
  step: METHODS[layer.type](tf, layer),
  layers: 1,
  needed,
});

function run(tf: Tfjs, name: string, inputs: NamedTensorMap, attributes: NamedAttrMap): Tensor {
  return tf.engine().runKernel(name, inputs, attributes);
}

/**
 * Zeros after the last row and column, so that the last window is whole: [before, after] for each direction.
 */
type Margins = readonly [rows: readonly [number, number], columns: readonly [number, number]];

function marginsOf({ input, output, size, strides, padding }: ResampleLayer): Margins {
  const margin = (axis: 0 | 1) => {
    const reach = (output[axis] - 1) * strides[axis] + size[axis] - padding[axis];
    return [padding[axis], Math.max(0, reach - input[axis])] as const;
  };
  return [margin(0), margin(1)];
}

function maxPool(tf: Tfjs, layer: ResampleLayer): (input: Tensor) => Tensor {
  const margins = marginsOf(layer);
  const clipped = margins.flat().some((margin) => margin > 0);
  const attributes = {
    filterSize: [...layer.size],
    strides: [...layer.strides],
    pad: clipped ? 'same' : 'valid',
  };
  return (x) =>
    customGradient(tf, [x], (save) => {
      const value = run(tf, tf.MaxPool, { x }, attributes);
      save(x, value);
      return {
        value,
        gradients: (dy, [input, output]) => [
          run(tf, tf.MaxPoolGrad, { dy, input: input!, output: output! }, attributes),
        ],
      };
    });
}

/**
 * A mean of the pixels in the map: the mean with zeros around the map, times the window's pixels over those
 * in the map.
 */
function avgPool(tf: Tfjs, layer: ResampleLayer): (input: Tensor) => Tensor {
  const margins = marginsOf(layer);
  const clipped = margins.flat().some((margin) => margin > 0);
  const whole = averages(tf, layer);
  if (!clipped)
    return (x) =>
      customGradient(tf, [x], () => ({
        value: whole.forward(x),
        gradients: (d) => [whole.backward(d, x.shape)],
      }));
  const shares = sharesInMap(layer);
  return (x) =>
    customGradient(tf, [x], () => {
      const padded = tf.pad(x, [[0, 0], [...margins[0]], [...margins[1]], [0, 0]]);
      const factors = () => tf.tensor(shares, [1, layer.output[0], layer.output[1], 1]);
      return {
        value: tf.mul(whole.forward(padded), factors()),
        gradients: (d) => {
          const dPadded = whole.backward(tf.mul(d, factors()), padded.shape);
          return [tf.slice(dPadded, [0, margins[0][0], margins[1][0], 0], x.shape)];
        },
      };
    });
}

/** For each window, the number of all its pixels divided by the number of those that lie in the map. */
function sharesInMap({ input, output, size, strides, padding }: ResampleLayer): Float32Array {
  const inMap = (axis: 0 | 1, at: number) => {
    const first = at * strides[axis] - padding[axis];
    return Math.min(first + size[axis], input[axis]) - Math.max(first, 0);
  };
  return Float32Array.from({ length: output[0] * output[1] }, (_, i) => {
    const [row, column] = [Math.floor(i / output[1]), i % output[1]];
    return (size[0] * size[1]) / (inMap(0, row) * inMap(1, column));
  });
}

/** Means of windows that lie in the map, and their gradient. */
function averages(tf: Tfjs, { size, strides }: Pick<ResampleLayer, 'size' | 'strides'>) {
  const attributes = { filterSize: [...size], strides: [...strides], pad: 'valid' };
  return {
    forward: (x: Tensor) => run(tf, tf.AvgPool, { x }, attributes),
    // The kernels read only the input's shape.
    backward: (dy: Tensor, shape: readonly number[]) =>
      run(tf, tf.AvgPoolGrad, { dy, input: tf.zeros([...shape]) }, attributes),
  };
}

function upsample(tf: Tfjs, layer: ResampleLayer): (input: Tensor) => Tensor {
  const { output, size } = layer;
  const blocks = averages(tf, layer);
  // Centres of pixels, not their corners: a corner times 1 / size may be rounded down to the pixel before.
  const attributes = { size: [output[0], output[1]], alignCorners: false, halfPixelCenters: true };
  return (images) =>
    customGradient(tf, [images], () => ({
      value: run(tf, tf.ResizeNearestNeighbor, { images }, attributes),
      gradients: (d) => [tf.mul(blocks.forward(d), size[0] * size[1])],
    }));
}
