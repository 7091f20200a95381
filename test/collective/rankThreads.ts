// Threads that are the ranks of a scenario, on memories made for it.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BARRIER_BYTES } from '#src/collective/sharedMemory/barrier.js';
import { Arena } from '#src/kernels/arena.js';
import { squaredNormsBytes } from '#src/worker/squaredNorms.js';
import { shardTermsBytes } from '#src/worker/terms.js';
import type { Ended } from './collectiveContract.js';
import type { RankData } from './rankThread.js';
import { PARAMETERS, SHARDS } from './scenarios.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const PAGE = 65536;

/** A memory for one scenario, zero but for its places. @param before bytes that the places stand behind. */
export function makeRun(before: number): Pick<RankData, 'memory' | 'layout'> {
  const arena = new Arena(before);
  const layout = {
    barrier: arena.reserve(BARRIER_BYTES),
    decisions: arena.reserve(1024),
    parameters: arena.floats(PARAMETERS),
    state: [arena.floats(PARAMETERS), arena.floats(PARAMETERS)],
    shardTerms: arena.reserve(shardTermsBytes(SHARDS)),
    squaredNorms: arena.reserve(squaredNormsBytes(PARAMETERS)),
    slots: arena.floats(PARAMETERS * SHARDS),
    slotPitch: PARAMETERS * FLOAT,
  };
  const pages = Math.ceil(arena.end / PAGE);
  return { layout, memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }) };
}

/** Starts a rank; how its scenario ends. */
export async function startRank(workerData: RankData): Promise<Ended> {
  const worker = new Worker(new URL('./rankThread.js', import.meta.url), { workerData });
  const [ended] = (await once(worker, 'message')) as [Ended];
  return ended;
}
