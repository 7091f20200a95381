// Shards of the examples of a step, as treeGradient and listGradients want them.

import { partRange } from '#src/collective/parts.js';
import type { Address } from '#src/kernels/address.js';
import type { Arena } from '#src/kernels/arena.js';

/** Where a matrix stands, and bytes from row to row. */
interface Matrix {
  readonly address: Address;
  readonly pitch: number;
}

/** Examples of each shard. */
export function shardSizes(examples: number, shards: number): number[] {
  return Array.from({ length: shards }, (_, shard) => {
    const { first, end } = partRange(examples, shards, shard);
    return end - first;
  });
}

/** The kernels' table of shards of so many examples, one behind the other in the big and in the small map. */
export function shardTable(arena: Arena, sizes: readonly number[], big: Matrix, small: Matrix): Address {
  let first = 0;
  return arena.table(
    sizes.flatMap((size) => {
      const entry = [
        big.address + first * big.pitch,
        small.address + first * small.pitch,
        size * small.pitch,
      ];
      first += size;
      return entry;
    }),
  );
}
