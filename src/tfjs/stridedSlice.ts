import { sizeOf } from './host.js';
import type { TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

/**
 * Axes put in or taken out beside strides: stock TensorFlow.js then counts the strides of the wrong axes. It
 * gets the slice without them, which has the same elements in the same order.
 */
export const STRIDED_SLICE: TrainingKernel = {
  kernelName: 'StridedSlice',
  run({ tf, host, inputs: { x }, attrs, stock }) {
    if (x === undefined || (!attrs.newAxisMask && !attrs.shrinkAxisMask)) return undefined;
    const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
    const taken = tf.slice_util.sliceInfo(
      x.shape,
      begin,
      end,
      strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    if (sizeOf(taken.finalShape) === 0) return host.output(taken.finalShape, x.dtype).tensor;
    // Backwards to the first element: an end of −1 would be counted from the end.
    const open = taken.end.reduce((mask, at, axis) => mask | (at < 0 ? 1 << axis : 0), 0);
    const dense = stock({
      begin: taken.begin,
      end: taken.end,
      strides: taken.strides,
      beginMask: 0,
      endMask: open,
      ellipsisMask: 0,
      newAxisMask: 0,
      shrinkAxisMask: 0,
    }) as TensorInfo;
    return { ...dense, shape: taken.finalShape };
  },
};
