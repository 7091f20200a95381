// Lists of nonzeros (src/kernels/assembly/lists.ts) as JavaScript makes them, and matrices with zeros to make
// them of.

import { type Address, plus } from '#src/kernels/address.js';
import { words } from './float32.js';

/** A factor and the address of the floats that it multiplies. */
type Term = readonly [factor: number, address: number];

type Group = readonly Term[];

/** A matrix in the memory of the kernels. */
export interface Placed {
  readonly address: Address;
  /** Bytes from row to row. */
  readonly pitch: number;
}

/**
 * The same values at a share of `density` of the places, scattered, and never a zero there; elsewhere zeros
 * of both signs. The same places for the same seed, and those of a density among those of any larger one.
 */
export function thinned(values: Float32Array, density: number, seed: number): Float32Array {
  const next = words(seed);
  return values.map((value) => (next() < density * 2 ** 32 ? value || 1 : value < 0 ? -0 : 0));
}

export function countNonzeros(values: Float32Array): number {
  return values.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
}

/**
 * What listInputs writes for x, [images, inputs]: the words of each image's list, and behind them a list of a
 * word.
 */
export function inputLists(x: Float32Array, inputs: number, bias: number, weights: Placed): number[][] {
  const lists = Array.from({ length: x.length / inputs }, (_, image) => {
    const row = x.subarray(image * inputs, (image + 1) * inputs);
    return listWords([[[1, bias], ...nonzeros(row, weights)]]);
  });
  return [...lists, [0]];
}

/**
 * What listGradients writes: the words of a list for each column of `big`, [examples, rows], and behind them
 * a list of a word. Groups are of as many examples as `shards` says, terms multiply rows of `small`.
 */
export function gradientLists(
  big: Float32Array,
  rows: number,
  shards: readonly number[],
  small: Placed,
  zeros: number,
): number[][] {
  const first = shards.map((_, shard) => shards.slice(0, shard).reduce((sum, n) => sum + n, 0));
  const lists = Array.from({ length: rows }, (_, row) => {
    const column = Float32Array.from({ length: big.length / rows }, (_, i) => big[i * rows + row]!);
    const groups = shards.map((examples, shard): Group => {
      const from = first[shard]!;
      const address = plus(small.address, from * small.pitch);
      return nonzeros(column.subarray(from, from + examples), { ...small, address });
    });
    return listWords(groups.every((group) => group.length === 0) ? [[[0, zeros]]] : groups);
  });
  return [...lists, [0]];
}

/** Sums of which each is of as many shards as a binary digit of `shard` says: how many of them have terms. */
function waiting(groups: readonly Group[], shard: number): number {
  let count = 0;
  let from = 0;
  for (let size = 2 ** 30; size >= 1; size /= 2) {
    if ((shard & size) === 0) continue;
    if (groups.slice(from, from + size).some((group) => group.length > 0)) count++;
    from += size;
  }
  return count;
}

function nonzeros(factors: Float32Array, { address, pitch }: Placed): Term[] {
  return [...factors].flatMap((factor, i) => (factor === 0 ? [] : [[factor, address + i * pitch] as const]));
}

function listWords(groups: readonly Group[]): number[] {
  return groups.flatMap((terms, shard) =>
    terms.length === 0
      ? []
      : [terms.length + waiting(groups, shard) * 2 ** 24, 0, ...terms.flatMap(termWords)],
  );
}

function termWords([factor, address]: Term): number[] {
  bits.setFloat32(0, factor);
  return [bits.getUint32(0), address];
}

const bits = new DataView(new ArrayBuffer(4));
