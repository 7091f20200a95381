// Bad calls, and unusual ones, made of good ones: every number of every attribute, every shape, and every
// index in a tensor is replaced in turn.

import { KERNEL_CALLS, type KernelCall, type Operand } from './kernelCalls.js';

export interface VariedCall extends KernelCall {
  /** What was replaced by what. */
  readonly name: string;
  /** Whether results may be compared: not where a number to compute with was replaced. */
  readonly compared: boolean;
}

const NUMBERS = [
  -1,
  -2,
  -3,
  -100,
  0,
  1,
  2,
  3,
  7,
  100,
  0.5,
  1.5,
  -0.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 32,
  -(2 ** 31),
];

const INDICES = [-1, -100, 3, 4, 100, 2 ** 30, 2 ** 31 - 1, -(2 ** 31)];

/** A kernel's first good call and its variations, in the same order in every thread. */
export function callsOf(kernel: string): VariedCall[] {
  return (KERNEL_CALLS[kernel] ?? []).slice(0, 1).flatMap(variedCalls);
}

/** The call itself, and every variation of it. */
export function variedCalls(call: KernelCall): VariedCall[] {
  return [
    { ...call, name: 'as it should be', compared: call.unlike === undefined },
    ...attributeVariations(call),
    ...operandVariations(call),
  ];
}

function attributeVariations(call: KernelCall): VariedCall[] {
  return Object.entries(call.attrs).flatMap(([key, value]) => {
    const compared = call.unlike === undefined && !call.data?.includes(key);
    return variationsOf(value).map((varied) => ({
      ...call,
      attrs: { ...call.attrs, [key]: varied },
      name: `${key} = ${describe(varied)}`,
      compared,
    }));
  });
}

function variationsOf(value: unknown): unknown[] {
  if (typeof value === 'number') return NUMBERS.filter((number) => !Object.is(number, value));
  if (typeof value === 'string') return ['nonsense'];
  if (!Array.isArray(value)) return [];
  const list = value as unknown[];
  const inner = list.flatMap((each, i) => variationsOf(each).map((varied) => list.with(i, varied)));
  return [[], list.slice(1), [...list, ...list.slice(-1)], [...list].reverse(), ...inner];
}

function operandVariations(call: KernelCall): VariedCall[] {
  const { inputs } = call;
  return Object.entries(inputs).flatMap(([key, operand]: [string, Operand]) =>
    [...shapesOf(operand), ...indicesOf(operand)].map((varied) => ({
      ...call,
      inputs: Array.isArray(inputs)
        ? (inputs as readonly Operand[]).with(Number(key), varied)
        : { ...inputs, [key]: varied },
      name: `${key} = ${describe(varied.shape)} ${describe(varied.values ?? [])}`,
      compared: call.unlike === undefined && !call.data?.includes(key),
    })),
  );
}

function shapesOf({ shape, dtype }: Operand): Operand[] {
  const shapes: (readonly number[])[] = [
    [],
    [0],
    [5],
    [...shape, 1],
    [...shape, 2],
    [1, ...shape],
    shape.slice(1),
  ];
  shape.forEach((size, i) => {
    for (const varied of [0, 1, size + 1, size + 5]) shapes.push(shape.with(i, varied));
  });
  return shapes.map((each) => ({ shape: each, dtype }));
}

function indicesOf({ shape, dtype, values }: Operand): Operand[] {
  if (dtype !== 'int32' || values === undefined) return [];
  return values.flatMap((_, i) =>
    INDICES.map((index) => ({ shape, dtype, values: (values as readonly number[]).with(i, index) })),
  );
}

function describe(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(describe).join(', ')}]` : String(value);
}
