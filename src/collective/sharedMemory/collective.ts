import { type Address, plus } from '../../kernels/address.js';
import type { Slice, SliceUpdate } from '../../optimizer/optimizer.js';
import type { Collective } from '../collective.js';
import { parameterSlice } from '../parameterSlices.js';
import { type PartRange, partRange } from '../parts.js';
import { Barrier, type BarrierOptions } from './barrier.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Addresses of the parameters, of the optimizer's state, and of the gradients of all shards. */
export interface SlotMemory extends Slice {
  /** One gradient a shard, `slotPitch` bytes apart. */
  readonly slots: Address;
  readonly slotPitch: number;
}

export interface SharedMemoryOptions extends BarrierOptions {
  readonly memory: SlotMemory;
  /** Parameters in all: whole cache lines. */
  readonly parameters: number;
  readonly shards: number;
  /** Whether the first slot has the sum of all shards already. */
  readonly holdsSums: boolean;
}

/**
 * Ranks are threads on one shared memory. A gather is a barrier, for everything is where every rank reads it.
 */
export class SharedMemoryCollective implements Collective {
  readonly rank: number;
  readonly ranks: number;
  readonly isFirst: boolean;
  readonly shards: PartRange;
  readonly parameters: PartRange;
  readonly #options: SharedMemoryOptions;
  readonly #barrier: Barrier;

  constructor(options: SharedMemoryOptions) {
    const { rank, ranks, shards, parameters } = options;
    this.rank = rank;
    this.ranks = ranks;
    this.isFirst = rank === 0;
    this.shards = partRange(shards, ranks, rank);
    this.parameters = parameterSlice(parameters, ranks, rank);
    this.#options = options;
    this.#barrier = new Barrier(options);
  }

  share(count: number): PartRange {
    return partRange(count, this.ranks, this.rank);
  }

  barrier(): void {
    this.#barrier.wait();
  }

  gather(): void {
    this.#barrier.wait();
  }

  reduceAndUpdate(optimizer: SliceUpdate): void {
    const { memory, shards, holdsSums } = this.#options;
    const { first, end } = this.parameters;
    const offset = first * FLOAT;
    const slots = plus(memory.slots, offset);
    optimizer.applySum(memory, offset, slots, memory.slotPitch, holdsSums ? 1 : shards, end - first);
  }

  abort(): void {
    this.#options.words.abort(this.rank);
  }
}
