// Sparse tensors: their parts must have as many rows as each other.

import { sizeOf } from '../host.js';
import type { Attributes } from '../tensorflow.js';
import {
  type CheckedCall,
  indicesWithin,
  inputOf,
  integersOf,
  type KernelChecks,
  rankedInput,
  refuse,
  sameShape,
  show,
} from './kernelCheck.js';

function fillEmptyRows(call: CheckedCall): Attributes {
  const [rows = 0, rank = 0] = rankedInput(call, 'indices', 2).shape;
  sameShape(call, 'values', [rows]);
  sameShape(call, 'denseShape', [rank]);
  sameShape(call, 'defaultValue', []);
  integersOf(call, 'indices');
  const shape = integersOf(call, 'denseShape');
  if (shape.length === 0 || shape.some((size) => size < 0)) {
    refuse(call, `'denseShape' is ${show(shape)}, and must be whole numbers from 0 on.`);
  }
  return call.attrs;
}

function reshape(call: CheckedCall): Attributes {
  const [, rank = 0] = rankedInput(call, 'inputIndices', 2).shape;
  sameShape(call, 'inputShape', [rank]);
  rankedInput(call, 'newShape', 1);
  const shape = integersOf(call, 'inputShape');
  if (shape.some((size) => size < 0)) {
    refuse(call, `'inputShape' is ${show(shape)}, and must be whole numbers from 0 on.`);
  }
  if (sizeOf([...shape]) >= 2 ** 31) {
    refuse(call, `'inputShape' is ${show(shape)}, more elements than int32 can count.`);
  }
  indicesWithin(call, 'inputIndices', [...shape]);
  integersOf(call, 'newShape');
  return call.attrs;
}

function segments(call: CheckedCall): Attributes {
  const data = inputOf(call, 'data');
  if (data.shape.length === 0) refuse(call, "'data' is a scalar, and must have an axis.");
  const [count = 0] = rankedInput(call, 'indices', 1).shape;
  sameShape(call, 'segmentIds', [count]);
  indicesWithin(call, 'indices', [data.shape[0] ?? 0]);
  const ids = integersOf(call, 'segmentIds');
  ids.forEach((id, i) => {
    if (id < (i === 0 ? 0 : (ids[i - 1] ?? 0))) {
      refuse(
        call,
        `'segmentIds' holds ${id} at ${i}, and must begin with a number from 0 on and never go down.`,
      );
    }
  });
  return call.attrs;
}

export const SPARSE_CHECKS: KernelChecks = {
  SparseFillEmptyRows: fillEmptyRows,
  SparseReshape: reshape,
  SparseSegmentMean: segments,
  SparseSegmentSum: segments,
};
