import { plus } from '../../kernels/address.js';
import { LoadedShards } from '../loadedShards.js';
import type { Rank } from '../rank.js';
import type { Step } from '../step.js';
import type { RuleOptions, StepRule } from './stepRule.js';
import { updateBySums } from './updateBySums.js';

/**
 * Each rank writes the gradient of each of its shards to a slot; then each rank sums a slice of the parameter
 * space over all slots and updates it: a reduce-scatter with a sharded optimizer.
 */
export const slots: StepRule = {
  oneMemory: false,

  plan(options) {
    const parts = partsAtOnce(options);
    return { slots: options.shards, parts, examplesAtOnce: shardSize(options) * parts };
  },

  create(rank, collective) {
    const { backend } = rank;
    const loaded = new LoadedShards(rank);
    return {
      gradient: [
        {
          name: 'prepare',
          run: () => backend.prepare(collective.rank, collective.ranks),
          exchange: () => collective.barrier(),
        },
        {
          name: 'gradient',
          run: (step) => {
            const { first, end } = collective.shards;
            const { parts } = rank.context.layout;
            for (let shard = first; shard < end; shard += parts) {
              loaded.load(step, shard, shard + parts);
              loaded.asParts();
              writeGradient(rank, step, shard);
              loaded.recordTerms();
            }
          },
          exchange: () => collective.gather('shard terms'),
        },
      ],
      update: updateBySums(rank, collective),
    };
  },
};

/** Writes the gradient of the loaded shards into the slot of the first one. */
function writeGradient({ backend, shard, context }: Rank, step: Step, first: number): void {
  const { slots, slotPitch } = context.layout;
  backend.objectiveGradient(shard, step.beta, plus(slots, first * slotPitch));
}

/** Most examples of a shard. */
function shardSize({ batchSize, shards }: RuleOptions): number {
  return Math.ceil(batchSize / shards);
}

/**
 * Shards that each rank computes at once: where shards and ranks are powers of two, neighbouring shards make
 * a subtree of the all-reduce, which the rank can sum while the gradients are in its caches.
 */
function partsAtOnce({ mostParts, shards, ranks }: RuleOptions): number {
  return isPowerOfTwo(shards) && isPowerOfTwo(ranks) ? Math.min(shards / ranks, mostParts) : 1;
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(Math.log2(n));
}
