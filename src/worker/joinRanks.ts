import type { Collective } from '../collective/collective.js';
import { paddedParameters } from '../collective/parameterSlices.js';
import { BarrierWords } from '../collective/sharedMemory/barrier.js';
import { SharedMemoryCollective } from '../collective/sharedMemory/collective.js';
import type { Rank } from './rank.js';

/**
 * How a rank comes together with the others of its run: the one place that chooses a collective. Today's is
 * always the shared memory.
 */
export function joinRanks(
  { context, progress }: Rank,
  { rank, ranks }: { readonly rank: number; readonly ranks: number },
): Collective {
  const { memory, layout, model, settings, barrierTimeLimit, barrierSpins } = context;
  return new SharedMemoryCollective({
    words: new BarrierWords(memory.buffer, layout.barrier),
    ...{ rank, ranks, timeLimit: barrierTimeLimit, spins: barrierSpins },
    stepOf: (other) => progress.stepOf(other),
    memory: layout,
    parameters: paddedParameters(model.parameters.size),
    shards: settings.shards,
  });
}
