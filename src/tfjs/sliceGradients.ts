// Gradients of what takes parts of a tensor, or moves them.

import { filled, type Run, reshape, scatteredAlong } from './composition.js';
import { sizeOf } from './host.js';
import type { GradientConfig, TensorFlow, TensorInfo } from './tensorflow.js';

/** The gradient of tf.stridedSlice: what was not taken has the gradient 0. */
export function stridedSliceGradient(tf: TensorFlow, run: Run): GradientConfig {
  return {
    kernelName: 'StridedSlice',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => ({
      x: () => {
        const shape = x?.shape ?? [];
        const taken = tf.slice_util.sliceInfo(
          shape,
          attrs.begin,
          attrs.end,
          attrs.strides,
          attrs.beginMask,
          attrs.endMask,
          attrs.ellipsisMask,
          attrs.newAxisMask,
          attrs.shrinkAxisMask,
        );
        const positions = shape.map((_, axis) => {
          const [begin = 0, end = 0, step = 1] = [taken.begin[axis], taken.end[axis], taken.strides[axis]];
          return Array.from(
            { length: Math.max(0, Math.ceil((end - begin) / step)) },
            (_, i) => begin + i * step,
          );
        });
        if (sizeOf(dy.shape) === 0) return filled(run, shape, 0);
        // Axes that were taken away or put in have one element: the rest are in order.
        const dense = reshape(
          run,
          dy,
          positions.map(({ length }) => length),
        );
        return placed(tf, run, dense, positions, shape);
      },
    }),
  };
}

/** The elements along each axis, at their positions in a tensor of zeros. */
function placed(
  tf: TensorFlow,
  run: Run,
  x: TensorInfo,
  positions: readonly (readonly number[])[],
  shape: readonly number[],
): TensorInfo {
  let gradient = x;
  const paddings = positions.map((at, axis): [number, number] => {
    const [size, first] = [shape[axis] ?? 1, at[0] ?? 0];
    const inOneRun = at.every((position, i) => position === first + i);
    if (inOneRun) return [first, size - first - at.length];
    gradient = scatteredAlong(tf, run, gradient, axis, at, size);
    return [0, 0];
  });
  const whole = paddings.flat().every((border) => border === 0);
  return whole
    ? run('Identity', { x: gradient })
    : run('PadV2', { x: gradient }, { paddings, constantValue: 0 });
}

/** The gradient of tf.depthToSpace: each block of pixels becomes one pixel's channels again. */
export function depthToSpaceGradient(run: Run): GradientConfig {
  return {
    kernelName: 'DepthToSpace',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { blockSize, dataFormat }) => ({
      x: () => {
        const size = blockSize as number;
        const shape = x?.shape ?? [];
        if (dataFormat === 'NCHW') {
          const [batch = 0, depth = 0, height = 0, width = 0] = shape;
          const blocks = [batch, depth / size ** 2, height, size, width, size];
          const perm = [0, 3, 5, 1, 2, 4];
          return reshape(run, run('Transpose', { x: reshape(run, dy, blocks) }, { perm }), shape);
        }
        const [batch = 0, height = 0, width = 0, depth = 0] = shape;
        const lines = reshape(run, dy, [batch * height, size, width, depth / size]);
        return reshape(run, run('Transpose', { x: lines }, { perm: [0, 2, 1, 3] }), shape);
      },
    }),
  };
}

/** The gradient of tf.image.flipLeftRight. */
export function flipGradient(run: Run): GradientConfig {
  return {
    kernelName: 'FlipLeftRight',
    gradFunc: (dy) => ({ image: () => run('Reverse', { x: dy }, { dims: [2] }) }),
  };
}
