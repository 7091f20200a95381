// Teams of threads that sum gradients and update parameters, as the ranks of a run do, and nothing else.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BARRIER_BYTES } from '#src/collective/sharedMemory/barrier.js';
import { Arena } from '#src/kernels/arena.js';
import type { AllReduceData, AllReduceLayout, AllReduceTask } from './allReduceWorker.js';
import { defaultPlatform } from './machine.js';
import { median } from './section.js';

const PAGE = 65536;
const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const ROUNDS = 7;
/** About the time that one measurement takes, in milliseconds. */
const SLICE = 60;
const WARM_ROUNDS = 300;

export interface TeamOptions {
  readonly ranks: number;
  /** As WorkerPool has it where each rank has a core, or 0 as where not. */
  readonly spins: number;
  /** Parameters: a multiple of SLICE_UNIT. */
  readonly count: number;
  /** Gradients that are summed. */
  readonly shards: number;
}

/** Microseconds a round of each team, medians of interleaved measurements. */
export async function measureTeams(
  teams: readonly UpdateTeam[],
  kind: AllReduceTask['kind'],
): Promise<number[]> {
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

/** Threads on a memory of their own, which sleep between measurements. */
export class UpdateTeam {
  readonly #memory: WebAssembly.Memory;
  readonly #layout: AllReduceLayout;
  readonly #workers: readonly Worker[];

  readonly ranks: number;
  readonly spins: number;

  constructor({ ranks, spins, count, shards }: TeamOptions) {
    this.ranks = ranks;
    this.spins = spins;
    const arena = new Arena(0);
    this.#layout = {
      barrier: arena.reserve(BARRIER_BYTES),
      rounds: arena.reserve(ranks * Int32Array.BYTES_PER_ELEMENT),
      parameters: arena.floats(count),
      state: [arena.floats(count), arena.floats(count)],
      slots: arena.floats(count * shards),
      slotPitch: count * FLOAT,
      count,
      shards,
    };
    const pages = Math.ceil(arena.end / PAGE);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    // Gradients that differ from shard to shard and from parameter to parameter.
    const slots = new Float32Array(this.#memory.buffer, this.#layout.slots, count * shards);
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
