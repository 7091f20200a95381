// Lists of nonzeros (src/kernels/assembly/lists.ts) as JavaScript makes them, and matrices with zeros to make them of.

import { words } from './float32.js';

/** A factor and the address of the floats that it multiplies. */
type Term = readonly [factor: number, address: number];

interface Group {
  readonly terms: readonly Term[];
  /** How many of the sums that wait it joins. */
  joins: number;
}

/** A matrix in the memory of the kernels. */
export interface Placed {
  readonly address: number;
  /** Bytes from row to row. */
  readonly pitch: number;
}

/**
 * The same values at a share of `density` of the places, scattered, and never a zero there; elsewhere zeros of both signs. The same
 * places for the same seed, and those of a density among those of any larger one.
 */
export function thinned(values: Float32Array, density: number, seed: number): Float32Array {
  const next = words(seed);
  return values.map((value) => (next() < density * 2 ** 32 ? value || 1 : value < 0 ? -0 : 0));
}

export function countNonzeros(values: Float32Array): number {
  return values.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
}

/** What listInputs writes for x, [images, inputs]: the words of each image's list. */
export function inputLists(x: Float32Array, inputs: number, bias: number, weights: Placed): number[][] {
  return Array.from({ length: x.length / inputs }, (_, image) => {
    const row = x.subarray(image * inputs, (image + 1) * inputs);
    return listWords([{ terms: [[1, bias], ...nonzeros(row, weights)], joins: 0 }]);
  });
}

/**
 * What listGradients writes: the words of a list for each column of `big`, [examples, rows]. Groups are of as many examples as `shards`
 * says, terms multiply rows of `small`.
 */
export function gradientLists(
  big: Float32Array,
  rows: number,
  shards: readonly number[],
  small: Placed,
  zeros: number,
): number[][] {
  const first = shards.map((_, shard) => shards.slice(0, shard).reduce((sum, n) => sum + n, 0));
  return Array.from({ length: rows }, (_, row) => {
    const column = Float32Array.from({ length: big.length / rows }, (_, i) => big[i * rows + row]!);
    const sums = shards.map((examples, shard): Group[] => {
      const from = first[shard]!;
      const address = small.address + from * small.pitch;
      const terms = nonzeros(column.subarray(from, from + examples), { ...small, address });
      return terms.length === 0 ? [] : [{ terms, joins: 0 }];
    });
    const groups = joined(sums);
    return listWords(groups.length === 0 ? [{ terms: [[0, zeros]], joins: 0 }] : groups);
  });
}

/** Neighbours are joined, then neighbouring sums, and so on; one without a neighbour waits, one without terms is left out. */
function joined(sums: readonly Group[][]): Group[] {
  if (sums.length === 1) return sums[0]!;
  const pairs: Group[][] = [];
  for (let i = 0; i < sums.length; i += 2) {
    const [left, right] = [sums[i]!, sums[i + 1] ?? []];
    if (left.length > 0 && right.length > 0) right.at(-1)!.joins++;
    pairs.push([...left, ...right]);
  }
  return joined(pairs);
}

function nonzeros(factors: Float32Array, { address, pitch }: Placed): Term[] {
  return [...factors].flatMap((factor, i) => (factor === 0 ? [] : [[factor, address + i * pitch] as const]));
}

function listWords(groups: readonly Group[]): number[] {
  return [
    groups.length,
    ...groups.flatMap(({ terms, joins }) => [terms.length, joins, ...terms.flatMap(termWords)]),
  ];
}

function termWords([factor, address]: Term): number[] {
  bits.setFloat32(0, factor);
  return [bits.getUint32(0), address];
}

const bits = new DataView(new ArrayBuffer(4));
