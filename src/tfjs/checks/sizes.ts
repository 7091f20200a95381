// Sizes: of what is cut out, padded, repeated, made or enlarged.

import { sizeOf } from '../host.js';
import type { Attributes } from '../tensorflow.js';
import {
  type CheckedCall,
  inputOf,
  type KernelChecks,
  listOf,
  rankedInput,
  refuse,
  show,
  sizesOf,
  wholeNumber,
  wholeNumbers,
} from './kernelCheck.js';

/** As many as 4 GiB hold, at four bytes each. */
const MOST_NUMBERS = 2 ** 30;

/** A number stands for the first axis, and a shorter list for the first ones; size −1 for what is left. */
function slice(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  const firstAxes = (what: string, value: unknown, rest: number): unknown[] => {
    const given = value === undefined || value === null ? [] : typeof value === 'number' ? [value] : value;
    const list = listOf(call, what, given);
    if (list.length > shape.length) {
      refuse(call, `${what} ${show(list)} is longer than the tensor's shape ${show(shape)}.`);
    }
    return shape.map((_, i) => (i < list.length ? list[i] : rest));
  };
  const begin = firstAxes('begin', call.attrs.begin, 0).map((value, i) =>
    wholeNumber(call, `begin[${i}]`, value, 0, shape[i]),
  );
  const size = firstAxes('size', call.attrs.size, -1).map((value, i) => {
    const left = (shape[i] ?? 0) - (begin[i] ?? 0);
    return value === -1 ? left : wholeNumber(call, `size[${i}]`, value, 0, left);
  });
  return { ...call.attrs, begin, size };
}

function stridedSlice(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  const begin = wholeNumbers(call, 'begin', call.attrs.begin, -(2 ** 31));
  wholeNumbers(call, 'end', call.attrs.end, -(2 ** 31), begin.length);
  const strides = wholeNumbers(call, 'strides', call.attrs.strides, -(2 ** 31), begin.length);
  if (strides.includes(0)) refuse(call, `strides ${show(strides)} has a 0: nothing would go on.`);
  for (const mask of ['beginMask', 'endMask', 'ellipsisMask', 'newAxisMask', 'shrinkAxisMask']) {
    wholeNumber(call, mask, call.attrs[mask] ?? 0, 0);
  }
  const ones = (mask: unknown) => begin.filter((_, i) => ((mask as number) >> i) & 1).length;
  const { ellipsisMask = 0, newAxisMask = 0 } = call.attrs;
  if (begin.length - ones(ellipsisMask) - ones(newAxisMask) > shape.length) {
    refuse(call, `begin ${show(begin)} names more axes than a tensor of shape ${show(shape)} has.`);
  }
  return call.attrs;
}

/** @param most for the borders of an axis of so many elements. */
function borders(call: CheckedCall, most: (extent: number) => number): Attributes {
  const { shape } = inputOf(call, 'x');
  const paddings = listOf(call, 'paddings', call.attrs.paddings, shape.length);
  paddings.forEach((pair, axis) => {
    const sizes = wholeNumbers(call, `paddings[${axis}]`, pair, 0, 2);
    const limit = most(shape[axis] ?? 0);
    if (sizes.some((size) => size > limit)) {
      refuse(call, `paddings[${axis}] is ${show(pair)}, and may be ${limit} there at most.`);
    }
  });
  return call.attrs;
}

function mirrorPad(call: CheckedCall): Attributes {
  const { mode } = call.attrs;
  if (mode !== 'reflect' && mode !== 'symmetric') {
    refuse(call, `mode is ${show(mode)}, and must be 'reflect' or 'symmetric'.`);
  }
  return borders(call, (extent) => Math.max(mode === 'reflect' ? extent - 1 : extent, 0));
}

function tile(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  wholeNumbers(call, 'reps', call.attrs.reps, 0, shape.length);
  return call.attrs;
}

function fill(call: CheckedCall): Attributes {
  wholeNumbers(call, 'shape', call.attrs.shape, 0);
  return call.attrs;
}

function reshape(call: CheckedCall): Attributes {
  const shape = wholeNumbers(call, 'shape', call.attrs.shape, -1);
  if (shape.filter((size) => size === -1).length > 1)
    refuse(call, `shape ${show(shape)} has more than one -1.`);
  return call.attrs;
}

function range(call: CheckedCall): Attributes {
  for (const name of ['start', 'stop', 'step']) {
    const value = call.attrs[name];
    if (!Number.isFinite(value)) refuse(call, `${name} is ${show(value)}, and must be a finite number.`);
  }
  const { start, stop, step } = call.attrs as Record<string, number>;
  if (step === 0) refuse(call, 'step is 0: nothing would go on.');
  const count = Math.ceil((stop! - start!) / step!);
  if (count > MOST_NUMBERS) refuse(call, `${count} numbers are more than the backend's memory holds.`);
  return call.attrs;
}

function linSpace(call: CheckedCall): Attributes {
  wholeNumber(call, 'num', call.attrs.num, 1);
  return call.attrs;
}

function oneHot(call: CheckedCall): Attributes {
  const indices = inputOf(call, 'indices');
  if (indices.dtype !== 'int32') refuse(call, `'indices' must be of int32, and is of ${indices.dtype}.`);
  wholeNumber(call, 'depth', call.attrs.depth, 0);
  return call.attrs;
}

function resize(call: CheckedCall): Attributes {
  const { shape } = rankedInput(call, 'images', 4);
  sizesOf(call, 'size', call.attrs.size, 2);
  if (shape[1] === 0 || shape[2] === 0)
    refuse(call, `images of shape ${show(shape)} have no pixels to resize.`);
  return call.attrs;
}

function resizeGradient(call: CheckedCall): Attributes {
  const [batch, height, width, channels] = rankedInput(call, 'images', 4).shape;
  const dy = rankedInput(call, 'dy', 4).shape;
  if (dy[0] !== batch || dy[3] !== channels || height === 0 || width === 0) {
    refuse(
      call,
      `'dy' of shape ${show(dy)} cannot come from images of shape ${show([batch, height, width, channels])}.`,
    );
  }
  return call.attrs;
}

function topK(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  if (shape.length === 0) refuse(call, "'x' is a scalar, and must have an axis.");
  wholeNumber(call, 'k', call.attrs.k, 0, shape.at(-1));
  return call.attrs;
}

function multinomial(call: CheckedCall): Attributes {
  const { shape } = rankedInput(call, 'logits', 2);
  wholeNumber(call, 'numSamples', call.attrs.numSamples, 0);
  if (shape[1] === 0) refuse(call, `there is nothing to draw from in logits of shape ${show(shape)}.`);
  return call.attrs;
}

function depthToSpace(call: CheckedCall): Attributes {
  const { shape, dtype } = rankedInput(call, 'x', 4);
  // The result is float32, whatever 'x' is.
  if (dtype !== 'float32') refuse(call, `'x' must be of float32, and is of ${dtype}: cast it.`);
  const { blockSize, dataFormat } = call.attrs;
  const block = wholeNumber(call, 'blockSize', blockSize, 1);
  if (dataFormat !== 'NHWC' && dataFormat !== 'NCHW') {
    refuse(call, `dataFormat is ${show(dataFormat)}, and must be 'NHWC' or 'NCHW'.`);
  }
  const channels = (dataFormat === 'NHWC' ? shape[3] : shape[1]) ?? 0;
  if (channels % (block * block) !== 0) {
    refuse(call, `${channels} channels cannot be spread over blocks of ${block} × ${block}.`);
  }
  return call.attrs;
}

/** @param name of the two sizes for each axis that is cut into blocks. */
function blocks(call: CheckedCall, name: 'crops' | 'paddings') {
  const { shape } = inputOf(call, 'x');
  const block = wholeNumbers(call, 'blockShape', call.attrs.blockShape, 1);
  if (block.length === 0 || block.length >= shape.length) {
    refuse(call, `blockShape ${show(block)} does not fit a tensor of shape ${show(shape)}.`);
  }
  const pairs = listOf(call, name, call.attrs[name], block.length).map((pair, i) =>
    wholeNumbers(call, `${name}[${i}]`, pair, 0, 2),
  );
  return { shape, block, pairs };
}

function batchToSpace(call: CheckedCall): Attributes {
  const { shape, block, pairs } = blocks(call, 'crops');
  if ((shape[0] ?? 0) % sizeOf(block) !== 0) {
    refuse(call, `${shape[0]} examples cannot be spread over blocks of ${show(block)}.`);
  }
  pairs.forEach(([before = 0, behind = 0], i) => {
    const extent = (shape[i + 1] ?? 0) * (block[i] ?? 1);
    if (before + behind > extent) refuse(call, `crops[${i}] is ${show(pairs[i])}, of ${extent} elements.`);
  });
  return call.attrs;
}

function spaceToBatch(call: CheckedCall): Attributes {
  const { shape, block, pairs } = blocks(call, 'paddings');
  pairs.forEach(([before = 0, behind = 0], i) => {
    const extent = (shape[i + 1] ?? 0) + before + behind;
    if (extent % (block[i] ?? 1) !== 0) {
      refuse(call, `${extent} elements with their padding cannot be cut into blocks of ${block[i]}.`);
    }
  });
  return call.attrs;
}

export const SIZE_CHECKS: KernelChecks = {
  Slice: slice,
  StridedSlice: stridedSlice,
  PadV2: (call) => borders(call, () => Number.MAX_SAFE_INTEGER),
  MirrorPad: mirrorPad,
  Tile: tile,
  Fill: fill,
  Reshape: reshape,
  Range: range,
  LinSpace: linSpace,
  OneHot: oneHot,
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  ResizeBilinearGrad: resizeGradient,
  ResizeNearestNeighborGrad: resizeGradient,
  TopK: topK,
  Multinomial: multinomial,
  DepthToSpace: depthToSpace,
  BatchToSpaceND: batchToSpace,
  SpaceToBatchND: spaceToBatch,
};
