// Gradients of a dense layer over several shards: each shard's sums are its own, and are added by the tree of
// the all-reduce (treeReduce in kernels/assembly/optimizer.ts). So the bits are those of one shard after the
// other.

import { type Address, addressOf, plus } from '../kernels/address.js';
import type { Arena } from '../kernels/arena.js';
import { LIST_WIDTHS, type Tile } from '../kernels/tiles/tile.js';
import type { MicroKernels } from './microKernels.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const WORD = Uint32Array.BYTES_PER_ELEMENT;

/**
 * Words of a shard in the table of treeGradient and listGradients: where its first rows stand, and bytes of
 * the small ones.
 */
const ENTRY = 3;

/** Slots of sums begin at multiples of so many floats. */
const SLOT_FLOATS = 16;

/**
 * Both sides of a dense layer: its input, [examples, rows], and its output's gradient, [examples, columns].
 */
export interface ShardedOperands {
  readonly shards: number;
  readonly columns: number;
  /** Bytes from example to example of the input, and of the output's gradient. */
  readonly bigPitch: number;
  readonly smallPitch: number;
  /** Address of the shards' table: see `placeShard`. */
  readonly table: Address;
  /** Address of as many zeros as there are columns, and as a tile has. */
  readonly zeros: Address;
  /** Room of `treeStackBytes`. */
  readonly stack: Address;
}

/** One of the shards: addresses of its first example's rows, and its number of examples. */
export interface PlacedShard {
  readonly input: Address;
  readonly dOutput: Address;
  readonly examples: number;
}

/** Reserves a shards' table. */
export function reserveShardTable(arena: Arena, shards: number): Address {
  return arena.reserve(shards * ENTRY * WORD);
}

/** Sums that wait in the tree over the shards, and the one at hand, of the tile or of a row of lists. */
export function treeStackBytes(shards: number, { rows, columns }: Tile): number {
  const levels = Math.ceil(Math.log2(shards)) + 1;
  return levels * Math.max(rows * columns, ...LIST_WIDTHS) * FLOAT;
}

/** Bytes from slot to slot of sums of so many columns. */
export function slotBytes(columns: number): number {
  return Math.ceil(columns / SLOT_FLOATS) * SLOT_FLOATS * FLOAT;
}

/** Writes a shard's entry of the table. @param words of the whole memory. */
export function placeShard(
  words: Uint32Array,
  { table, smallPitch }: ShardedOperands,
  shard: number,
  { input, dOutput, examples }: PlacedShard,
): void {
  const entry = table / WORD + shard * ENTRY;
  words[entry] = input;
  words[entry + 1] = dOutput;
  words[entry + 2] = examples * smallPitch;
}

/** The weights' gradient, rows [row, row + rows), at most UNIT_ROWS, to `gradient`, without gaps. */
export function shardedWeightGradient(
  kernels: MicroKernels,
  { shards, columns, bigPitch, smallPitch, table, zeros, stack }: ShardedOperands,
  { row, rows }: { readonly row: number; readonly rows: number },
  gradient: Address,
): void {
  const treeGradient = kernels.treeGradient(rows);
  treeGradient({
    rows,
    columns,
    gradient,
    bigOffset: row * FLOAT,
    shards,
    table,
    bigPitch,
    smallPitch,
    zeros,
    stack,
  });
}

/**
 * The bias's gradient: each shard's sums to a slot of its own, then the tree, to the first slot.
 * @param words of the whole memory.
 * @param slots address of a slot of `slotBytes` for each shard.
 */
export function shardedBiasGradient(
  { kernels }: MicroKernels,
  words: Uint32Array,
  { shards, columns, smallPitch, table }: ShardedOperands,
  slots: Address,
  slotPitch: number,
): void {
  for (let shard = 0; shard < shards; shard++) {
    const entry = table / WORD + shard * ENTRY;
    const examples = words[entry + 2]! / smallPitch;
    kernels.columnSums(addressOf(words[entry + 1]!), examples, columns, plus(slots, shard * slotPitch), 0);
  }
  kernels.treeReduce(slots, slotPitch, shards, columns);
}
