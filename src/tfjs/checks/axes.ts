// Axes: counted from 0 once they are checked, because TensorFlow.js's running products write outside of
// their tensor where an axis is negative.

import type { Attributes } from '../tensorflow.js';
import { axisOf, type CheckedCall, inputOf, type KernelChecks, listOf, refuse, show } from './kernelCheck.js';

function oneAxis(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  return { ...call.attrs, axis: axisOf(call, call.attrs.axis, shape) };
}

/** No axis at all stands for every one. */
function extremeIndex(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  const axis = axisOf(call, call.attrs.axis, shape);
  if (shape[axis] === 0)
    refuse(call, `there is no largest or smallest in an axis of a tensor of shape ${show(shape)}.`);
  return { ...call.attrs, axis };
}

/** Each axis once: transposed twice, a tensor would have more axes than it has. */
function distinctAxes(call: CheckedCall, value: unknown): readonly number[] {
  const { shape } = inputOf(call, 'x');
  const axes = (Array.isArray(value) ? value : [value]).map((axis) => axisOf(call, axis, shape));
  if (new Set(axes).size !== axes.length) refuse(call, `the axes ${show(value)} name one axis twice.`);
  return axes;
}

/** Max has another name for its axes. */
function reducedAxes(call: CheckedCall): Attributes {
  const key = call.kernelName === 'Max' ? 'reductionIndices' : 'axis';
  const axes = call.attrs[key];
  return axes === undefined || axes === null
    ? call.attrs
    : { ...call.attrs, [key]: distinctAxes(call, axes) };
}

/** TensorFlow.js divides by the number of the elements first. */
function reducedNumbers(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  if (shape.includes(0)) refuse(call, `a tensor of shape ${show(shape)} is empty.`);
  return reducedAxes(call);
}

function reversedAxes(call: CheckedCall): Attributes {
  const { dims } = call.attrs;
  // All of them, as in TensorFlow.js.
  return dims === undefined || dims === null ? call.attrs : { ...call.attrs, dims: distinctAxes(call, dims) };
}

function permutation(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  const perm = listOf(call, 'perm', call.attrs.perm, shape.length);
  const sorted = [...perm].sort((a, b) => Number(a) - Number(b));
  if (sorted.some((axis, i) => axis !== i)) {
    refuse(call, `perm ${show(perm)} does not name each axis of a tensor of shape ${show(shape)} once.`);
  }
  return call.attrs;
}

function lastAxis(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'logits');
  const dim = axisOf(call, call.attrs.dim, shape, 'dim');
  if (dim !== shape.length - 1)
    refuse(call, `dim ${dim} is not the last axis of a tensor of shape ${show(shape)}.`);
  return { ...call.attrs, dim };
}

/** A new axis may stand behind the last. */
function newAxis(call: CheckedCall, shape: readonly number[], name: string): Attributes {
  return { ...call.attrs, [name]: axisOf(call, call.attrs[name], [...shape, 1], name) };
}

function stacked(call: CheckedCall): Attributes {
  const [first] = Object.values(call.inputs);
  if (first === undefined) refuse(call, 'there is nothing to stack.');
  return newAxis(call, first.shape, 'axis');
}

function unstacked(call: CheckedCall): Attributes {
  return { ...call.attrs, axis: axisOf(call, call.attrs.axis, inputOf(call, 'value').shape) };
}

function joined(call: CheckedCall): Attributes {
  const [first] = Object.values(call.inputs);
  if (first === undefined) refuse(call, 'there is nothing to join.');
  return { ...call.attrs, axis: axisOf(call, call.attrs.axis, first.shape) };
}

/** One number for equal parts, or a size for each of which one may be −1 for what is left. */
function split(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  const axis = axisOf(call, call.attrs.axis, shape);
  const extent = shape[axis] ?? 0;
  const { numOrSizeSplits: parts } = call.attrs;
  if (typeof parts === 'number') {
    if (!Number.isInteger(parts) || parts < 1 || extent % parts !== 0) {
      refuse(
        call,
        `the axis ${axis} of a tensor of shape ${show(shape)} cannot be split into ${parts} equal parts.`,
      );
    }
    return { ...call.attrs, axis };
  }
  const sizes = listOf(call, 'numOrSizeSplits', parts) as readonly number[];
  const rests = sizes.filter((size) => size === -1).length;
  const sum = sizes.reduce((total, size) => total + Math.max(size, 0), 0);
  const whole = sizes.every((size) => Number.isInteger(size) && size >= -1);
  if (!whole || rests > 1 || (rests === 0 ? sum !== extent : sum > extent)) {
    refuse(
      call,
      `the sizes ${show(sizes)} do not sum to ${extent}, the axis ${axis} of a tensor of shape ${show(shape)}; ` +
        'one of them may be -1, for what is left.',
    );
  }
  return { ...call.attrs, axis };
}

export const AXIS_CHECKS: KernelChecks = {
  Cumsum: oneAxis,
  Cumprod: oneAxis,
  ArgMax: extremeIndex,
  ArgMin: extremeIndex,
  Unique: oneAxis,
  All: reducedNumbers,
  Any: reducedNumbers,
  Max: reducedAxes,
  Mean: reducedAxes,
  Min: reducedAxes,
  Prod: reducedNumbers,
  Sum: reducedAxes,
  Reverse: reversedAxes,
  Transpose: permutation,
  Softmax: lastAxis,
  ExpandDims: (call) => newAxis(call, inputOf(call, 'input').shape, 'dim'),
  Pack: stacked,
  Unpack: unstacked,
  Concat: joined,
  SplitV: split,
};
