// A thread that is one rank of a scenario.
import { parentPort, workerData } from 'node:worker_threads';
import { SLICE_UNIT } from '#src/collective/parameterSlices.js';
import { ProcessCollective } from '#src/collective/processes/collective.js';
import { Mailbox } from '#src/collective/processes/mailbox.js';
import type { ProcessPlace } from '#src/collective/processPlace.js';
import { BarrierWords } from '#src/collective/sharedMemory/barrier.js';
import { SharedMemoryCollective, type SlotMemory } from '#src/collective/sharedMemory/collective.js';
import { type Address, plus } from '#src/kernels/address.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { adam } from '#src/optimizer/adam.js';
import { MeasuredGradient } from '#src/optimizer/clipping.js';
import { SquaredNorms } from '#src/worker/squaredNorms.js';
import { ShardTerms } from '#src/worker/terms.js';
import { ADAM_DEFAULTS } from '../kernels/scalarAdam.js';
import type { Ended } from './collectiveContract.js';
import { PARAMETERS, type RankPlace, SCENARIOS, type ScenarioName, SHARDS } from './scenarios.js';

export interface RankData {
  readonly memory: WebAssembly.Memory;
  readonly rank: number;
  readonly ranks: number;
  readonly timeLimit: number;
  readonly scenario: ScenarioName;
  readonly layout: SlotMemory & {
    readonly barrier: Address;
    readonly decisions: Address;
    readonly shardTerms: Address;
    readonly squaredNorms: Address;
  };
  /** Absent: all ranks are threads on one memory. */
  readonly processes?: { readonly place: ProcessPlace; readonly mailbox: SharedArrayBuffer };
}

function place({ memory, layout, rank, ranks, timeLimit, processes }: RankData): RankPlace {
  const { buffer } = memory;
  const kernels = bindKernels(compileKernels('portable'), memory);
  const options = {
    words: new BarrierWords(buffer, layout.barrier),
    ...{ rank, ranks, timeLimit, spins: 100, shards: SHARDS, parameters: PARAMETERS },
    stepOf: (other: number) => 100 + other,
    memory: layout,
    holdsSums: false,
  };
  const norms = { norms: layout.squaredNorms, unit: SLICE_UNIT, parameters: PARAMETERS };
  return {
    collective:
      processes === undefined
        ? new SharedMemoryCollective(options)
        : new ProcessCollective({
            ...options,
            kernels,
            place: processes.place,
            mailbox: new Mailbox(processes.mailbox),
          }),
    optimizer: adam.create(kernels, ADAM_DEFAULTS),
    shardTerms: new ShardTerms(buffer, layout.shardTerms, SHARDS),
    measured: new MeasuredGradient(kernels, norms),
    squaredNorms: new SquaredNorms(buffer, layout.squaredNorms, PARAMETERS),
    parameters: new Float32Array(buffer, layout.parameters, PARAMETERS),
    slot: (shard) => new Float32Array(buffer, plus(layout.slots, shard * layout.slotPitch), PARAMETERS),
  };
}

async function run(data: RankData): Promise<Ended> {
  try {
    return { kind: 'returned', value: await SCENARIOS[data.scenario](place(data)) };
  } catch (error) {
    const { name, message } = error as Error;
    return { kind: 'threw', name, message };
  }
}

parentPort!.postMessage(await run(workerData as RankData));
