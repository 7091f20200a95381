// The seam of collectives: what the ranks of a run do together.
import type { SliceUpdate } from '../optimizer/optimizer.js';
import type { PartRange } from './parts.js';

/** Most ranks of a run. */
export const MOST_RANKS = 256;

/** What each rank writes a part of, and all ranks read: see Collective.gather. */
export type Gathered = 'shard terms' | 'squared norms' | 'parameters' | 'state' | 'test terms';

/** Another rank has failed; its own error says why. */
export class RunAborted extends Error {
  override readonly name = 'RunAborted';
}

/**
 * A rank's way to the other ranks of its run. Every method but `abort` is called by all ranks, in the same
 * order. It alone knows where the data of other ranks are, and which slice of the parameters a rank updates.
 *
 * Bits: sums over shards are added in the tree of treeReduce (kernels/assembly/optimizer.ts), so that they do
 * not depend on the number of ranks.
 */
export interface Collective {
  /** Among the ranks on this memory. */
  readonly rank: number;
  /** Ranks on this memory. */
  readonly ranks: number;
  /** Whether this is the one rank of all that decides what all do: see Decisions in worker/decisions.ts. */
  readonly isFirst: boolean;
  /** The shards whose gradients this rank computes. */
  readonly shards: PartRange;
  /** The slice of the flat parameters that this rank updates in `reduceAndUpdate`, floats. */
  readonly parameters: PartRange;

  /** This rank's part of `count` things that all ranks share. */
  share(count: number): PartRange;

  /**
   * Returns when all ranks on this memory have called it. What a rank has written before is visible to them
   * behind it.
   * @throws RunAborted when another rank has failed.
   * @throws Error when the time limit passes, naming the ranks that are missing and their steps.
   */
  barrier(): void;

  /**
   * Brings every rank the parts that the other ranks have written: with `shard terms` what `reduceAndUpdate`
   * reads, with `parameters` what was decided. `squared norms` are those of the units of all slices.
   * @throws as `barrier`.
   * @throws ProcessLost where a process of the run has died, and the others may go on.
   */
  gather(what: Gathered): void;

  /**
   * Sums this rank's slice of the gradients over all shards and updates the parameters of that slice, as the
   * optimizer's `begin` has set. The gradients of all shards must be complete: `gather('shard terms')` stands
   * before it. Behind it `gather('parameters')` brings the others the result.
   */
  reduceAndUpdate(optimizer: SliceUpdate): void;

  /** Marks the run as failed by this rank: all others throw RunAborted where they wait or will wait. */
  abort(): void;
}
