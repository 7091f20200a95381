// Indices that stand in tensors: TensorFlow.js's kernels go wherever these point.

import { sizeOf } from '../host.js';
import type { Attributes, TensorInfo } from '../tensorflow.js';
import {
  axisOf,
  type CheckedCall,
  indicesWithin,
  inputOf,
  integersOf,
  type KernelChecks,
  LARGEST_SIZE,
  rankedInput,
  refuse,
  sameShape,
  show,
  sizesOf,
  wholeNumber,
  wholeNumbers,
} from './kernelCheck.js';

function gather(call: CheckedCall): Attributes {
  const x = inputOf(call, 'x').shape;
  const indices = inputOf(call, 'indices').shape;
  const axis = axisOf(call, call.attrs.axis, x);
  const batchDims = wholeNumber(
    call,
    'batchDims',
    call.attrs.batchDims ?? 0,
    -indices.length,
    indices.length,
  );
  const batchAxes = batchDims < 0 ? batchDims + indices.length : batchDims;
  const fits = batchAxes <= axis && x.slice(0, batchAxes).every((size, i) => size === indices[i]);
  if (!fits) {
    refuse(
      call,
      `the first ${batchAxes} axes (batchDims) of 'x' and 'indices', of shapes ${show(x)} and ${show(indices)}, ` +
        `must be the same, and no more than axis ${axis}.`,
    );
  }
  return { ...call.attrs, axis, batchDims: batchAxes };
}

/** A matrix of indices has one place in each row; a vector has one number for each place. */
function depthOf({ shape }: TensorInfo): number {
  return shape.length > 1 ? (shape.at(-1) ?? 0) : 1;
}

/** @param updates may be undefined, where the kernel only reads. */
function places(call: CheckedCall, name: string, target: readonly number[], updates?: string): void {
  const indices = inputOf(call, name);
  const depth = depthOf(indices);
  if (depth > target.length) {
    refuse(
      call,
      `'${name}' of shape ${show(indices.shape)} has more numbers in a row than ${show(target)} has axes.`,
    );
  }
  const outer = indices.shape.length > 1 ? indices.shape.slice(0, -1) : indices.shape;
  if (updates !== undefined) sameShape(call, updates, [...outer, ...target.slice(depth)]);
  indicesWithin(call, name, target.slice(0, depth));
}

function gatherNd(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'params');
  const indices = inputOf(call, 'indices');
  const depth = indices.shape.at(-1);
  if (shape.length === 0 || depth === undefined || depth > shape.length) {
    refuse(call, `'indices' of shape ${show(indices.shape)} do not index a tensor of shape ${show(shape)}.`);
  }
  indicesWithin(call, 'indices', shape.slice(0, depth));
  return call.attrs;
}

function scatterNd(call: CheckedCall): Attributes {
  const shape = wholeNumbers(call, 'shape', call.attrs.shape, 0);
  if (inputOf(call, 'indices').shape.length === 0)
    refuse(call, "'indices' is a scalar, and must have an axis.");
  places(call, 'indices', shape, 'updates');
  return call.attrs;
}

function scatterUpdate(call: CheckedCall): Attributes {
  const { shape, dtype } = inputOf(call, 'tensor');
  if (inputOf(call, 'indices').shape.length === 0)
    refuse(call, "'indices' is a scalar, and must have an axis.");
  const updates = inputOf(call, 'updates');
  if (updates.dtype !== dtype)
    refuse(call, `'updates' must be of ${dtype}, as the tensor is, and is of ${updates.dtype}.`);
  places(call, 'indices', shape, 'updates');
  return call.attrs;
}

/** One value for all places, or one for each. */
function sparseToDense(call: CheckedCall): Attributes {
  const shape = wholeNumbers(call, 'outputShape', call.attrs.outputShape, 0);
  const indices = inputOf(call, 'sparseIndices');
  const values = inputOf(call, 'sparseValues');
  const fallback = inputOf(call, 'defaultValue');
  const rows = indices.shape[0] ?? 1;
  const depth = indices.shape.length > 1 ? (indices.shape[1] ?? 0) : 1;
  if (indices.shape.length > 2 || depth !== shape.length) {
    refuse(
      call,
      `'sparseIndices' of shape ${show(indices.shape)} do not index a tensor of shape ${show(shape)}.`,
    );
  }
  if (values.shape.length > 0) sameShape(call, 'sparseValues', [rows]);
  sameShape(call, 'defaultValue', []);
  if (values.dtype !== fallback.dtype) {
    refuse(
      call,
      `'defaultValue' must be of ${values.dtype}, as the values are, and is of ${fallback.dtype}.`,
    );
  }
  indicesWithin(call, 'sparseIndices', shape);
  return call.attrs;
}

/** Numbers beyond the last bin are not counted, as in TensorFlow.js. */
function bincount(call: CheckedCall): Attributes {
  const x = inputOf(call, 'x');
  wholeNumber(call, 'size', call.attrs.size, 0);
  if (x.shape.length < 1 || x.shape.length > (call.kernelName === 'Bincount' ? 1 : 2)) {
    refuse(call, `'x' of shape ${show(x.shape)} has the wrong number of axes.`);
  }
  const weights = inputOf(call, 'weights');
  if (sizeOf(weights.shape) !== 0) sameShape(call, 'weights', x.shape);
  const wrong = integersOf(call, 'x').find((value) => value < 0);
  if (wrong !== undefined) refuse(call, `'x' holds ${wrong}, and must hold numbers from 0 on.`);
  return call.attrs;
}

/** Rows whose segment does not exist are left out, as in TensorFlow.js. */
function segmentSum(call: CheckedCall): Attributes {
  const x = inputOf(call, 'x').shape;
  const segments = inputOf(call, 'segmentIds').shape;
  wholeNumber(call, 'numSegments', call.attrs.numSegments, 0);
  if (segments.length > x.length || segments.some((size, i) => size !== x[i])) {
    refuse(call, `'segmentIds' of shape ${show(segments)} does not fit 'x' of shape ${show(x)}.`);
  }
  return call.attrs;
}

function cropAndResize(call: CheckedCall): Attributes {
  const { shape } = rankedInput(call, 'image', 4);
  const boxes = rankedInput(call, 'boxes', 2).shape[0] ?? 0;
  sameShape(call, 'boxes', [boxes, 4]);
  sameShape(call, 'boxInd', [boxes]);
  sizesOf(call, 'cropSize', call.attrs.cropSize, 2);
  if (shape[1] === 0 || shape[2] === 0) refuse(call, `an image of shape ${show(shape)} has no pixels.`);
  const { method } = call.attrs;
  if (method !== 'bilinear' && method !== 'nearest') {
    refuse(call, `method is ${show(method)}, and must be 'bilinear' or 'nearest'.`);
  }
  indicesWithin(call, 'boxInd', [shape[0] ?? 0]);
  return call.attrs;
}

function nonMaximum(call: CheckedCall): Attributes {
  const boxes = rankedInput(call, 'boxes', 2).shape[0] ?? 0;
  sameShape(call, 'boxes', [boxes, 4]);
  sameShape(call, 'scores', [boxes]);
  wholeNumber(call, 'maxOutputSize', call.attrs.maxOutputSize, 0, LARGEST_SIZE);
  for (const name of ['iouThreshold', 'scoreThreshold', 'softNmsSigma']) {
    const value = call.attrs[name] ?? 0;
    if (Number.isNaN(value)) refuse(call, `${name} is NaN.`);
  }
  return call.attrs;
}

function searchSorted(call: CheckedCall): Attributes {
  const [rows] = rankedInput(call, 'sortedSequence', 2).shape;
  const values = rankedInput(call, 'values', 2).shape;
  if (values[0] !== rows) refuse(call, `'values' of shape ${show(values)} must have ${rows} rows.`);
  return call.attrs;
}

export const INDEX_CHECKS: KernelChecks = {
  GatherV2: gather,
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  TensorScatterUpdate: scatterUpdate,
  SparseToDense: sparseToDense,
  Bincount: bincount,
  DenseBincount: bincount,
  UnsortedSegmentSum: segmentSum,
  CropAndResize: cropAndResize,
  NonMaxSuppressionV3: nonMaximum,
  NonMaxSuppressionV4: nonMaximum,
  NonMaxSuppressionV5: nonMaximum,
  SearchSorted: searchSorted,
};
