import { existsSync } from 'node:fs';
import type { RunData } from '../data/source.js';
import { NotFiniteError, UsageError } from '../errors.js';
import type { Checkpoint } from '../runs/checkpoint.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { RunConfig } from '../runs/runConfig.js';
import type { RunDirectory } from '../runs/runDirectory.js';
import type { ValueAt } from '../schedule/schedule.js';
import { PhaseTimes } from '../worker/phaseTimes.js';
import { RefusedStep } from '../worker/refusedStep.js';
import { learningRateOf } from '../worker/settings.js';
import { CheckpointTimer } from './checkpointPolicy.js';
import { CheckpointWriter } from './checkpointWriter.js';
import {
  addSums,
  type EpochStart,
  type EpochSums,
  meansOf,
  noSums,
  sumsBefore,
  sumsOf,
} from './epochSums.js';
import type { FinishReason, RunEvent } from './events.js';
import { epochPreview } from './preview.js';
import { divergence, failedForGood, messageOf, stoppedBy } from './runFailure.js';
import {
  FIRST_PICTURE_STEP,
  firstPicturePath,
  hasEpochPictures,
  writeEpochPictures,
  writeFirstPicture,
} from './runPictures.js';
import type { RunState } from './runState.js';
import { directorySinks } from './sinks/registry.js';
import type { RunSinks } from './sinks/runSinks.js';
import type { Sink, SinkEvent } from './sinks/sink.js';
import { testMeans } from './testMeans.js';
import type { TrainOptions } from './trainOptions.js';
import { type RunPool, WorkerFailure } from './workerPool.js';

/** How often the coordinator reads what the ranks have done, milliseconds. */
const POLL_INTERVAL = 100;

export interface TrainerParts {
  readonly config: RunConfig;
  readonly dataset: RunData;
  readonly state: RunState;
  readonly pool: RunPool;
  readonly directory: RunDirectory;
  readonly sinks: RunSinks;
  readonly options: TrainOptions;
  readonly workers: number;
}

/** What a trainer begins with. */
export interface TrainerStart extends Pick<Checkpoint, 'step'>, Partial<Pick<Checkpoint, 'epochSums'>> {
  readonly told?: number;
}

/** Drives the ranks through the epochs: order, steps, metrics, evaluation, checkpoint, pictures. */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly #learningRate: ValueAt;
  readonly #noSums: EpochSums;
  readonly #due: CheckpointTimer;
  readonly #writer = new CheckpointWriter((checkpoint) => this.#write(checkpoint));
  #sums: EpochSums;
  /** The sums with which this process began or went on with the epoch, and the step. */
  #begun: EpochStart;
  /** Steps whose metrics have been read. */
  #read = 0;
  /** Examples trained on and seconds spent on them, in this process. */
  #examples = 0;
  #seconds = 0;
  #test: MeanTerms | undefined;
  /** Sinks that failed while the ranks worked, with why; the first one first. */
  readonly #failures = new Map<Sink, unknown>();
  /** Whether another process of the run was asked to stop. */
  #stopAskedElsewhere = false;
  /** Whether this process has written a picture. */
  #pictured = false;

  constructor(parts: TrainerParts) {
    this.#parts = parts;
    parts.sinks.putFirst(directorySinks(parts.directory, parts.options));
    this.#due = new CheckpointTimer(parts.options.checkpointEvery);
    const { settings } = parts.state;
    this.#learningRate = learningRateOf(settings);
    this.#noSums = noSums(settings);
    this.#sums = this.#noSums;
    this.#begun = { step: 0, sums: this.#sums };
    parts.pool.onRecovery = (recovery) => this.#tellFromTimer({ kind: 'recovered', ...recovery });
    parts.pool.onHeal = (healing) => this.#tellFromTimer({ kind: 'healed', ...healing });
    parts.pool.onStop = () => {
      this.#stopAskedElsewhere = true;
    };
    parts.pool.onSkip = ({ epoch, step, cause }) => {
      // What is told of steps stays in their order.
      this.#readMetrics(epoch, step);
      this.#tellFromTimer({ kind: 'skipped', epoch: epoch + 1, step: step + 1, cause });
    };
  }

  /** Where this process has begun the epoch, or has gone on with it. */
  get begun(): EpochStart {
    return this.#begun;
  }

  /**
   * Trains from `step` (0, or a checkpoint's) until the epochs or maxSteps are done.
   * @param sums of the epoch's steps that have been told of: the checkpoint's.
   * @param told steps that have been told of: fewer, where another process has taken the rest of them.
   */
  async run({
    step,
    epochSums: sums,
    told = step,
  }: TrainerStart): Promise<{ reason: FinishReason; step: number; test: MeanTerms | undefined }> {
    const { config, state, options, directory, sinks } = this.#parts;
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
    this.#read = told;
    if (sums) this.#sums = { ...this.#noSums, ...sums };
    while (this.#read < step) this.#readStep(Math.floor(told / stepsPerEpoch));
    if (step > 0) await this.#mendCheckpoint(step, endStep);
    if (step > 0 && step % stepsPerEpoch === 0) await this.#mendEpoch(step);
    let now = step;
    await sinks.settled();
    while (now < endStep && !this.#stopping()) {
      // Whatever ends an epoch, no write may go on behind the end of the run.
      now = await this.#runEpoch(now, endStep).finally(() => this.#writer.finished());
      await sinks.settled();
    }
    // Stopped before its first step: what stops a run finds a checkpoint, here of the initial parameters.
    if (now === 0 && this.#stopping()) await this.#checkpoint(0);
    const reason = now >= lastStep ? 'done' : this.#stopping() ? 'stopped' : 'maxSteps';
    sinks.tell({ kind: 'finished', reason, step: now });
    return { reason, step: now, test: this.#test };
  }

  /** Where the process that was to write the checkpoint of `step` has died, another one does. */
  async #mendCheckpoint(step: number, endStep: number): Promise<void> {
    const { directory, state } = this.#parts;
    const isDue = step === endStep || step % state.settings.stepsPerEpoch === 0 || this.#due.isDue(step);
    if (isDue && !(await directory.checkpointSteps()).includes(step)) await this.#checkpoint(step);
  }

  /**
   * What a run that was killed right after an epoch's last step has still to do: its evaluation and line, or
   * its pictures alone.
   */
  async #mendEpoch(step: number): Promise<void> {
    const { directory, options, state } = this.#parts;
    const epoch = step / state.settings.stepsPerEpoch;
    if (!directory.hasEpochMetrics(step)) await this.#endEpoch(step, 0, 0, this.#evaluate());
    else if (options.pictures !== false && !hasEpochPictures(directory, epoch)) {
      this.#tellPictures(await writeEpochPictures({ ...this.#parts, epoch, step }));
    }
  }

  /** The rest of the epoch that begins or goes on at `step`; returns the next step. */
  async #runEpoch(step: number, endStep: number): Promise<number> {
    const { stepsPerEpoch } = this.#parts.state.settings;
    const epoch = Math.floor(step / stepsPerEpoch);
    const epochEnd = (epoch + 1) * stepsPerEpoch;
    if (step === epoch * stepsPerEpoch) this.#sums = this.#noSums;
    this.#begun = { step, sums: this.#sums };
    await this.#parts.pool.beginEpoch(epoch);
    const examplesBefore = this.#examples;
    const secondsBefore = this.#seconds;
    const next = await this.#steps(epoch, step, Math.min(epochEnd, endStep));
    await this.#writer.settled();
    if (this.#failures.size > 0) throw await this.#stoppedByFailure(next);
    // An evaluation changes no parameter: the ranks need not wait for the checkpoint.
    const evaluation = next === epochEnd ? this.#evaluate() : undefined;
    await this.#checkpoint(next);
    if (evaluation) {
      const examples = this.#examples - examplesBefore;
      await this.#endEpoch(next, this.#seconds - secondsBefore, examples, evaluation);
    }
    return next;
  }

  /**
   * Steps [from, end) of the epoch; returns the next step. On the way there are the first picture of a run
   * and checkpoints that are due: between two calls of the pool no rank runs, so that nothing changes the
   * parameters while they are read.
   */
  async #steps(epoch: number, from: number, end: number): Promise<number> {
    const { pool, options, directory } = this.#parts;
    const draws = options.pictures !== false && epoch === 0 && end > FIRST_PICTURE_STEP;
    const isPictured = () => existsSync(firstPicturePath(directory));
    let now = from;
    for (;;) {
      if (draws && now === FIRST_PICTURE_STEP && !isPictured()) {
        this.#tellPictures([await writeFirstPicture({ ...this.#parts, step: now })]);
      }
      if (now >= end || this.#halting()) return now;
      if (now > from && this.#due.isDue(now)) await this.#checkpointBehind(now);
      const picture = draws && now < FIRST_PICTURE_STEP ? FIRST_PICTURE_STEP : end;
      const pause = Math.min(end, picture, this.#due.nextStep(now));
      const first = now;
      now = await this.#polling(epoch, () => pool.trainSteps(epoch, first, pause));
      if (this.#halting()) return now;
    }
  }

  /** Whether the ranks have stopped, or must, before what they were to do. */
  #halting(): boolean {
    return this.#stopping() || this.#failures.size > 0 || this.#writer.hasFailed;
  }

  /**
   * A checkpoint in the middle of an epoch: the ranks wait for a copy in memory, and for the one before it if
   * that is still being written. By the number of steps none is left out; by the time the next one is put off
   * until then.
   */
  async #checkpointBehind(step: number): Promise<void> {
    await this.#writer.settled();
    this.#writer.begin(this.#checkpointAt(step));
    this.#due.restart();
  }

  /** Writes a checkpoint that ranks do not wait for; whatever fails stops them. */
  async #write(checkpoint: Checkpoint): Promise<void> {
    try {
      this.#tellFromTimer(await this.#saved(checkpoint));
    } catch (error) {
      this.#requestStop();
      throw error;
    }
  }

  /** Runs the ranks while reading their metrics, passing on progress and requests to stop. */
  async #polling(epoch: number, work: () => Promise<number>): Promise<number> {
    const { state, options } = this.#parts;
    const secondsBefore = this.#seconds;
    const start = performance.now();
    const poll = () => {
      this.#seconds = secondsBefore + (performance.now() - start) / 1000;
      this.#readMetrics(epoch, state.progress.stepsCompleted);
      // A sink may have asked for it, or a checkpoint is due.
      if (this.#halting() || (this.#due.isTime() && !this.#writer.isBusy)) stop();
    };
    const stop = () => this.#requestStop();
    let timer: NodeJS.Timeout | undefined;
    try {
      state.progress.withdrawStop();
      options.signal?.addEventListener('abort', stop);
      if (this.#halting()) stop();
      timer = setInterval(poll, POLL_INTERVAL);
      const next = await work();
      poll();
      return next;
    } catch (error) {
      if (error instanceof NotFiniteError) throw await this.#diverged(error, epoch);
      throw error instanceof WorkerFailure ? await this.#failedForGood(error, epoch) : error;
    } finally {
      clearInterval(timer);
      options.signal?.removeEventListener('abort', stop);
    }
  }

  #requestStop(): void {
    this.#parts.state.progress.requestStop();
  }

  /**
   * Tells while the ranks work, in a timer that nobody could catch an error of. A failure stops the ranks
   * after the step at hand; a sink that has failed is not told again.
   */
  #tellFromTimer(event: SinkEvent): void {
    const { sinks } = this.#parts;
    for (const sink of sinks.sinks) {
      if (this.#failures.has(sink)) continue;
      try {
        sinks.give(sink, event);
      } catch (error) {
        this.#failures.set(sink, error);
        this.#requestStop();
      }
    }
  }

  /** Saves what was trained, if that can still be done, without telling of it. */
  async #stoppedByFailure(step: number): Promise<Error> {
    const { directory, sinks } = this.#parts;
    const [error] = this.#failures.values();
    const { lostFrom } = sinks;
    try {
      await this.#save(this.#checkpointAt(step));
      return stoppedBy(error, step, { path: directory.checkpointPath(step), lostFrom });
    } catch (reason) {
      return stoppedBy(error, step, { reason });
    }
  }

  /**
   * A worker died again and again. The memory holds a state that no rank has touched since, perhaps of an
   * earlier step than the metrics: it is saved where there is no newer one.
   */
  async #failedForGood(error: WorkerFailure, epoch: number): Promise<Error> {
    const { directory } = this.#parts;
    const { stateBefore: step } = error;
    await this.#writer.finished();
    if (step === undefined) return failedForGood(error, undefined, directory);
    try {
      return failedForGood(error, await this.#saveBefore(step, epoch), directory);
    } catch (reason) {
      return failedForGood(error, { reason }, directory);
    }
  }

  /**
   * Saves the state in memory, which is the one before `step` of the epoch under way, where there is no newer
   * checkpoint.
   * @returns the step of the newest checkpoint.
   */
  async #saveBefore(step: number, epoch: number): Promise<number> {
    const { directory, state } = this.#parts;
    // The lines of steps that nobody has read yet.
    this.#readMetrics(epoch, step);
    const [newest = -1] = await directory.checkpointSteps();
    if (newest >= step) return newest;
    this.#sums = sumsBefore(step, this.#begun, state);
    await this.#save(this.#checkpointAt(step));
    return step;
  }

  /**
   * The ranks have refused a step: the state is the one before it, which is kept unless it is a new run's.
   */
  async #diverged(error: NotFiniteError, epoch: number): Promise<NotFiniteError> {
    const { config, directory } = this.#parts;
    await this.#writer.finished();
    let what = error.message;
    if (error instanceof RefusedStep && error.step > 0) {
      try {
        await this.#saveBefore(error.step, epoch);
      } catch (reason) {
        what += ` The state before it could not be saved: ${messageOf(reason)}`;
      }
    }
    return divergence(what, config, directory, () => true);
  }

  /**
   * Adds the steps up to `completed` to the epoch's sums, and tells of each; of the last one as the progress,
   * too.
   */
  #readMetrics(epoch: number, completed: number): void {
    while (this.#read < completed) {
      const { examples, batch } = this.#readStep(epoch);
      this.#examples += examples;
      const step = this.#read;
      if (step < completed || examples === 0) continue;
      const progress = { epoch: epoch + 1, step, examples: this.#examples, seconds: this.#seconds, batch };
      this.#tellFromTimer({ kind: 'progress', ...progress, ...this.#exchangeShare() });
    }
  }

  /** Adds the next step that was not read to the epoch's sums, and tells of it. */
  #readStep(epoch: number): { readonly examples: number; readonly batch: MeanTerms } {
    const { stepRecords, settings } = this.#parts.state;
    const inEpoch = this.#read - epoch * settings.stepsPerEpoch;
    const { beta, ...record } = stepRecords.read(inEpoch);
    const sums = sumsOf(record, settings);
    const batch = meansOf(sums);
    const learningRate = this.#learningRate(this.#read);
    this.#read++;
    // Otherwise it was skipped: its event has been told.
    if (record.examples > 0) {
      this.#sums = addSums(this.#sums, sums);
      this.#tellFromTimer({ kind: 'step', epoch: epoch + 1, step: this.#read, batch, beta, learningRate });
    }
    return { examples: record.examples, batch };
  }

  #exchangeShare(): { readonly exchangeShare?: number } {
    const { memory, layout } = this.#parts.state;
    if (layout.place.processes === 1) return {};
    const ofFirstRank = new PhaseTimes(memory.buffer, layout.ranks[0]!.times);
    return { exchangeShare: ofFirstRank.share('barrier') };
  }

  async #checkpoint(step: number): Promise<void> {
    this.#parts.sinks.tell(await this.#saved(this.#checkpointAt(step)));
  }

  /** Saves a checkpoint; returns what is told of it. */
  async #saved(checkpoint: Checkpoint): Promise<Extract<RunEvent, { kind: 'checkpoint' }>> {
    const { config, directory } = this.#parts;
    const { step } = checkpoint;
    try {
      const sha256 = await this.#save(checkpoint);
      return { kind: 'checkpoint', step, path: directory.checkpointPath(step), sha256 };
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      throw await divergence(error.message, config, directory, (saved) => saved <= step);
    }
  }

  /** The state after `step` steps, in the buffers of the run. */
  #checkpointAt(step: number): Checkpoint {
    const { config, state } = this.#parts;
    const { parameters, optimizerState } = state;
    return { config, step, epochSums: { ...this.#sums }, parameters, optimizerState };
  }

  /** @returns the SHA-256 of the parameters. */
  async #save(checkpoint: Checkpoint): Promise<string> {
    const { directory, options, sinks } = this.#parts;
    const metricsLost = sinks.lostFrom !== undefined;
    const keep = options.keepCheckpoints;
    const sha256 = await directory.saveCheckpoint(checkpoint, { keep, metricsLost });
    this.#due.restart();
    return sha256;
  }

  /** Begins to evaluate the test set. */
  #evaluate(): Promise<void> {
    const evaluation = this.#parts.pool.evaluate();
    // Nobody may be listening when it rejects: a checkpoint that fails meanwhile goes first.
    evaluation.catch(() => {});
    return evaluation;
  }

  /** Waits for the evaluation of the test set, writes the epoch's line and pictures. */
  async #endEpoch(step: number, seconds: number, examples: number, evaluation: Promise<void>): Promise<void> {
    const { config, directory } = this.#parts;
    try {
      await this.#report(step, seconds, examples, evaluation);
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      const what = `After step ${step} ${error.message}. The parameters are finite, but too large.`;
      throw await divergence(what, config, directory, (saved) => saved < step);
    }
  }

  async #report(step: number, seconds: number, examples: number, evaluation: Promise<void>): Promise<void> {
    const { state, options, dataset, config } = this.#parts;
    const { tell } = this.#parts.sinks;
    const epoch = step / state.settings.stepsPerEpoch;
    tell({ kind: 'evaluating', epoch, step });
    await this.#evaluated(step, evaluation);
    const train = meansOf(this.#sums);
    const test = testMeans(state).means;
    this.#test = test;
    const imagesPerSecond = seconds > 0 ? examples / seconds : 0;
    tell({ kind: 'epoch', epoch, step, train, test, seconds, imagesPerSecond });
    if (options.preview) tell(epochPreview({ state, dataset, config, epoch, count: options.preview }));
    if (options.pictures !== false) {
      this.#tellPictures(await writeEpochPictures({ ...this.#parts, epoch, step }));
    }
  }

  /** Waits for an evaluation; a checkpoint of `step` is written by then. */
  async #evaluated(step: number, evaluation: Promise<void>): Promise<void> {
    try {
      await evaluation;
    } catch (error) {
      throw error instanceof WorkerFailure ? failedForGood(error, step, this.#parts.directory) : error;
    }
  }

  #tellPictures(paths: readonly string[]): void {
    for (const path of paths) {
      this.#parts.sinks.tell({ kind: 'picture', path, ...(this.#pictured ? {} : { first: true }) });
      this.#pictured = true;
    }
  }

  #stopping(): boolean {
    const { options, sinks } = this.#parts;
    return this.#stopAskedElsewhere || sinks.stopAsked || options.signal?.aborted === true;
  }

  #tellStart(step: number, endStep: number): void {
    const { state, directory, config, workers, sinks } = this.#parts;
    const { stepsPerEpoch, trainCount, testCount } = state.settings;
    sinks.tell({
      kind: 'started',
      directory: directory.path,
      config,
      parameters: state.model.parameters.size,
      workers,
      processes: state.layout.place.processes,
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
