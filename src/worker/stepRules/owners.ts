import { partRange } from '../../collective/parts.js';
import { LoadedShards } from '../loadedShards.js';
import type { RuleOptions, StepRule } from './stepRule.js';

/**
 * Each rank backpropagates its examples; then the owner of a parameter computes its gradient over the
 * examples of all ranks, in their buffers, and updates it (OwnerUpdate in backends/backend.ts).
 */
export const owners: StepRule = {
  oneMemory: true,

  plan: (options) => ({ slots: 0, parts: 1, examplesAtOnce: rankSize(options) }),

  create(rank, collective) {
    const { backend, shard } = rank;
    const { owner } = backend;
    if (owner === undefined) throw new Error('The backend has planned owned steps, but has no owner.');
    const loaded = new LoadedShards(rank);
    return {
      gradient: [
        { name: 'prepare', run: () => backend.prepare(collective.rank, collective.ranks) },
        {
          name: 'gradient',
          run: (step) => {
            loaded.load(step, collective.shards.first, collective.shards.end);
            owner.backpropagate(shard, step.beta, step.bounds);
            loaded.recordTerms();
          },
          exchange: () => collective.gather('shard terms'),
        },
      ],
      update: [
        {
          name: 'update',
          run: (step) => owner.update(step.bounds),
          exchange: () => collective.gather('parameters'),
        },
      ],
    };
  },
};

/** Most examples of one rank in a step. */
function rankSize({ batchSize, shards, ranks }: RuleOptions): number {
  let most = 0;
  for (let rank = 0; rank < ranks; rank++) {
    // Any number of examples up to the batch's: a part of one more begins no earlier.
    const { first, end } = partRange(shards, ranks, rank);
    most = Math.max(most, Math.ceil((batchSize * (end - first)) / shards));
  }
  return most;
}
