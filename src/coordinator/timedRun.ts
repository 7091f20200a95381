import type { BackendName } from '../backends/backend.js';
import type { Dataset } from '../data/source.js';
import type { Arithmetic, Kernels } from '../kernels/kernels.js';
import type { Platform } from '../kernels/platform.js';
import type { TileName } from '../kernels/tiles/tile.js';
import type { Model } from '../model/model.js';
import type { ModelSpec } from '../model/spec.js';
import { parameterHash } from '../runs/checkpoint.js';
import { type PhaseName, PhaseTimes } from '../worker/phaseTimes.js';
import type { RunState } from './runState.js';
import { openSession, type Session } from './session.js';
import { requestedConfig } from './trainOptions.js';

export interface TimedRunOptions {
  readonly dataset: Dataset;
  readonly workers: number;
  readonly model?: string | ModelSpec;
  /** Default: the model's. */
  readonly batchSize?: number;
  /** K; default: the model's. */
  readonly samples?: number;
  /** Default `simd`. */
  readonly backend?: BackendName;
  readonly arithmetic?: Arithmetic;
  readonly revectorize?: boolean;
  readonly tile?: TileName;
}

/**
 * A run that is only timed: shared memory, ranks and barriers as in training, over the steps of one epoch
 * again and again. Between measurements its threads sleep.
 */
export class TimedRun {
  readonly state: RunState;
  readonly workers: number;
  readonly #session: Session;
  /** Steps of the epoch with whole batches: only these are timed. */
  readonly #wholeSteps: number;
  readonly #images: number;
  /** The phase times of rank 0. */
  readonly #times: PhaseTimes;
  #step = 0;

  private constructor(session: Session) {
    this.#session = session;
    this.state = session.state;
    this.workers = session.workers;
    const { batchSize, trainCount } = this.state.settings;
    this.#images = Math.min(batchSize, trainCount);
    const { memory, layout } = this.state;
    this.#times = new PhaseTimes(memory.buffer, layout.ranks[0]!.times);
    this.#wholeSteps = Math.max(1, Math.floor(trainCount / batchSize));
  }

  /** @throws UsageError where the options do not make a run. */
  static async create({ dataset, workers, ...options }: TimedRunOptions): Promise<TimedRun> {
    const { revectorize, tile, ...requested } = options;
    const config = await requestedConfig(requested, dataset, undefined);
    const session = openSession({ config, dataset, workers, revectorize, tile });
    session.state.shuffle(0);
    return new TimedRun(session);
  }

  get model(): Model {
    return this.state.model;
  }

  get kernels(): Kernels {
    return this.state.kernels;
  }

  get platform(): Platform {
    return this.state.platform;
  }

  get batchSize(): number {
    return this.state.settings.batchSize;
  }

  /** SHA-256 of the parameters: equal after as many steps, whatever decides speed alone. */
  get hash(): string {
    return parameterHash(Float32Array.from(this.state.parameters));
  }

  /** Runs steps; returns milliseconds. */
  async run(steps: number): Promise<number> {
    const start = performance.now();
    for (let left = steps; left > 0; ) {
      if (this.#step === this.#wholeSteps) this.#step = 0;
      const count = Math.min(left, this.#wholeSteps - this.#step);
      await this.#session.pool.trainSteps(0, this.#step, this.#step + count);
      this.#step += count;
      left -= count;
    }
    return performance.now() - start;
  }

  /**
   * Runs for some milliseconds, until V8's compilers have settled; returns milliseconds a step, of the last
   * ones.
   */
  async warm(milliseconds: number): Promise<number> {
    let steps = 1;
    let time = await this.run(steps);
    for (let spent = time; spent < milliseconds; spent += time) {
      // Longer and longer, so that starting the ranks does not count.
      if (time < milliseconds / 8) steps *= 2;
      time = await this.run(steps);
    }
    this.#times.reset();
    return time / steps;
  }

  /** Images a second, of as many steps. */
  async rate(steps: number): Promise<number> {
    const milliseconds = await this.run(steps);
    return (steps * this.#images) / (milliseconds / 1000);
  }

  /** Share of rank 0's time, since it was warmed, that a phase has had. */
  share(phase: PhaseName): number {
    return this.#times.share(phase);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}
