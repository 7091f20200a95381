import type { Collective } from '../collective/collective.js';
import { paddedParameters } from '../collective/parameterSlices.js';
import { ProcessCollective } from '../collective/processes/collective.js';
import { Mailbox } from '../collective/processes/mailbox.js';
import { BarrierWords } from '../collective/sharedMemory/barrier.js';
import { SharedMemoryCollective } from '../collective/sharedMemory/collective.js';
import type { Rank } from './rank.js';

/**
 * How a rank comes together with the others of its run: the one place that chooses a collective. All ranks
 * are threads on one memory, or threads of several processes.
 */
export function joinRanks(
  { context, kernels, progress }: Rank,
  { rank, ranks }: { readonly rank: number; readonly ranks: number },
): Collective {
  const { memory, layout, model, settings, barrierTimeLimit, barrierSpins, mailbox } = context;
  const options = {
    words: new BarrierWords(memory.buffer, layout.barrier),
    ...{ rank, ranks, timeLimit: barrierTimeLimit, spins: barrierSpins },
    stepOf: (other: number) => progress.stepOf(other),
    memory: layout,
    parameters: paddedParameters(model.parameters.size),
    shards: settings.shards,
    holdsSums: layout.owned,
  };
  if (mailbox === undefined) return new SharedMemoryCollective(options);
  return new ProcessCollective({
    ...options,
    place: layout.place,
    mailbox: new Mailbox(mailbox),
    kernels,
  });
}
