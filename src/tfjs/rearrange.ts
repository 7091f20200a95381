// Numbers moved, repeated, picked and summed by an index: runs are copied whole.

import { axesOf } from './axes.js';
import { sizeOf } from './host.js';
import type { TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

const WORD = Int32Array.BYTES_PER_ELEMENT;

/** Bytes of an element, 0 for dtypes that are not for us. */
function bytesOf({ dtype }: TensorInfo): number {
  if (dtype === 'float32' || dtype === 'int32') return WORD;
  return dtype === 'bool' ? 1 : 0;
}

const segmentSum: TrainingKernel = {
  kernelName: 'UnsortedSegmentSum',
  run({ host, inputs: { x, segmentIds }, attrs }) {
    if (x?.dtype !== 'float32' || segmentIds?.dtype !== 'int32') return undefined;
    const segments = attrs.numSegments as number;
    const rows = sizeOf(segmentIds.shape);
    const inner = x.shape.slice(segmentIds.shape.length);
    const out = host.output([segments, ...inner]);
    const { kernels } = host;
    kernels.segmentSum(host.address(x), host.address(segmentIds), rows, sizeOf(inner), segments, out.address);
    return out.tensor;
  },
};

const gather: TrainingKernel = {
  kernelName: 'GatherV2',
  run({ host, inputs: { x, indices }, attrs }) {
    if (x === undefined || indices?.dtype !== 'int32' || bytesOf(x) === 0) return undefined;
    const axis = axesOf(attrs.axis, x.shape.length)[0] ?? 0;
    const batchAxes = (attrs.batchDims as number | undefined) ?? 0;
    const batches = sizeOf(x.shape.slice(0, batchAxes));
    const extent = x.shape[axis] ?? 1;
    const inner = x.shape.slice(axis + 1);
    const out = host.output(
      [...x.shape.slice(0, axis), ...indices.shape.slice(batchAxes), ...inner],
      x.dtype,
    );
    const wrong = host.kernels.gatherSlices(
      host.address(x),
      host.address(indices),
      batches,
      sizeOf(x.shape.slice(batchAxes, axis)),
      extent,
      sizeOf(indices.shape) / batches,
      sizeOf(inner) * bytesOf(x),
      out.address,
    );
    if (wrong >= 0) {
      const [index] = host.words(host.address(indices) + wrong * WORD, 1);
      host.dispose(out.tensor);
      // The words of TensorFlow.js.
      throw new Error(`GatherV2: the index value ${index} is not in [0, ${extent - 1}]`);
    }
    return out.tensor;
  },
};

/** Axes to repeat, merged: an axis that is not repeated belongs to the block of the one before it. */
function tilings(shape: readonly number[], reps: readonly number[]): { size: number; times: number }[] {
  const axes: { size: number; times: number }[] = [];
  shape.forEach((size, i) => {
    const times = reps[i] ?? 1;
    const last = axes.at(-1);
    if (last !== undefined && times === 1) last.size *= size;
    else if (last?.size === 1) axes[axes.length - 1] = { size, times: last.times * times };
    else axes.push({ size, times });
  });
  return axes.filter(({ size, times }) => size !== 1 || times !== 1);
}

const tile: TrainingKernel = {
  kernelName: 'Tile',
  run({ host, inputs: { x }, attrs }) {
    if (x === undefined || bytesOf(x) === 0) return undefined;
    const reps = attrs.reps as readonly number[];
    const [first, second, ...more] = tilings(x.shape, reps);
    const inside = second === undefined ? first : second;
    // One repeated axis, perhaps behind one that is kept.
    if (more.length > 0 || (second !== undefined && first?.times !== 1)) return undefined;
    const out = host.output(
      x.shape.map((size, i) => size * (reps[i] ?? 1)),
      x.dtype,
    );
    const blocks = second === undefined ? 1 : (first?.size ?? 1);
    const { size, times } = inside ?? { size: 1, times: 1 };
    host.kernels.repeatBlocks(host.address(x), blocks, size * bytesOf(x), times, out.address);
    return out.tensor;
  },
};

const split: TrainingKernel = {
  kernelName: 'SplitV',
  run({ host, inputs: { x }, attrs }) {
    if (x === undefined || bytesOf(x) === 0) return undefined;
    const axis = axesOf(attrs.axis, x.shape.length)[0] ?? 0;
    const extent = x.shape[axis] ?? 1;
    const sizes = splitSizes(attrs.numOrSizeSplits, extent);
    const rows = sizeOf(x.shape.slice(0, axis));
    const unit = sizeOf(x.shape.slice(axis + 1)) * bytesOf(x);
    let before = 0;
    return sizes.map((size) => {
      const out = host.output(x.shape.with(axis, size), x.dtype);
      const from = host.address(x) + before * unit;
      host.kernels.copyRows(from, extent * unit, rows, size * unit, out.address, size * unit);
      before += size;
      return out.tensor;
    });
  },
};

/** A number of equal parts, or sizes of which one may be −1 for what is left. */
function splitSizes(parts: unknown, extent: number): readonly number[] {
  if (typeof parts === 'number') return Array.from({ length: parts }, () => extent / parts);
  const sizes = parts as readonly number[];
  const given = sizes.reduce((sum, size) => sum + Math.max(size, 0), 0);
  return sizes.map((size) => (size < 0 ? extent - given : size));
}

const reverse: TrainingKernel = {
  kernelName: 'Reverse',
  run({ host, inputs: { x }, attrs }) {
    if (x === undefined || bytesOf(x) === 0) return undefined;
    const [axis, ...more] = axesOf(attrs.dims, x.shape.length);
    if (axis === undefined || more.length > 0) return undefined;
    const out = host.output(x.shape, x.dtype);
    const outer = sizeOf(x.shape.slice(0, axis));
    const bytes = sizeOf(x.shape.slice(axis + 1)) * bytesOf(x);
    host.kernels.reverseSlices(host.address(x), outer, x.shape[axis] ?? 1, bytes, out.address);
    return out.tensor;
  },
};

export const REARRANGEMENTS: readonly TrainingKernel[] = [segmentSum, gather, tile, split, reverse];
