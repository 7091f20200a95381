// What a call of a kernel must fulfil before anything is computed: TensorFlow.js's own kernels trust sizes,
// axes and indices, and write where a wrong one leads.

import type { Host } from '../host.js';
import type { Attributes, NamedTensors, TensorFlow, TensorInfo } from '../tensorflow.js';

/** A call, before it is computed. */
export interface CheckedCall {
  readonly kernelName: string;
  readonly tf: TensorFlow;
  readonly host: Host;
  readonly inputs: NamedTensors;
  readonly attrs: Attributes;
}

/**
 * The attributes to go on with: as they were given, or the same in another form that every kernel reads
 * rightly.
 * @throws Error, a sentence, where the call cannot be computed.
 */
export type KernelCheck = (call: CheckedCall) => Attributes;

/** By the kernel's name. */
export type KernelChecks = Readonly<Record<string, KernelCheck>>;

export function refuse({ kernelName }: CheckedCall, problem: string): never {
  throw new Error(`${kernelName}: ${problem}`);
}

export function inputOf(call: CheckedCall, name: string): TensorInfo {
  return call.inputs[name] ?? refuse(call, `there is no input '${name}'.`);
}

/** An input of a given rank. */
export function rankedInput(call: CheckedCall, name: string, rank: number): TensorInfo {
  const tensor = inputOf(call, name);
  if (tensor.shape.length !== rank) {
    refuse(call, `'${name}' must have ${rank} axes, and has the shape ${show(tensor.shape)}.`);
  }
  return tensor;
}

/** @param what for the message: an attribute's name. */
export function wholeNumber(
  call: CheckedCall,
  what: string,
  value: unknown,
  low: number,
  high = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high)
    return value as number;
  const range = high === Number.MAX_SAFE_INTEGER ? `from ${low} on` : `from ${low} to ${high}`;
  return refuse(call, `${what} is ${show(value)}, and must be a whole number ${range}.`);
}

/** @param length of the list; any where it is left out. */
export function wholeNumbers(
  call: CheckedCall,
  what: string,
  values: unknown,
  low: number,
  length?: number,
): number[] {
  const list = listOf(call, what, values, length);
  return list.map((value, i) => wholeNumber(call, `${what}[${i}]`, value, low));
}

export function listOf(call: CheckedCall, what: string, values: unknown, length?: number): unknown[] {
  const list = Array.isArray(values) || ArrayBuffer.isView(values) ? [...(values as number[])] : undefined;
  if (list === undefined || (length !== undefined && list.length !== length)) {
    const count = length === undefined ? 'numbers' : `${length} numbers`;
    return refuse(call, `${what} is ${show(values)}, and must be a list of ${count}.`);
  }
  return list;
}

/** Extents and strides up to here stay whole numbers of 32 bits when they are added. */
export const LARGEST_SIZE = 2 ** 24;

/** A size from 1 on for all axes, or one for each. */
export function sizesOf(call: CheckedCall, what: string, value: unknown, count: number): number[] {
  const sizes = typeof value === 'number' ? new Array<number>(count).fill(value) : value;
  return listOf(call, what, sizes, count).map((size) => wholeNumber(call, what, size, 1, LARGEST_SIZE));
}

/** One axis of a tensor, counted from 0. */
export function axisOf(call: CheckedCall, value: unknown, shape: readonly number[], what = 'axis'): number {
  const rank = shape.length;
  const axis = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
  if (Number.isInteger(axis) && (axis as number) >= -rank && (axis as number) < rank) {
    return (axis as number) < 0 ? (axis as number) + rank : (axis as number);
  }
  const allowed =
    rank === 0 ? 'which has no axes' : `whose axes are the whole numbers ${-rank} to ${rank - 1}`;
  return refuse(call, `${what} ${show(value)} is no axis of a tensor of shape ${show(shape)}, ${allowed}.`);
}

export function sameShape(call: CheckedCall, name: string, shape: readonly number[]): void {
  const given = inputOf(call, name).shape;
  if (given.length !== shape.length || given.some((size, i) => size !== shape[i])) {
    refuse(call, `'${name}' has the shape ${show(given)}, and must have ${show(shape)}.`);
  }
}

/** Whole numbers in the heap, as they stand there now. */
export function integersOf(call: CheckedCall, name: string): Int32Array {
  const tensor = inputOf(call, name);
  if (tensor.dtype !== 'int32') refuse(call, `'${name}' must be of int32, and is of ${tensor.dtype}.`);
  return call.host.integers(tensor);
}

/** @param limits for each position within a group of so many numbers. */
export function indicesWithin(call: CheckedCall, name: string, limits: readonly number[]): void {
  const values = integersOf(call, name);
  const { length } = limits;
  for (let i = 0, at = 0; i < values.length; i++, at = at + 1 === length ? 0 : at + 1) {
    const limit = limits[at] ?? 0;
    const value = values[i] ?? 0;
    if (value < 0 || value >= limit) {
      refuse(call, `'${name}' holds the index ${value}, and ${range(limit)}.`);
    }
  }
}

function range(limit: number): string {
  return limit === 0 ? 'there is nothing to index' : `only 0 to ${limit - 1} exist there`;
}

export function show(value: unknown): string {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    return `[${[...(value as unknown[])].map(show).join(', ')}]`;
  }
  return typeof value === 'string' ? `'${value}'` : String(value);
}
