// The all-reduce with the update, and the barriers around it, in threads of their own. Dense models go by it
// with large batches alone (ownerComputes in src/backends/simd/engine.ts).

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { paddedParameters } from '#src/collective/parameterSlices.js';
import { BARRIER_BYTES } from '#src/collective/sharedMemory/barrier.js';
import { Arena } from '#src/kernels/arena.js';
import { SPINS } from '#src/kernels/tuning.js';
import { presetNames, presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import type { AllReduceData, AllReduceLayout, AllReduceTask } from './allReduceWorker.js';
import { defaultPlatform } from './machine.js';
import { median, oneDecimal, type Row, type Section, type Table, twoDecimals } from './section.js';

const SHARDS = 8;
const PAGE = 65536;
const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const ROUNDS = 7;
/** About the time that one measurement takes, in milliseconds. */
const SLICE = 60;
const WARM_ROUNDS = 300;
const VERIFIED_ROUNDS = 50;

/** As WorkerPool has it where each rank has a core, and where not. */
const SPINS_OF_BARRIERS = [SPINS, 0];

export const allReduceSection: Section = {
  name: 'all-reduce',
  async run({ say, model }) {
    const updates: Row[] = [];
    const cores = Math.min(availableParallelism(), SHARDS);
    for (const name of presetNames.filter((preset) => preset === (model ?? preset))) {
      say(`all-reduce: ${name}`);
      updates.push(...(await updateRows(name, cores)));
    }
    say('all-reduce: barriers');
    return [updateTable(updates), barrierTable(await barrierRows(cores))];
  },
};

async function updateRows(name: string, cores: number): Promise<Row[]> {
  const spec = presetSpec(name, [28, 28, 1]);
  const model = resolveModel({ ...spec, input: [28, 28, 1] }, { latent: spec.latent });
  const count = paddedParameters(model.parameters.size);
  const teams = [1, ...(cores > 1 ? [cores] : [])].map((ranks) => new Team(ranks, SPINS, count));
  try {
    await verifyUpdates(teams);
    const times = await measure(teams, 'updates');
    return teams.map(({ ranks }, i) => ({
      model: name,
      parameters: count,
      workers: ranks,
      microseconds: times[i]!,
      // Reads all slots, parameters, m and v; writes the last three.
      rate: ((SHARDS + 6) * count * FLOAT) / times[i]! / 1000,
    }));
  } finally {
    for (const team of teams) await team.close();
  }
}

async function barrierRows(cores: number): Promise<Row[]> {
  const counts = [...new Set([1, 2, 3, 4, cores, 2 * cores, 4 * cores])].sort((a, b) => a - b);
  const rows: Row[] = [];
  for (const ranks of counts) {
    const teams = SPINS_OF_BARRIERS.map((spins) => new Team(ranks, spins, 16));
    try {
      for (const team of teams) await team.run({ kind: 'barriers', rounds: VERIFIED_ROUNDS, verify: true });
      const times = await measure(teams, 'barriers');
      teams.forEach(({ spins }, i) => {
        rows.push({ workers: ranks, cores, spins, microseconds: times[i]! });
      });
    } finally {
      for (const team of teams) await team.close();
    }
  }
  return rows;
}

/** Microseconds a round of each team, medians of interleaved measurements. */
async function measure(teams: readonly Team[], kind: AllReduceTask['kind']): Promise<number[]> {
  const rounds: number[] = [];
  for (const team of teams) {
    const time = await team.run({ kind, rounds: WARM_ROUNDS, verify: false });
    rounds.push(Math.max(10, Math.round((SLICE / time) * WARM_ROUNDS)));
  }
  const times = teams.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, team] of teams.entries()) {
      const time = await team.run({ kind, rounds: rounds[i]!, verify: false });
      times[i]!.push((1000 * time) / rounds[i]!);
    }
  }
  return times.map(median);
}

/** @throws Error where teams of different sizes come to different parameters, or to those they began with. */
async function verifyUpdates(teams: readonly Team[]): Promise<void> {
  const before = teams[0]!.parameters();
  for (const team of teams) await team.run({ kind: 'updates', rounds: VERIFIED_ROUNDS, verify: true });
  const after = teams[0]!.parameters();
  if (after.equals(before)) throw new Error('The updates did nothing.');
  for (const { ranks, ...team } of teams.map((t) => ({ ranks: t.ranks, bits: t.parameters() }))) {
    if (!team.bits.equals(after)) throw new Error(`${ranks} workers came to other parameters than one.`);
  }
}

/** Threads on a memory of their own, which sleep between measurements. */
class Team {
  readonly #memory: WebAssembly.Memory;
  readonly #layout: AllReduceLayout;
  readonly #workers: readonly Worker[];

  constructor(
    readonly ranks: number,
    readonly spins: number,
    count: number,
  ) {
    const arena = new Arena(0);
    this.#layout = {
      barrier: arena.reserve(BARRIER_BYTES),
      rounds: arena.reserve(ranks * Int32Array.BYTES_PER_ELEMENT),
      parameters: arena.floats(count),
      state: [arena.floats(count), arena.floats(count)],
      slots: arena.floats(count * SHARDS),
      slotPitch: count * FLOAT,
      count,
      shards: SHARDS,
    };
    const pages = Math.ceil(arena.end / PAGE);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    // Gradients that differ from shard to shard and from parameter to parameter.
    const slots = new Float32Array(this.#memory.buffer, this.#layout.slots, count * SHARDS);
    for (let i = 0; i < slots.length; i++) slots[i] = ((i * 37) % 1009) / 1009 - 0.5;
    const { module } = defaultPlatform();
    this.#workers = Array.from({ length: ranks }, (_, rank) => {
      const workerData: AllReduceData = {
        memory: this.#memory,
        module,
        layout: this.#layout,
        rank,
        ranks,
        spins,
      };
      return new Worker(new URL('./allReduceWorker.js', import.meta.url), { workerData });
    });
  }

  /** Milliseconds of the slowest rank. */
  async run(task: AllReduceTask): Promise<number> {
    const results = this.#workers.map(async (worker) => {
      const answer = once(worker, 'message') as Promise<[number]>;
      worker.postMessage(task);
      return (await answer)[0];
    });
    return Math.max(...(await Promise.all(results)));
  }

  parameters(): Buffer {
    const { parameters, count } = this.#layout;
    return Buffer.from(new Uint8Array(this.#memory.buffer, parameters, count * FLOAT));
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) await worker.terminate();
  }
}

function updateTable(rows: readonly Row[]): Table {
  return {
    title: `all-reduce: sum of ${SHARDS} shards, Adam and a barrier`,
    columns: [
      { key: 'model', heading: 'model' },
      { key: 'parameters', heading: 'parameters' },
      { key: 'workers', heading: 'workers' },
      { key: 'microseconds', heading: 'µs', format: oneDecimal },
      { key: 'rate', heading: 'GB/s', format: oneDecimal },
    ],
    identity: ['model', 'workers'],
    measure: { key: 'rate', better: 'higher' },
    rows,
  };
}

function barrierTable(rows: readonly Row[]): Table {
  return {
    title: 'all-reduce: barriers (spins: looks before sleeping)',
    columns: [
      { key: 'workers', heading: 'workers' },
      { key: 'cores', heading: 'cores' },
      { key: 'spins', heading: 'spins' },
      { key: 'microseconds', heading: 'µs', format: twoDecimals },
    ],
    identity: ['workers', 'spins'],
    measure: { key: 'microseconds', better: 'lower' },
    rows,
  };
}
