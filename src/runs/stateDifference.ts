// Where the bits of two states of a run differ: by tensor, element, and distance.
import type { ParameterLayout } from '../model/model.js';
import { buffersOf, type TrainingState } from './trainingState.js';

/** A tensor of which two states have different bits. */
export interface TensorDifference {
  /** As in a checkpoint's file, e.g. `adam/m/encoder/conv2d/weights`. */
  readonly tensor: string;
  readonly shape: readonly number[];
  /** Elements of the tensor. */
  readonly size: number;
  /** How many of them differ. */
  readonly elements: number;
  /** The first that differs, in the order of the file, with its indices along the axes of `shape`. */
  readonly first: {
    readonly index: readonly number[];
    readonly stored: number;
    readonly replayed: number;
  };
  /**
   * The largest distance, in units in the last place: how many float32 numbers further on the other one is.
   * +0 and −0 differ, by 0.
   */
  readonly mostUlp: number;
}

/** The tensors that differ, in the order of the file: parameters first, then the optimizer's state. */
export function stateDifferences(
  stored: TrainingState,
  replayed: TrainingState,
  { entries }: ParameterLayout,
): TensorDifference[] {
  const others = new Map(buffersOf(replayed));
  return buffersOf(stored).flatMap(([group, buffer]) =>
    entries.flatMap(({ name, shape, offset, size }) => {
      const part = (whole: Float32Array) => whole.subarray(offset, offset + size);
      const found = tensorDifference(part(buffer), part(others.get(group)!));
      if (found === undefined) return [];
      const { at, ...rest } = found;
      const first = {
        index: indexOf(at, shape),
        stored: buffer[offset + at]!,
        replayed: others.get(group)![offset + at]!,
      };
      return [{ tensor: `${group}/${name}`, shape, size, ...rest, first }];
    }),
  );
}

function tensorDifference(
  a: Float32Array,
  b: Float32Array,
): { readonly at: number; readonly elements: number; readonly mostUlp: number } | undefined {
  const [left, right] = [bitsOf(a), bitsOf(b)];
  let at = -1;
  let elements = 0;
  let mostUlp = 0;
  for (let i = 0; i < left.length; i++) {
    if (left[i] === right[i]) continue;
    if (elements++ === 0) at = i;
    mostUlp = Math.max(mostUlp, Math.abs(rankOf(left[i]!) - rankOf(right[i]!)));
  }
  return elements === 0 ? undefined : { at, elements, mostUlp };
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}

/** Neighbouring float32 numbers have neighbouring ranks; both zeros have rank 0. */
function rankOf(bits: number): number {
  return bits < 0x8000_0000 ? bits : 0x8000_0000 - bits;
}

/** Row-major. */
function indexOf(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return shape
    .toReversed()
    .map((length) => {
      const index = rest % length;
      rest = Math.floor(rest / length);
      return index;
    })
    .reverse();
}
