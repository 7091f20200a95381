// One worker to as many as there are cores; or, where it is asked for, a model of many hosts.

import { availableParallelism } from 'node:os';
import { loadDataset } from '#src/data/registry.js';
import { requestedLoads, type StepLoad } from './loads.js';
import { networkTables } from './networkTables.js';
import { median, percent, type Row, type Section, times, whole } from './section.js';
import { measureSubjects, type Subject } from './subjects.js';

/** Eight shards are as many as workers can share by default. */
const MOST_WORKERS = 8;

export const scalingSection: Section = {
  name: 'scaling',
  async run(request) {
    if (request.network !== undefined) return networkTables(request, request.network);
    const dataset = loadDataset();
    const most = Math.min(availableParallelism(), MOST_WORKERS);
    const rows: Row[] = [];
    for (const load of requestedLoads(request)) {
      request.say(`scaling: ${load.model}, batch ${load.batchSize}, K = ${load.samples}`);
      const options = Array.from({ length: most }, (_, i) => ({ ...load, dataset, workers: i + 1 }));
      rows.push(...(await measureSubjects(options, (subjects) => scalingRows(load, subjects))));
    }
    return [
      {
        title: 'scaling',
        columns: [
          { key: 'model', heading: 'model' },
          { key: 'batch', heading: 'batch' },
          { key: 'samples', heading: 'K' },
          { key: 'workers', heading: 'workers' },
          { key: 'rate', heading: 'images/s', format: whole },
          { key: 'speedup', heading: 'speed-up', format: times },
          { key: 'efficiency', heading: 'efficiency', format: percent },
        ],
        identity: ['model', 'batch', 'samples', 'workers'],
        measure: { key: 'rate', better: 'higher' },
        rows,
      },
    ];
  },
};

function scalingRows({ model, batchSize, samples }: StepLoad, subjects: readonly Subject[]): Row[] {
  const single = subjects[0]!;
  return subjects.map(({ run, rates }) => {
    const speedup = median(rates.map((rate, i) => rate / single.rates[i]!));
    return {
      model,
      batch: batchSize,
      samples,
      workers: run.workers,
      rate: median(rates),
      speedup,
      efficiency: speedup / run.workers,
    };
  });
}
