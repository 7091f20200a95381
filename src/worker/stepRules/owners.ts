import type { OwnerUpdate } from '../../backends/backend.js';
import type { Collective } from '../../collective/collective.js';
import { type PartRange, partRange } from '../../collective/parts.js';
import { LoadedShards } from '../loadedShards.js';
import type { Rank } from '../rank.js';
import type { Step } from '../step.js';
import type { Phase, RuleOptions, StepPhases, StepRule } from './stepRule.js';
import { updateBySums } from './updateBySums.js';

/**
 * Each rank backpropagates its examples; then the owner of a parameter computes its gradient over the
 * examples of all ranks, in their buffers, and updates it (OwnerUpdate in backends/backend.ts).
 */
export const owners: StepRule = {
  oneMemory: true,

  plan: (options) => ({ slots: 0, parts: 1, examplesAtOnce: rankSize(options) }),

  create(rank, collective) {
    const { owner } = rank.backend;
    if (owner === undefined) throw new Error('The backend has planned owned steps, but has no owner.');
    return rank.context.layout.ownersLeaveSums
      ? leavingSums(rank, collective, owner)
      : updating(rank, collective, owner);
  },
};

function updating(rank: Rank, collective: Collective, owner: OwnerUpdate): StepPhases {
  const [prepare, backpropagate] = backward(rank, collective, owner);
  return {
    gradient: [prepare, { ...backpropagate, exchange: () => collective.gather('shard terms') }],
    update: [
      {
        name: 'update',
        run: (step) => owner.update(step.bounds),
        exchange: () => collective.gather('parameters'),
      },
    ],
  };
}

/** What owners compute is the sum of their process's shards. What is left is an update by the sums of all. */
function leavingSums(rank: Rank, collective: Collective, owner: OwnerUpdate): StepPhases {
  const [prepare, backpropagate] = backward(rank, collective, owner);
  const { shards } = rank.context.layout;
  return {
    gradient: [
      prepare,
      { ...backpropagate, exchange: () => collective.barrier() },
      {
        name: 'gradient',
        run: (step) => owner.update(boundsOf(step, shards)),
        exchange: () => collective.gather('shard terms'),
      },
    ],
    update: updateBySums(rank, collective),
  };
}

function backward(rank: Rank, collective: Collective, owner: OwnerUpdate): readonly [Phase, Phase] {
  const { backend, shard } = rank;
  const { shards } = rank.context.layout;
  const loaded = new LoadedShards(rank);
  return [
    { name: 'prepare', run: () => backend.prepare(collective.rank, collective.ranks) },
    {
      name: 'gradient',
      run: (step) => {
        loaded.load(step, collective.shards.first, collective.shards.end);
        owner.backpropagate(shard, step.beta, boundsOf(step, shards));
        loaded.recordTerms();
      },
    },
  ];
}

/** Where the shards of this process begin among the examples of the step. */
function boundsOf({ bounds }: Step, { first, end }: PartRange): Int32Array {
  return bounds.subarray(first, end + 1);
}

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
