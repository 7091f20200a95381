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

/** What listInputs writes for x, [images, inputs]: a list an image. */
export function inputLists(
  x: Float32Array,
  inputs: number,
  bias: number,
  weights: Placed,
): Uint32Array<ArrayBuffer> {
  return concatenated(
    rowsOf(x, inputs).map((row) => {
      const terms = nonzeros(row, weights);
      return listWords([{ terms: [[1, bias], ...terms], joins: 0 }]);
    }),
  );
}

/**
 * What listGradients writes: a list for each column of `big`, [examples, rows], with groups of as many examples as `shards` says, whose
 * sums the tree adds; `small` is the matrix that the gradient's sums are of.
 */
export function gradientLists(
  big: Float32Array,
  rows: number,
  shards: readonly number[],
  small: Placed,
  zeros: number,
): Uint32Array<ArrayBuffer> {
  const lists = Array.from({ length: rows }, (_, row) => {
    const column = Float32Array.from({ length: big.length / rows }, (_, i) => big[i * rows + row]!);
    const groups = joined(
      shards.map((examples, shard) => {
        const first = shards.slice(0, shard).reduce((sum, n) => sum + n, 0);
        const { address, pitch } = small;
        const terms = nonzeros(column.subarray(first, first + examples), {
          address: address + first * pitch,
          pitch,
        });
        return terms.length === 0 ? [] : [{ terms, joins: 0 }];
      }),
    );
    return listWords(groups.length === 0 ? [{ terms: [[0, zeros]], joins: 0 }] : groups);
  });
  return concatenated(lists);
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

function listWords(groups: readonly Group[]): Uint32Array {
  return Uint32Array.from([
    groups.length,
    ...groups.flatMap(({ terms, joins }) => [terms.length, joins, ...terms.flatMap(termWords)]),
  ]);
}

function termWords([factor, address]: Term): number[] {
  bits.setFloat32(0, factor);
  return [bits.getUint32(0), address];
}

const bits = new DataView(new ArrayBuffer(4));

function rowsOf(matrix: Float32Array, columns: number): Float32Array[] {
  return Array.from({ length: matrix.length / columns }, (_, row) =>
    matrix.subarray(row * columns, (row + 1) * columns),
  );
}

function concatenated(lists: readonly Uint32Array[]): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}
