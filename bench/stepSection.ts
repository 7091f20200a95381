// What a training step costs, through the run's own path, against the peak of the core in the same rounds.

import { availableParallelism } from 'node:os';
import type { TimedRunOptions } from '#src/coordinator/timedRun.js';
import { loadDataset } from '#src/data/registry.js';
import { requestedLoads, type StepLoad, stepOperations } from './loads.js';
import { arithmetics } from './machine.js';
import { median, oneDecimal, percent, type Row, type Section, times, whole } from './section.js';
import { measureSubjects, type Subject } from './subjects.js';

const MOST_WORKERS = 8;

export const stepSection: Section = {
  name: 'step',
  async run(request) {
    const dataset = loadDataset();
    const most = Math.min(availableParallelism(), MOST_WORKERS);
    const rows: Row[] = [];
    for (const load of requestedLoads(request)) {
      request.say(`step: ${load.model}, batch ${load.batchSize}, K = ${load.samples}`);
      const options = arithmetics().flatMap((arithmetic) =>
        [...new Set([1, most])].map(
          (workers): TimedRunOptions => ({ ...load, dataset, arithmetic, workers }),
        ),
      );
      rows.push(...(await measureSubjects(options, (subjects) => stepRows(load, subjects))));
    }
    return [
      {
        title: 'step',
        columns: [
          { key: 'model', heading: 'model' },
          { key: 'batch', heading: 'batch' },
          { key: 'samples', heading: 'K' },
          { key: 'arithmetic', heading: 'arithmetic' },
          { key: 'workers', heading: 'workers' },
          { key: 'tile', heading: 'tile' },
          { key: 'rate', heading: 'images/s', format: whole },
          { key: 'gflops', heading: 'GFLOP/s', format: oneDecimal },
          { key: 'peak', heading: 'probe/core', format: oneDecimal },
          { key: 'ofPeak', heading: 'of peak', format: percent },
          { key: 'speedup', heading: 'speed-up', format: times },
          { key: 'update', heading: 'update', format: percent },
          { key: 'packing', heading: 'packing', format: percent },
          { key: 'barrier', heading: 'barrier', format: percent },
        ],
        identity: ['model', 'batch', 'samples', 'arithmetic', 'workers'],
        measure: { key: 'rate', better: 'higher' },
        rows,
      },
    ];
  },
};

function stepRows({ model, batchSize, samples }: StepLoad, subjects: readonly Subject[]): Row[] {
  return subjects.map(({ run, rates, peaks }) => {
    const { arithmetic, tile } = run.platform;
    const operations = stepOperations(run.model, samples) / 1e9;
    // Whatever else runs on the core can only slow a probe down: the best one counts.
    const peak = Math.max(...peaks);
    const single = subjects.find((other) => other.run.workers === 1 && other.run.platform === run.platform)!;
    return {
      model,
      batch: batchSize,
      samples,
      arithmetic,
      workers: run.workers,
      tile,
      rate: median(rates),
      gflops: median(rates) * operations,
      peak,
      ofPeak: (median(rates) * operations) / (peak * run.workers),
      speedup: median(rates.map((rate, i) => rate / single.rates[i]!)),
      update: run.share('update'),
      packing: run.share('prepare'),
      barrier: run.share('barrier'),
    };
  });
}
