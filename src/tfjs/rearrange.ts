// Numbers moved, repeated, picked and summed by an index: runs are copied whole.

import { NONE, plus } from '../kernels/address.js';
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
    const wrong = host.kernels.gatherSlices({
      x: host.address(x),
      indices: host.address(indices),
      batches,
      outer: sizeOf(x.shape.slice(batchAxes, axis)),
      extent,
      picks: sizeOf(indices.shape) / batches,
      bytes: sizeOf(inner) * bytesOf(x),
      out: out.address,
    });
    if (wrong >= 0) {
      // int32: an index that is wrong may be negative.
      const index = host.words(plus(host.address(indices), wrong * WORD), 1)[0]! | 0;
      host.dispose(out.tensor);
      // The words of TensorFlow.js.
      throw new Error(`GatherV2: the index value ${index} is not in [0, ${extent - 1}]`);
    }
    return out.tensor;
  },
};

interface Repetition {
  /** In elements of the input: what is repeated as a whole. */
  readonly block: number;
  readonly blocks: number;
  readonly times: number;
}

/** Repetitions from the inside out; each works on what the one before it has made. */
function repetitions(shape: readonly number[], reps: readonly number[]): Repetition[] {
  const result: Repetition[] = [];
  let block = 1;
  let blocks = sizeOf(shape);
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? 1;
    const times = reps[i] ?? 1;
    block *= size;
    blocks /= size;
    const last = result.at(-1);
    // An axis of one element repeats what is inside it: one repetition, where that is repeated already.
    const adjoins = last !== undefined && last.block * last.times === block && last.blocks === blocks;
    if (times > 1 && adjoins) {
      result[result.length - 1] = { ...last, times: last.times * times };
    } else if (times > 1) {
      result.push({ block, blocks, times });
    }
    block *= times;
  }
  return result;
}

const tile: TrainingKernel = {
  kernelName: 'Tile',
  run({ host, inputs: { x }, attrs }) {
    if (x === undefined || bytesOf(x) === 0 || sizeOf(x.shape) === 0) return undefined;
    const reps = attrs.reps as readonly number[];
    const bytes = bytesOf(x);
    const outShape = x.shape.map((size, i) => size * (reps[i] ?? 1));
    if (sizeOf(outShape) === 0) return undefined;
    const steps = repetitions(x.shape, reps);
    const out = host.output(outShape, x.dtype);
    // Two halves of the scratch memory in turn hold what is between the steps.
    const most = sizeOf(outShape) * bytes;
    const scratch = steps.length > 1 ? host.scratch(2 * most) : NONE;
    let source = host.address(x);
    if (steps.length === 0) host.kernels.repeatBlocks(source, 1, most, 1, out.address);
    steps.forEach(({ block, blocks, times }, i) => {
      const target = i === steps.length - 1 ? out.address : plus(scratch, (i % 2) * most);
      host.kernels.repeatBlocks(source, blocks, block * bytes, times, target);
      source = target;
    });
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
      const from = plus(host.address(x), before * unit);
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

/** One axis after the other. */
const reverse: TrainingKernel = {
  kernelName: 'Reverse',
  run({ host, inputs: { x }, attrs }) {
    if (x === undefined || bytesOf(x) === 0) return undefined;
    const axes = axesOf(attrs.dims, x.shape.length);
    if (axes.length === 0) return undefined;
    return axes.reduce((source, axis, i) => {
      const out = host.output(x.shape, x.dtype);
      const outer = sizeOf(x.shape.slice(0, axis));
      const bytes = sizeOf(x.shape.slice(axis + 1)) * bytesOf(x);
      host.kernels.reverseSlices(host.address(source), outer, x.shape[axis] ?? 1, bytes, out.address);
      if (i > 0) host.dispose(source);
      return out.tensor;
    }, x);
  },
};

export const REARRANGEMENTS: readonly TrainingKernel[] = [segmentSum, gather, tile, split, reverse];
