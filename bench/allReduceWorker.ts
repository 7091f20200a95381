// A thread of allReduceSection.ts: barriers, and a rank's slice of the update between them.

import { parentPort, workerData } from 'node:worker_threads';
import { BarrierWords } from '#src/collective/sharedMemory/barrier.js';
import { SharedMemoryCollective, type SlotMemory } from '#src/collective/sharedMemory/collective.js';
import { bindKernels } from '#src/kernels/kernels.js';
import { adam } from '#src/optimizer/adam.js';

/** Addresses and extents in the shared memory. */
export interface AllReduceLayout extends SlotMemory {
  readonly barrier: number;
  /** One word a rank: rounds that it has begun. */
  readonly rounds: number;
  /** The number of parameters, a multiple of SLICE_UNIT. */
  readonly count: number;
  readonly shards: number;
}

export interface AllReduceData {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly layout: AllReduceLayout;
  readonly rank: number;
  readonly ranks: number;
  readonly spins: number;
}

export interface AllReduceTask {
  readonly kind: 'barriers' | 'updates';
  readonly rounds: number;
  /** Whether ranks look that nobody is a round ahead or behind. */
  readonly verify: boolean;
}

const TIME_LIMIT = 60_000;

const { memory, module, layout, rank, ranks, spins } = workerData as AllReduceData;
const begun = new Int32Array(memory.buffer, layout.rounds, ranks);
const collective = new SharedMemoryCollective({
  words: new BarrierWords(memory.buffer, layout.barrier),
  ...{ rank, ranks, spins, timeLimit: TIME_LIMIT, shards: layout.shards },
  stepOf: () => 0,
  memory: layout,
  holdsSums: false,
  parameters: layout.count,
});
const kernels = bindKernels(module, memory);
const optimizer = adam.create(kernels, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
optimizer.begin(3, 1e-3, 1 / 128);

/** Milliseconds of all rounds. */
function run({ kind, rounds, verify }: AllReduceTask): number {
  collective.barrier();
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (verify) Atomics.add(begun, rank, 1);
    if (kind === 'updates') collective.reduceAndUpdate(optimizer);
    collective.barrier();
    if (verify) requireTogether();
  }
  return performance.now() - start;
}

/** After a barrier all have begun the round; until the next one nobody begins another. */
function requireTogether(): void {
  const own = Atomics.load(begun, rank);
  for (let other = 0; other < ranks; other++) {
    const rounds = Atomics.load(begun, other);
    if (rounds < own) throw new Error(`Rank ${other} is ${own - rounds} rounds behind rank ${rank}.`);
  }
  collective.barrier();
}

parentPort!.on('message', (task: AllReduceTask) => parentPort!.postMessage(run(task)));
