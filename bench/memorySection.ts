// What a run needs: the peak of its process, and the shared memory by region.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Footprint, FootprintTask } from './footprint.js';
import { requestedLoads, type StepLoad } from './loads.js';
import { mebibytes, type Row, type Section } from './section.js';

const MOST_WORKERS = 8;

export const memorySection: Section = {
  name: 'memory',
  async run(request) {
    const workers = Math.min(availableParallelism(), MOST_WORKERS);
    const totals: Row[] = [];
    const regions: Row[] = [];
    for (const load of requestedLoads(request)) {
      request.say(`memory: ${load.model}, batch ${load.batchSize}, K = ${load.samples}`);
      const footprint = await footprintOf({ ...load, workers });
      const { model, batchSize: batch, samples } = load;
      const { peakRss, shared } = footprint;
      totals.push({ model, batch, samples, workers, peakRss, shared });
      regions.push(...regionRows(load, footprint));
    }
    return [
      {
        title: `memory: a process of ${workers} workers, MiB`,
        columns: [
          { key: 'model', heading: 'model' },
          { key: 'batch', heading: 'batch' },
          { key: 'samples', heading: 'K' },
          { key: 'workers', heading: 'workers' },
          { key: 'peakRss', heading: 'peak RSS', format: mebibytes },
          { key: 'shared', heading: 'shared memory', format: mebibytes },
        ],
        identity: ['model', 'batch', 'samples', 'workers'],
        measure: { key: 'peakRss', better: 'lower' },
        rows: totals,
      },
      {
        title: 'memory: shared memory by region, MiB',
        columns: [
          { key: 'model', heading: 'model' },
          { key: 'batch', heading: 'batch' },
          { key: 'samples', heading: 'K' },
          { key: 'region', heading: 'region' },
          { key: 'count', heading: 'of them' },
          { key: 'bytes', heading: 'in all', format: mebibytes },
        ],
        identity: ['model', 'batch', 'samples', 'region'],
        measure: { key: 'bytes', better: 'lower' },
        rows: regions,
      },
    ];
  },
};

/** A process of its own: peaks do not go down again. */
async function footprintOf(task: FootprintTask): Promise<Footprint> {
  const child = fork(fileURLToPath(new URL('./footprint.js', import.meta.url)));
  child.send(task);
  const [footprint] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`The process whose memory was to be measured ended with ${code}.`);
    }),
  ])) as [Footprint];
  child.disconnect();
  return footprint;
}

/** Regions of all ranks are one row; the largest first. */
function regionRows({ model, batchSize: batch, samples }: StepLoad, { regions }: Footprint): Row[] {
  const sums = new Map<string, { count: number; bytes: number }>();
  for (const { name, bytes } of regions) {
    const region = name.replace(/^rank \d+/, 'each rank');
    const sum = sums.get(region) ?? { count: 0, bytes: 0 };
    sums.set(region, { count: sum.count + 1, bytes: sum.bytes + bytes });
  }
  return [...sums]
    .map(([region, sum]) => ({ model, batch, samples, region, ...sum }))
    .sort((a, b) => b.bytes - a.bytes);
}
