import { type Host, sizeOf } from './host.js';
import type { TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

interface Taken {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly strides: readonly number[];
  readonly finalShape: readonly number[];
}

/** One number after another, of int32 or bool: stock TensorFlow.js takes their bits for float32. */
function picked(host: Host, x: TensorInfo, { begin, end, strides, finalShape }: Taken): TensorInfo {
  const { tensor } = host.output(finalShape, x.dtype);
  // The memory may grow here, and must not between the views.
  host.address(x);
  const [from, to] =
    x.dtype === 'bool' ? [host.bytes(x), host.bytes(tensor)] : [host.integers(x), host.integers(tensor)];
  const axes = x.shape.map((_, axis) => {
    const [first = 0, behind = 0, step = 1] = [begin[axis], end[axis], strides[axis]];
    const elements = sizeOf(x.shape.slice(axis + 1));
    return { first: first * elements, step: step * elements, extent: Math.ceil((behind - first) / step) };
  });
  axes.reverse();
  for (let i = 0; i < to.length; i++) {
    let rest = i;
    let place = 0;
    for (const { first, step, extent } of axes) {
      place += first + (rest % extent) * step;
      rest = Math.floor(rest / extent);
    }
    to[i] = from[place] ?? 0;
  }
  return tensor;
}

/**
 * Axes put in or taken out beside strides: stock TensorFlow.js then counts the strides of the wrong axes. It
 * gets the slice without them, which has the same elements in the same order.
 */
export const STRIDED_SLICE: TrainingKernel = {
  kernelName: 'StridedSlice',
  run({ tf, host, inputs: { x }, attrs, stock }) {
    if (x === undefined || x.dtype === 'string') return undefined;
    const isPlain = x.dtype === 'float32' && !attrs.newAxisMask && !attrs.shrinkAxisMask;
    if (isPlain) return undefined;
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
    if (x.dtype !== 'float32') return picked(host, x, taken);
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
