// What a training step costs, through the run's own path (shared memory, Piscina ranks, barriers), against the peak of the
// core that a register-only probe measures in the same process. Rounds are interleaved, figures are medians.
//
//   npm run bench                 all models, 1 and all workers
//   npm run bench -- cvae 128     one model and batch

import { availableParallelism } from 'node:os';
import { parameterHash } from '#src/coordinator/checkpoint.js';
import { RunState } from '#src/coordinator/runState.js';
import { requestedConfig, settingsOf } from '#src/coordinator/trainOptions.js';
import { WorkerPool } from '#src/coordinator/workerPool.js';
import { type Dataset, loadDataset } from '#src/data/dataset.js';
import type { Kernels } from '#src/kernels/kernels.js';
import { choosePlatform } from '#src/kernels/platform.js';
import { layerMultiplyAdds } from '#src/model/describe.js';
import type { Model } from '#src/model/model.js';
import { resolveModel } from '#src/model/resolve.js';
import { Timing } from '#src/worker/stepLoop.js';

const ROUNDS = 9;
/** Of one measurement, milliseconds, about. */
const SLICE = 600;
/** Short calls: V8 replaces a function by its optimised code between calls, never within one. */
const PROBE_CALLS = 200;
const PROBE_ROUNDS = 10_000;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** One configuration, its threads started and warm. */
class Subject {
  readonly #state: RunState;
  readonly #pool: WorkerPool;
  #step = 0;
  #stepsPerSlice = 1;
  /** Images a second, one a round. */
  readonly rates: number[] = [];

  private constructor(
    readonly workers: number,
    readonly batchSize: number,
    state: RunState,
  ) {
    this.#state = state;
    this.#pool = new WorkerPool({ state, workers, barrierTimeLimit: 60_000 });
  }

  static async create(dataset: Dataset, model: string, batchSize: number, workers: number): Promise<Subject> {
    const config = await requestedConfig({ model, batchSize }, dataset, undefined);
    const resolved = resolveModel(config.model, { latent: config.latent });
    const platform = choosePlatform({ arithmetic: config.arithmetic, revectorize: true });
    const state = new RunState(resolved, settingsOf(config, dataset, platform), platform, dataset, workers);
    state.initialize(dataset);
    return new Subject(workers, batchSize, state);
  }

  get model(): Model {
    return this.#state.model;
  }

  get kernels(): Kernels {
    return this.#state.kernels;
  }

  get hash(): string {
    return parameterHash(Float32Array.from(this.#state.parameters));
  }

  async run(steps: number): Promise<number> {
    const { stepsPerEpoch } = this.#state.settings;
    // Steps of one epoch, again and again: the order of the examples does not matter here.
    if (this.#step + steps > stepsPerEpoch) this.#step = 0;
    const start = performance.now();
    await this.#pool.trainSteps(0, this.#step, this.#step + steps);
    this.#step += steps;
    return performance.now() - start;
  }

  /** The engine's compilers need a second of work before the figures settle. */
  async warm(): Promise<void> {
    let time = await this.run(8);
    for (let spent = time; spent < 2000; spent += time) time = await this.run(8);
    const most = this.#state.settings.stepsPerEpoch;
    this.#stepsPerSlice = Math.max(1, Math.min(most, Math.round((SLICE / time) * 8)));
    new Float64Array(this.#state.memory.buffer, this.#state.layout.ranks[0]!.timing, 4).fill(0);
  }

  async measure(): Promise<void> {
    const milliseconds = await this.run(this.#stepsPerSlice);
    this.rates.push((this.#stepsPerSlice * this.batchSize) / (milliseconds / 1000));
  }

  /** Share of rank 0's time that a phase has had. */
  share(...phases: readonly number[]): number {
    const timing = this.#state.layout.ranks[0]!.timing / DOUBLE;
    const times = new Float64Array(this.#state.memory.buffer).subarray(timing, timing + 4);
    const total = times.reduce((sum, time) => sum + time, 0);
    return phases.reduce((sum, phase) => sum + times[phase]!, 0) / total;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** Floating-point operations of a training step on one example: three passes, but no gradient to the image. */
function stepOperations(model: Model): number {
  const passes = [...model.encoder, ...model.decoder].map((layer) => 6 * layerMultiplyAdds(layer));
  const first = model.encoder.find((layer) => layer.kind === 'correlation')!;
  return passes.reduce((sum, operations) => sum + operations, 0) - 2 * layerMultiplyAdds(first);
}

/** GFLOP/s of multiply-adds that never leave the registers. */
function probePeak(kernels: Kernels): number {
  const start = performance.now();
  for (let i = 0; i < PROBE_CALLS; i++) kernels.peakProbe(PROBE_ROUNDS, 0.5, 0);
  return (96 * PROBE_ROUNDS * PROBE_CALLS) / (performance.now() - start) / 1e6;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

async function benchModel(dataset: Dataset, name: string, batchSize: number): Promise<void> {
  const most = Math.min(availableParallelism(), 8);
  const subjects = [await Subject.create(dataset, name, batchSize, 1)];
  if (most > 1) subjects.push(await Subject.create(dataset, name, batchSize, most));
  for (const subject of subjects) await subject.run(4);
  if (new Set(subjects.map(({ hash }) => hash)).size !== 1)
    throw new Error('The parameters differ by workers.');
  for (const subject of subjects) await subject.warm();
  const probes: number[] = [];
  const { kernels, model } = subjects[0]!;
  for (let i = 0; i < 3; i++) probePeak(kernels);
  for (let round = 0; round < ROUNDS; round++) {
    probes.push(probePeak(kernels));
    for (const subject of subjects) await subject.measure();
  }
  report(name, batchSize, model, subjects, probes);
  for (const subject of subjects) await subject.close();
}

function report(name: string, batch: number, model: Model, subjects: Subject[], probes: number[]): void {
  const operations = stepOperations(model);
  const single = subjects[0]!;
  for (const subject of subjects) {
    const rate = median(subject.rates);
    const ofPeak = subject.rates.map((r, i) => (r * operations) / 1e9 / (probes[i]! * subject.workers));
    const speedup = median(subject.rates.map((r, i) => r / single.rates[i]!));
    const update = subject.share(Timing.update);
    const waiting = subject.share(Timing.barrier);
    const packing = subject.share(Timing.prepare);
    console.log(
      [
        name.padEnd(5),
        String(batch).padStart(5),
        String(subject.workers).padStart(7),
        rate.toFixed(0).padStart(9),
        ((rate * operations) / 1e9).toFixed(1).padStart(8),
        median(probes).toFixed(1).padStart(11),
        percent(median(ofPeak)).padStart(9),
        `${speedup.toFixed(2)}×`.padStart(8),
        percent(update).padStart(12),
        percent(packing).padStart(8),
        percent(waiting).padStart(8),
      ].join(' '),
    );
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

const [model, batch] = process.argv.slice(2);
const dataset = loadDataset();
console.log(
  'model batch workers  images/s  GFLOP/s  probe/core  of peak  speedup  reduce+Adam  packing  barrier',
);
const chosen: [string, number][] = model
  ? [[model, Number(batch ?? 128)]]
  : [
      ['cvae', 128],
      ['cvae', 32],
      ['mlp', 128],
      ['iwae', 20],
    ];
for (const [name, size] of chosen) await benchModel(dataset, name, size);
