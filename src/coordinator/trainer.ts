import type { Dataset } from '../data/dataset.js';
import { UsageError } from '../errors.js';
import { objectiveOf } from '../objective/registry.js';
import type { ValueAt } from '../schedule/schedule.js';
import { Control } from '../worker/control.js';
import { STEP_METRICS } from '../worker/runMemory.js';
import { learningRateOf } from '../worker/settings.js';
import { epochOrder } from './epochOrder.js';
import type { FinishReason, MeanTerms, RunEvent } from './events.js';
import { writeEpochPictures } from './pictures.js';
import type { RunConfig } from './runConfig.js';
import type { RunDirectory } from './runDirectory.js';
import type { RunState } from './runState.js';
import { testMeans } from './testMeans.js';
import type { TrainOptions } from './trainOptions.js';
import type { WorkerPool } from './workerPool.js';

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** How often the coordinator reads what the ranks have done, milliseconds. */
const POLL_INTERVAL = 100;

const DEFAULT_LOG_EVERY = 100;

export interface TrainerParts {
  readonly config: RunConfig;
  readonly dataset: Dataset;
  readonly state: RunState;
  readonly pool: WorkerPool;
  readonly directory: RunDirectory;
  readonly tell: (event: RunEvent) => void;
  readonly options: TrainOptions;
  readonly workers: number;
}

/** Sums over the examples of an epoch so far; goes into checkpoints, so that a resumed epoch ends with the same means. */
interface EpochSums {
  examples: number;
  logLikelihood: number;
  kl: number;
  /** Of an objective that reports one. */
  bound?: number;
}

/** Drives the ranks through the epochs: order, steps, metrics, evaluation, checkpoint, pictures. */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly #doubles: Float64Array;
  readonly #learningRate: ValueAt;
  readonly #reportsBound: boolean;
  #sums: EpochSums;
  /** Steps whose metrics have been read. */
  #read = 0;
  /** Examples trained on and seconds spent on them, in this process. */
  #examples = 0;
  #seconds = 0;
  #test: MeanTerms | undefined;

  constructor(parts: TrainerParts) {
    this.#parts = parts;
    const { settings } = parts.state;
    this.#learningRate = learningRateOf(settings);
    this.#reportsBound = objectiveOf(settings.objective).weigh !== undefined;
    this.#sums = this.#noSums();
    this.#doubles = new Float64Array(parts.state.memory.buffer);
  }

  /** Trains from `step` (0, or a checkpoint's, with its sums) until the epochs or maxSteps are done. */
  async run(
    step: number,
    sums: Readonly<Record<string, number>> | undefined,
  ): Promise<{ reason: FinishReason; step: number; test: MeanTerms | undefined }> {
    const { config, state, options, directory } = this.#parts;
    const { stepsPerEpoch } = state.settings;
    const lastStep = config.epochs * stepsPerEpoch;
    const endStep = Math.min(lastStep, options.maxSteps ?? lastStep);
    if (step > endStep) {
      throw new UsageError(
        `${directory.path} has taken ${step} steps already, more than the ${endStep} that are asked for. ` +
          'Ask for more steps, or start a new run.',
      );
    }
    this.#tellStart(step, endStep);
    this.#read = step;
    if (sums) this.#sums = { ...this.#noSums(), ...sums };
    // A run that was killed between an epoch's last step and its evaluation has that still to do.
    if (step > 0 && step % stepsPerEpoch === 0 && !directory.hasEpochMetrics(step))
      await this.#endEpoch(step, 0, 0);
    let now = step;
    while (now < endStep && !this.#stopping()) now = await this.#runEpoch(now, endStep);
    const reason = now >= lastStep ? 'done' : this.#stopping() ? 'stopped' : 'maxSteps';
    this.#parts.tell({ kind: 'finished', reason, step: now });
    return { reason, step: now, test: this.#test };
  }

  /** The rest of the epoch that begins or goes on at `step`; returns the next step. */
  async #runEpoch(step: number, endStep: number): Promise<number> {
    const { pool, state } = this.#parts;
    const { stepsPerEpoch } = state.settings;
    const epoch = Math.floor(step / stepsPerEpoch);
    const epochEnd = (epoch + 1) * stepsPerEpoch;
    if (step === epoch * stepsPerEpoch) this.#sums = this.#noSums();
    this.#shuffle(epoch);
    const examplesBefore = this.#examples;
    const secondsBefore = this.#seconds;
    const next = await this.#polling(epoch, () => pool.trainSteps(epoch, step, Math.min(epochEnd, endStep)));
    await this.#checkpoint(next);
    if (next === epochEnd) {
      const examples = this.#examples - examplesBefore;
      await this.#endEpoch(next, this.#seconds - secondsBefore, examples);
    }
    return next;
  }

  #shuffle(epoch: number): void {
    const { kernels, memory, order, layout, settings } = this.#parts.state;
    epochOrder(kernels, memory.buffer, order, layout.orderBits, settings.key, epoch);
  }

  /** Runs the ranks while reading their metrics, passing on progress and requests to stop. */
  async #polling(epoch: number, work: () => Promise<number>): Promise<number> {
    const { state, options } = this.#parts;
    const secondsBefore = this.#seconds;
    const start = performance.now();
    const poll = () => {
      this.#seconds = secondsBefore + (performance.now() - start) / 1000;
      this.#readMetrics(epoch, Atomics.load(state.control, Control.stepsCompleted));
    };
    const stop = () => Atomics.store(state.control, Control.stopRequested, 1);
    const timer = setInterval(poll, POLL_INTERVAL);
    options.signal?.addEventListener('abort', stop);
    if (this.#stopping()) stop();
    try {
      const next = await work();
      poll();
      return next;
    } finally {
      clearInterval(timer);
      options.signal?.removeEventListener('abort', stop);
    }
  }

  /** Adds the steps up to `completed` to the epoch's sums and metrics.jsonl, and tells the last one. */
  #readMetrics(epoch: number, completed: number): void {
    const { state, tell, directory, options } = this.#parts;
    if (completed <= this.#read) return;
    const every = options.logEvery ?? DEFAULT_LOG_EVERY;
    for (; this.#read < completed; this.#read++) {
      const place =
        state.layout.stepMetrics / DOUBLE +
        (this.#read - epoch * state.settings.stepsPerEpoch) * STEP_METRICS;
      const [examples, logLikelihood, kl, bound, beta] = this.#doubles.subarray(
        place,
        place + STEP_METRICS,
      ) as unknown as [number, number, number, number, number];
      const sums = { examples, logLikelihood, kl, ...(this.#reportsBound ? { bound } : {}) };
      this.#sums = addSums(this.#sums, sums);
      this.#examples += examples;
      const step = this.#read + 1;
      const batch = means(sums);
      if (step % every === 0) {
        const learningRate = this.#learningRate(this.#read);
        directory.appendMetrics({ step, kind: 'batch', epoch: epoch + 1, ...batch, beta, learningRate });
      }
      if (step === completed) {
        tell({
          kind: 'progress',
          epoch: epoch + 1,
          step,
          examples: this.#examples,
          seconds: this.#seconds,
          batch,
        });
      }
    }
  }

  async #checkpoint(step: number): Promise<void> {
    const { config, state, directory, tell } = this.#parts;
    const { parameters, optimizerState } = state;
    const epochSums = { ...this.#sums };
    const sha256 = await directory.saveCheckpoint({ config, step, epochSums, parameters, optimizerState });
    tell({ kind: 'checkpoint', step, path: directory.checkpointPath(step), sha256 });
  }

  /** Evaluates the test set, writes the epoch's line and pictures. */
  async #endEpoch(step: number, seconds: number, examples: number): Promise<void> {
    const { state, pool, tell, directory, options, dataset, config } = this.#parts;
    const epoch = step / state.settings.stepsPerEpoch;
    tell({ kind: 'evaluating', epoch, step });
    await pool.evaluate();
    const train = means(this.#sums);
    const test = testMeans(state).means;
    this.#test = test;
    const imagesPerSecond = seconds > 0 ? examples / seconds : 0;
    directory.appendMetrics({ step, kind: 'epoch', epoch, train, test, seconds, imagesPerSecond });
    tell({ kind: 'epoch', epoch, step, train, test, seconds, imagesPerSecond });
    if (options.pictures !== false) {
      const pictures = { state, dataset, config, directory, epoch };
      for (const path of await writeEpochPictures(pictures)) tell({ kind: 'picture', path });
    }
  }

  #noSums(): EpochSums {
    return { examples: 0, logLikelihood: 0, kl: 0, ...(this.#reportsBound ? { bound: 0 } : {}) };
  }

  #stopping(): boolean {
    return this.#parts.options.signal?.aborted === true;
  }

  #tellStart(step: number, endStep: number): void {
    const { state, directory, config, workers, tell } = this.#parts;
    const { stepsPerEpoch, trainCount, testCount } = state.settings;
    tell({
      kind: 'started',
      directory: directory.path,
      config,
      parameters: state.model.parameters.size,
      workers,
      stepsPerEpoch,
      endStep,
      step,
      trainCount,
      testCount,
      memoryBytes: state.layout.bytes,
      tile: state.platform.tile,
      revectorized: state.platform.revectorized,
    });
  }
}

function addSums(a: EpochSums, b: EpochSums): EpochSums {
  return {
    examples: a.examples + b.examples,
    logLikelihood: a.logLikelihood + b.logLikelihood,
    kl: a.kl + b.kl,
    ...(a.bound === undefined || b.bound === undefined ? {} : { bound: a.bound + b.bound }),
  };
}

function means({ examples, logLikelihood, kl, bound }: EpochSums): MeanTerms {
  return {
    elbo: (logLikelihood - kl) / examples,
    logLikelihood: logLikelihood / examples,
    kl: kl / examples,
    ...(bound === undefined ? {} : { bound: bound / examples }),
  };
}
