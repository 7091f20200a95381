// What a host of the network's model costs, measured on this machine: steps of a training run, sums and
// optimizer in threads of their own.

import { paddedParameters } from '#src/collective/parameterSlices.js';
import type { TimedRunOptions } from '#src/coordinator/timedRun.js';
import type { Dataset } from '#src/data/source.js';
import { SPINS } from '#src/kernels/tuning.js';
import type { PresetName } from '#src/model/presets.js';
import type { HostCosts } from './networkModel.js';
import type { Batch, MeasuredHost } from './projection.js';
import { median } from './section.js';
import { measureSubjects } from './subjects.js';
import { measureTeams, UpdateTeam } from './updateTeam.js';

/** The time of more images than these grows with their number, and is not measured. */
const MOST_TIMED = 1024;
/** More than are summed in registers: a sum over many hosts goes through memory as well. */
const TIMED_SUM = 16;

export interface HostLoad {
  readonly model: PresetName;
  readonly dataset: Dataset;
  readonly threads: number;
  /** What hosts compute in a step. */
  readonly batches: readonly Batch[];
}

/** Seconds of a whole step of one host. */
interface TimedStep {
  readonly batch: Batch;
  readonly seconds: number;
  readonly parameters: number;
}

export async function measureHost({ model, dataset, threads, batches }: HostLoad): Promise<MeasuredHost> {
  const steps = new Map<string, TimedStep>();
  for (const batch of batches.map(timedBatch)) {
    if (steps.has(nameOf(batch))) continue;
    steps.set(nameOf(batch), await timeStep({ model, dataset, workers: threads, samples: 1 }, batch));
  }
  const [{ parameters }] = [...steps.values()] as [TimedStep];
  const { add, update } = await updateCosts(paddedParameters(parameters), threads);
  return {
    ...{ model, parameters, add, update },
    gradient(batch) {
      const timed = steps.get(nameOf(timedBatch(batch)))!;
      // A step of one host is over when its optimizer is; what is left is its gradient and the sum of it.
      const gradient = timed.seconds - paddedParameters(parameters) * update;
      return (gradient * batch.shards) / timed.batch.shards;
    },
  };
}

/** As many shards of a batch as are timed. */
function timedBatch({ shards, shardSize }: Batch): Batch {
  return { shards: Math.min(shards, Math.max(1, Math.floor(MOST_TIMED / shardSize))), shardSize };
}

function nameOf({ shards, shardSize }: Batch): string {
  return `${shards} × ${shardSize}`;
}

async function timeStep(run: TimedRunOptions, batch: Batch): Promise<TimedStep> {
  const { shards, shardSize } = batch;
  const workers = Math.min(run.workers, shards);
  // A timed run hands all of its options on to the run's config, this one, too.
  const options: TimedRunOptions & { readonly shards: number } = {
    ...run,
    ...{ workers, shards, batchSize: shards * shardSize },
  };
  return measureSubjects([options], ([subject]) => ({
    batch,
    seconds: (shards * shardSize) / median(subject!.rates),
    parameters: subject!.run.model.parameters.size,
  }));
}

/** What so many parameters cost. */
async function updateCosts(count: number, threads: number): Promise<Pick<HostCosts, 'add' | 'update'>> {
  const teams = [1, TIMED_SUM].map(
    (shards) => new UpdateTeam({ ranks: threads, spins: SPINS, count, shards }),
  );
  try {
    const [one, many] = await measureTeams(teams, 'updates');
    const [update, sum] = [one! / 1e6 / count, many! / 1e6 / count];
    return { update, add: (sum - update) / (TIMED_SUM - 1) };
  } finally {
    for (const team of teams) await team.close();
  }
}
