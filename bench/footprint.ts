// The process whose memory memorySection.ts measures: a run of a few hundred steps.

import { TimedRun } from '#src/coordinator/timedRun.js';
import { loadDataset } from '#src/data/registry.js';
import type { Region } from '#src/worker/runLayout.js';

export interface FootprintTask {
  readonly model: string;
  readonly batchSize: number;
  readonly samples: number;
  readonly workers: number;
}

export interface Footprint {
  /** Bytes. */
  readonly peakRss: number;
  readonly shared: number;
  readonly regions: readonly Region[];
}

const STEPS = 100;
const KIBIBYTE = 1024;

async function measure(task: FootprintTask): Promise<Footprint> {
  const run = await TimedRun.create({ ...task, dataset: loadDataset() });
  await run.run(STEPS);
  const { regions, bytes } = run.state.layout;
  verify(regions, bytes);
  const peakRss = process.resourceUsage().maxRSS * KIBIBYTE;
  await run.close();
  return { peakRss, shared: bytes, regions };
}

/** The table is the memory: regions lie in order, apart, and within it. */
function verify(regions: readonly Region[], bytes: number): void {
  let end = 0;
  for (const region of regions) {
    if (region.address < end) throw new Error(`The region ${region.name} overlaps the one before.`);
    end = region.address + region.bytes;
  }
  if (end > bytes) throw new Error(`The regions end at ${end}, behind the memory's ${bytes} bytes.`);
}

process.once('message', async (task: FootprintTask) => {
  process.send?.(await measure(task));
});
