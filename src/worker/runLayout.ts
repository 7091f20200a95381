import type { PartRange } from '../collective/parts.js';
import type { ProcessPlace } from '../collective/processPlace.js';
import type { Address } from '../kernels/address.js';
import type { Slice } from '../optimizer/optimizer.js';
import { Decisions } from './decisions.js';
import type { TermPlaces } from './terms.js';

/** A named part of the run's memory. */
export interface Region {
  readonly name: string;
  readonly address: Address;
  readonly bytes: number;
}

/** Buffers of one rank: the examples of the shard at hand, their noise and terms. */
export interface RankRegions {
  readonly x: Address;
  readonly epsilon: Address;
  /** Where draws are refined, of the examples at hand: see RefinementPlaces. */
  readonly refinement: { readonly momenta: Address; readonly uniforms: Address } | undefined;
  /** [examplesAtOnce] float64 each. */
  readonly terms: TermPlaces;
  readonly scratch: Address;
  /** PhaseTimes. */
  readonly times: Address;
  /** A word of `Ranks.claimed`, in a cache line of its own. */
  readonly claimed: Address;
  readonly workspace: Address;
}

/**
 * Addresses of everything that the ranks of a run share, and the table of the regions. Regions whose sizes
 * depend on the process's place come last: where it changes, all others stay where they are.
 */
export interface RunLayout {
  /** Which of the processes that train together this memory is of. */
  readonly place: ProcessPlace;
  /** Where the regions begin that depend on the place. */
  readonly placed: Address;
  /** The shards that this process computes. */
  readonly shards: PartRange;
  /** BarrierWords. */
  readonly barrier: Address;
  /** RunProgress. */
  readonly progress: Address;
  /** Decisions. */
  readonly decisions: Address;
  /** RecoveryWords. */
  readonly recovery: Address;
  /** Where the state of the last snapshot is: of the same sizes as the state. */
  readonly snapshot: Slice;
  readonly parameters: Address;
  /** The addresses of the optimizer's state tensors, in the order in which it declares them. */
  readonly state: readonly Address[];
  /** One gradient a shard of all processes, `slotPitch` bytes apart. */
  readonly slots: Address;
  readonly slotPitch: number;
  /** Whether steps go by the owner-computes rule (Backend.owner). */
  readonly owned: boolean;
  /**
   * Whether owners leave the sum of this process's shards in the slot of the first one, because something is
   * done with it before the update: other processes have their sums, too, or the gradient is clipped. Else
   * they update at once, and there are no slots.
   */
  readonly ownersLeaveSums: boolean;
  /** Shards whose gradients a rank computes at once, into the slot of the first of them. */
  readonly parts: number;
  /** Most examples that a rank computes at once: of a shard, of several, or of all its shards. */
  readonly examplesAtOnce: number;
  /**
   * Test examples are shared out in whole units of so many: TensorFlow.js may sum otherwise for another
   * number of examples. Processes have the same units, however many examples each computes at once.
   */
  readonly testUnit: number;
  /** SquaredNorms: of the units of the slices; no bytes where gradients are not clipped. */
  readonly squaredNorms: Address;
  /** ShardTerms: of the shards of a step. */
  readonly shardTerms: Address;
  /** StepRecords: of the steps of an epoch. */
  readonly stepRecords: Address;
  /**
   * [trainCount, dimensions] bytes; where data are sharded, the examples of this process's shards alone.
   */
  readonly trainPixels: Address;
  /**
   * [trainCount] u32, in the epoch's order: which image of `trainPixels` an example is. The order itself,
   * unless data are sharded.
   */
  readonly trainPlaces: Address;
  /** [testCount, dimensions] bytes. */
  readonly testPixels: Address;
  /** [trainCount] u32: this epoch's order of the training examples. */
  readonly order: Address;
  /** [trainCount] u32, rounded up to sixteen: the random words behind the order. */
  readonly orderBits: Address;
  /** [testCount] u32: 0, 1, 2 … */
  readonly testOrder: Address;
  /** [testCount] float64 each. */
  readonly testTerms: TermPlaces;
  readonly packed: Address;
  readonly ranks: readonly RankRegions[];
  readonly regions: readonly Region[];
  /** Bytes in all. */
  readonly bytes: number;
}

/** What is decided in a memory of this layout. */
export function decisionsOf(buffer: ArrayBufferLike, { decisions, place }: RunLayout): Decisions {
  return new Decisions(buffer, decisions, place.processes, place.process);
}
