// Operands whose shapes must fit each other.

import type { Attributes, TensorInfo } from '../tensorflow.js';
import {
  type CheckedCall,
  inputOf,
  type KernelCheck,
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

function broadcastable(call: CheckedCall): Attributes {
  const [a, b] = [inputOf(call, 'a').shape, inputOf(call, 'b').shape];
  const rank = Math.min(a.length, b.length);
  for (let i = 1; i <= rank; i++) {
    const [left, right] = [a.at(-i), b.at(-i)];
    if (left !== right && left !== 1 && right !== 1) {
      refuse(call, `the shapes ${show(a)} and ${show(b)} cannot be broadcast to each other.`);
    }
  }
  return call.attrs;
}

const BROADCAST =
  'Equal Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr Maximum Minimum NotEqual'.split(' ');

/** All of the named inputs have the shape of the first. */
function alike(first: string, ...others: string[]): KernelCheck {
  return (call) => {
    const { shape } = inputOf(call, first);
    for (const name of others) sameShape(call, name, shape);
    return call.attrs;
  };
}

function sum(call: CheckedCall): Attributes {
  const tensors = Object.entries(call.inputs) as [string, TensorInfo][];
  const first = tensors[0]?.[1] ?? refuse(call, 'there is nothing to add.');
  for (const [name, { dtype }] of tensors) {
    sameShape(call, name, first.shape);
    if (dtype !== first.dtype) refuse(call, `operands of ${first.dtype} and of ${dtype} cannot be added.`);
  }
  return call.attrs;
}

/** A condition for each element, for each row, or one for all. */
function select(call: CheckedCall): Attributes {
  const { shape, dtype } = inputOf(call, 't');
  const condition = inputOf(call, 'condition');
  sameShape(call, 'e', shape);
  const e = inputOf(call, 'e');
  if (condition.dtype !== 'bool' || e.dtype !== dtype) {
    refuse(call, `a condition of ${condition.dtype} cannot choose between ${dtype} and ${e.dtype}.`);
  }
  const rows = condition.shape.length === 1 && condition.shape[0] === shape[0];
  if (!rows && condition.shape.length !== shape.length) {
    refuse(call, `a condition of shape ${show(condition.shape)} does not fit ${show(shape)}.`);
  }
  if (!rows) sameShape(call, 'condition', shape);
  return call.attrs;
}

function matrices(call: CheckedCall): Attributes {
  for (const name of ['a', 'b']) {
    const { shape } = inputOf(call, name);
    if (shape.length < 2)
      refuse(call, `'${name}' of shape ${show(shape)} is no matrix: reshape it to two axes.`);
  }
  return call.attrs;
}

/** Statistics are broadcast to x. */
function batchNorm(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  for (const name of ['mean', 'variance', 'offset', 'scale']) {
    const given = call.inputs[name];
    if (given === undefined || given === null) continue;
    const tail = shape.slice(shape.length - given.shape.length);
    const ranked = given.shape.length >= 1 && given.shape.length <= shape.length;
    if (!ranked || given.shape.some((size, i) => size !== tail[i] && size !== 1)) {
      refuse(call, `'${name}' of shape ${show(given.shape)} does not fit 'x' of shape ${show(shape)}.`);
    }
  }
  return call.attrs;
}

/** Slopes are broadcast to x. */
function prelu(call: CheckedCall): Attributes {
  const { shape } = inputOf(call, 'x');
  const slopes = inputOf(call, 'alpha').shape;
  const tail = shape.slice(shape.length - slopes.length);
  if (slopes.length > shape.length || slopes.some((size, i) => size !== tail[i] && size !== 1)) {
    refuse(call, `'alpha' of shape ${show(slopes)} cannot be broadcast to 'x' of shape ${show(shape)}.`);
  }
  return call.attrs;
}

function lrn(call: CheckedCall): Attributes {
  const names = call.kernelName === 'LRN' ? ['x'] : ['x', 'y', 'dy'];
  const { shape } = rankedInput(call, 'x', 4);
  for (const name of names) sameShape(call, name, shape);
  wholeNumber(call, 'depthRadius', call.attrs.depthRadius, 0, LARGEST_SIZE);
  return call.attrs;
}

function transform(call: CheckedCall): Attributes {
  const [batch] = rankedInput(call, 'image', 4).shape;
  const { shape } = rankedInput(call, 'transforms', 2);
  if (shape[1] !== 8 || (shape[0] !== 1 && shape[0] !== batch)) {
    refuse(
      call,
      `'transforms' of shape ${show(shape)} must be 8 numbers for each of ${batch} images, or for all.`,
    );
  }
  if (call.attrs.fillMode === 'reflect') {
    refuse(
      call,
      "fillMode 'reflect' is computed wrongly on the backend 'wasm': use 'constant', 'wrap' or 'nearest'.",
    );
  }
  const size = call.attrs.outputShape;
  if (size !== undefined && size !== null) sizesOf(call, 'outputShape', size, 2);
  return call.attrs;
}

function images(call: CheckedCall): Attributes {
  rankedInput(call, 'image', 4);
  return call.attrs;
}

/** TensorFlow.js takes the fill for whole numbers, three of them and an opacity. */
function rotation(call: CheckedCall): Attributes {
  const channels = rankedInput(call, 'image', 4).shape[3] ?? 0;
  const { fillValue } = call.attrs;
  if (typeof fillValue === 'number') wholeNumber(call, 'fillValue', fillValue, 0, OPAQUE);
  else
    for (const value of wholeNumbers(call, 'fillValue', fillValue, 0, 3))
      wholeNumber(call, 'fillValue', value, 0, OPAQUE);
  if (channels > 4) refuse(call, `an image of ${channels} channels has no fill: four are the most.`);
  return call.attrs;
}

const OPAQUE = 255;

/** A letter for each axis of each operand; what the letters mean is checked where it is computed. */
function einsum(call: CheckedCall): Attributes {
  const { equation } = call.attrs;
  const terms = String(equation).replace(/\s/g, '').split('->')[0]?.split(',') ?? [];
  const shapes = (Object.values(call.inputs) as TensorInfo[]).map(({ shape }) => shape);
  if (shapes.some(({ length }, i) => length !== terms[i]?.length) || terms.length !== shapes.length) {
    refuse(call, `the equation ${show(equation)} does not fit operands of shapes ${show(shapes)}.`);
  }
  return call.attrs;
}

export const OPERAND_CHECKS: KernelChecks = {
  ...Object.fromEntries(BROADCAST.map((name) => [name, broadcastable])),
  AddN: sum,
  BatchMatMul: matrices,
  _FusedMatMul: matrices,
  Einsum: einsum,
  EluGrad: alike('y', 'dy'),
  LowerboundReluGradient: alike('x', 'dy'),
  LowerboundAdamStep: alike('value', 'gradient', 'firstMoment', 'secondMoment'),
  FlipLeftRight: images,
  FusedBatchNorm: batchNorm,
  LRN: lrn,
  LRNGrad: lrn,
  Prelu: prelu,
  RotateWithOffset: rotation,
  Select: select,
  Transform: transform,
};
