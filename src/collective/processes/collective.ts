import { type Address, plus } from '../../kernels/address.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { SliceUpdate } from '../../optimizer/optimizer.js';
import type { Collective, Gathered } from '../collective.js';
import { parameterSlice } from '../parameterSlices.js';
import type { PartRange } from '../parts.js';
import { type ProcessPlace, processRange, threadRange, threadSlice } from '../processPlace.js';
import { Barrier, type BarrierOptions } from '../sharedMemory/barrier.js';
import type { SlotMemory } from '../sharedMemory/collective.js';
import { heldSubtrees, type Rest, restOfTree } from '../sumTree.js';
import type { Mailbox } from './mailbox.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export interface ProcessCollectiveOptions extends BarrierOptions {
  readonly place: ProcessPlace;
  readonly mailbox: Mailbox;
  readonly kernels: Pick<Kernels, 'treeReduce'>;
  readonly memory: SlotMemory;
  /** Parameters in all: whole cache lines. */
  readonly parameters: number;
  readonly shards: number;
  /** Whether the slot of the first shard of each subtree of this process has the subtree's sum already. */
  readonly holdsSums: boolean;
}

/**
 * Ranks are the threads of several processes. Those of one process share a memory and a barrier, and one
 * thread carries bytes to and from the memories of the others. Sums are made in the tree of all shards:
 * each process adds the subtrees that it holds, the owner of a slice adds the rest.
 */
export class ProcessCollective implements Collective {
  readonly rank: number;
  readonly ranks: number;
  readonly isFirst: boolean;
  readonly shards: PartRange;
  readonly parameters: PartRange;
  readonly #options: ProcessCollectiveOptions;
  readonly #barrier: Barrier;
  /** This rank's part of the whole gradient, when the process adds its subtrees. */
  readonly #part: PartRange;
  readonly #subtrees: readonly PartRange[];
  readonly #rest: Rest;
  /** Requests that the mailbox has had, with those of this rank's exchanges. */
  #requests: number;

  constructor(options: ProcessCollectiveOptions) {
    const { rank, ranks, shards, parameters, place, mailbox, holdsSums } = options;
    this.rank = rank;
    this.ranks = ranks;
    this.isFirst = rank === 0 && place.process === 0;
    this.shards = threadRange(shards, place, ranks, rank);
    this.parameters = threadSlice(parameters, place, ranks, rank);
    this.#options = options;
    this.#barrier = new Barrier(options);
    this.#part = parameterSlice(parameters, ranks, rank);
    const subtrees = heldSubtrees(shards, processRange(shards, place));
    this.#subtrees = holdsSums ? [] : subtrees.filter(({ first, end }) => end - first > 1);
    this.#rest = restOfTree(shards, place.processes);
    this.#requests = mailbox.requested;
  }

  share(count: number): PartRange {
    const { place, ranks, rank } = this.#options;
    return threadRange(count, place, ranks, rank);
  }

  barrier(): void {
    this.#barrier.wait();
  }

  gather(what: Gathered): void {
    this.#barrier.wait();
    if (what === 'shard terms' && this.#subtrees.length > 0) {
      this.#addSubtrees();
      this.#barrier.wait();
    }
    const { mailbox, words, rank } = this.#options;
    this.#requests = (this.#requests + 1) | 0;
    if (rank === 0) mailbox.request(what);
    mailbox.wait(this.#requests, words);
  }

  reduceAndUpdate(optimizer: SliceUpdate): void {
    const { memory, kernels } = this.#options;
    const { slotPitch } = memory;
    const { first, end } = this.parameters;
    const count = end - first;
    const offset = first * FLOAT;
    const slots = plus(memory.slots, offset);
    if (this.#rest.kind === 'tree') {
      const { stride, count: sums } = this.#rest;
      optimizer.applySum(memory, offset, slots, stride * slotPitch, sums, count);
      return;
    }
    for (const { target, distance } of this.#rest.additions) {
      kernels.treeReduce(plus(slots, target * slotPitch), distance * slotPitch, 2, count);
    }
    optimizer.applySum(memory, offset, slots, slotPitch, 1, count);
  }

  abort(): void {
    this.#options.words.abort(this.rank);
  }

  #addSubtrees(): void {
    const { memory, kernels } = this.#options;
    const { first, end } = this.#part;
    for (const subtree of this.#subtrees) {
      const slot: Address = plus(memory.slots, subtree.first * memory.slotPitch + first * FLOAT);
      kernels.treeReduce(slot, memory.slotPitch, subtree.end - subtree.first, end - first);
    }
  }
}
