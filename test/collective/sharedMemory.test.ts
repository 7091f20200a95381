import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BARRIER_BYTES } from '#src/collective/sharedMemory/barrier.js';
import { Arena } from '#src/kernels/arena.js';
import { shardTermsBytes } from '#src/worker/terms.js';
import { collectiveContract, type Ended } from './collectiveContract.js';
import { PARAMETERS, type ScenarioName, SHARDS } from './scenarios.js';
import type { RankData } from './sharedMemoryRank.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const PAGE = 65536;

/** A memory for one scenario, zero but for its places. */
function makeRun(): Pick<RankData, 'memory' | 'layout'> {
  const arena = new Arena(0);
  const layout = {
    barrier: arena.reserve(BARRIER_BYTES),
    parameters: arena.floats(PARAMETERS),
    state: [arena.floats(PARAMETERS), arena.floats(PARAMETERS)],
    shardTerms: arena.reserve(shardTermsBytes(SHARDS)),
    slots: arena.floats(PARAMETERS * SHARDS),
    slotPitch: PARAMETERS * FLOAT,
  };
  const pages = Math.ceil(arena.end / PAGE);
  return { layout, memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }) };
}

async function runScenario(ranks: number, scenario: ScenarioName, timeLimit: number): Promise<Ended[]> {
  const run = makeRun();
  const threads = Array.from({ length: ranks }, async (_, rank) => {
    const workerData: RankData = { ...run, rank, ranks, timeLimit, scenario };
    const worker = new Worker(new URL('./sharedMemoryRank.js', import.meta.url), { workerData });
    const [ended] = (await once(worker, 'message')) as [Ended];
    return ended;
  });
  return Promise.all(threads);
}

collectiveContract({ title: 'shared memory', run: runScenario });
