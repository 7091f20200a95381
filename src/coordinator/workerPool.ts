import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { BACKENDS } from '../backends/registry.js';
import { ProcessLost } from '../collective/mpi/world.js';
import type { Mailbox } from '../collective/processes/mailbox.js';
import { RunningTime } from '../collective/runningTime.js';
import { BarrierWords, describeMissing } from '../collective/sharedMemory/barrier.js';
import { NotFiniteError } from '../errors.js';
import { SPINS } from '../kernels/tuning.js';
import type { OnNan } from '../runs/hyperparameters.js';
import type { EvaluateTask } from '../worker/evaluation.js';
import { type ArmedFault, arm, type Fault } from '../worker/fault.js';
import { RefusedStep } from '../worker/refusedStep.js';
import type { RunProgress } from '../worker/runProgress.js';
import type { TrainTask } from '../worker/stepLoop.js';
import type { TaskResult, ThreadData } from '../worker/task.js';
import { describeLoss, describeShards, describeUpdate } from './diagnosis.js';
import { type Healing, type Recovery, RecoveryBudget, recoverState } from './recovery.js';
import type { RunState } from './runState.js';

/**
 * Ranks wait this much longer than the coordinator watches, milliseconds: it sees all of them and names the
 * right one.
 */
const RANK_PATIENCE = 5000;

/** How often the coordinator looks whether the ranks still move, milliseconds. */
const WATCH_INTERVAL = 200;

/** After a failure, ranks have so long to leave at their next barrier before they are ended, milliseconds. */
const LEAVE_LIMIT = 300;

/** Threads may take so long to load their modules before they are ended all the same, and a look so long. */
const LOAD_LIMIT = 10_000;
const LOAD_LOOK = 10;

/** Most steps that are skipped in a row: other examples do not mend parameters that are too large. */
const MOST_SKIPPED = 10;

/** So that a thread that exhausts its memory on purpose dies before the machine does. */
const FAULTY_LIMITS = { maxOldGenerationSizeMb: 64 };

export interface PoolOptions {
  readonly state: RunState;
  readonly workers: number;
  /** Milliseconds that a rank may stay away from a barrier. */
  readonly barrierTimeLimit: number;
  /** What becomes of a step whose loss, gradient or update is NaN or infinite. */
  readonly onNan: OnNan;
  /** Where other processes compute the rest of the shards: through it the ranks ask for exchanges. */
  readonly mailbox?: Mailbox | undefined;
  /** Whether they go on where one of them dies. */
  readonly heals?: boolean | undefined;
  readonly faults?: readonly Fault[] | undefined;
}

/** A step that was skipped, because it was NaN or infinite. */
export interface SkippedStep {
  /** From 0. */
  readonly epoch: number;
  /** From 0. */
  readonly step: number;
  /** Sentences. */
  readonly cause: string;
}

/** What a run asks of its ranks, in one process or in several. */
export type RunPool = Pick<
  WorkerPool,
  'beginEpoch' | 'trainSteps' | 'evaluate' | 'close' | 'onRecovery' | 'onSkip' | 'onStop' | 'onHeal'
>;

/** How a rank's task ended, as the coordinator sees it. */
type Outcome =
  | { readonly kind: 'done'; readonly nextStep: number }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'error'; readonly error: WorkerFailure | RefusedStep | ProcessLost };

/**
 * The ranks of a run: one Piscina thread each, with one long task at a time, and a watch over them. A rank
 * that dies is replaced, and the run goes on from the last consistent state in memory.
 */
export class WorkerPool {
  /** Told of each recovery. */
  onRecovery: (recovery: Recovery) => void = () => {};
  /** Told of each step that is skipped, before the run goes on behind it. */
  onSkip: (skipped: SkippedStep) => void = () => {};
  /** Told when another process of the run was asked to stop. */
  onStop: () => void = () => {};
  /** Told when other processes of the run have died, and this one goes on with those that are left. */
  onHeal: (healing: Healing) => void = () => {};
  readonly #options: PoolOptions;
  readonly #barrier: BarrierWords;
  readonly #budget = new RecoveryBudget();
  readonly #faults: readonly ArmedFault[];
  #pool: Piscina;
  /** One word: threads of `#pool` that have loaded their modules. */
  #loaded: Int32Array = new Int32Array(0);
  /** Threads that `#pool` has started. */
  #started = 0;
  /** Tasks that threads are busy with. */
  readonly #running = new Set<Promise<Outcome>>();
  readonly #skipped = new Set<number>();

  constructor(options: PoolOptions) {
    const { state, faults = [] } = options;
    this.#options = options;
    this.#faults = faults.map(arm);
    this.#barrier = new BarrierWords(state.memory.buffer, state.layout.barrier);
    this.#pool = this.#start();
  }

  #start(): Piscina {
    const { state, workers, barrierTimeLimit, mailbox, heals = false } = this.#options;
    this.#loaded = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.#started = workers;
    const workerData: ThreadData = {
      loaded: this.#loaded,
      memory: state.memory,
      module: state.module,
      layout: state.layout,
      model: state.model,
      settings: state.settings,
      barrierTimeLimit: barrierTimeLimit + RANK_PATIENCE,
      barrierSpins: workers <= availableParallelism() ? SPINS : 0,
      mailbox: mailbox?.buffer,
      heals,
    };
    const pool = new Piscina({
      filename: fileURLToPath(new URL('../worker/task.js', import.meta.url)),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      workerData,
      ...(this.#faults.some(({ kind }) => kind === 'memory') ? { resourceLimits: FAULTY_LIMITS } : {}),
    });
    // A thread that dies without a task is nobody's loss: Piscina starts another one.
    pool.on('error', () => {});
    return pool;
  }

  /**
   * Makes an epoch's examples ready for its steps: see RunState.shuffle.
   * @throws UsageError where images can no longer be read.
   */
  async beginEpoch(epoch: number): Promise<void> {
    this.#options.state.shuffle(epoch);
  }

  /**
   * Runs steps [firstStep, endStep) of an epoch on all ranks; returns the next step, smaller than endStep
   * after a request to stop. A rank that throws, exits or stalls costs at most the step in flight in nearly
   * all cases: see recovery.ts. A step that is not finite changes nothing: it ends the run or is skipped.
   * @throws WorkerFailure that names the rank and the step when a rank dies again and again.
   * @throws RefusedStep that names the step, the tensor and the shard when they are NaN or infinite, and the
   * step is not to be skipped; the state in memory is the one before it.
   */
  async trainSteps(epoch: number, firstStep: number, endStep: number): Promise<number> {
    for (let first = firstStep; ; ) {
      try {
        return await this.#runSteps(epoch, first, endStep);
      } catch (error) {
        if (!(error instanceof RefusedStep)) throw error;
        await this.#goBefore(error, epoch);
        this.#skip(error, epoch);
        first = error.step;
      }
    }
  }

  /** The same, but for steps that are not finite. */
  async #runSteps(epoch: number, firstStep: number, endStep: number): Promise<number> {
    const { workers: ranks, state } = this.#options;
    for (let first = firstStep; ; ) {
      if (first === endStep) return first;
      state.recovery.reset(first);
      const skipped = [...this.#skipped].filter((step) => step >= first && step < endStep);
      const tasks = Array.from({ length: ranks }, (_, rank): TrainTask => {
        return { rank, ranks, epoch, firstStep: first, endStep, skipped, ...this.#faultsOfTask() };
      });
      try {
        return await this.#runAll('trainSteps', tasks);
      } catch (error) {
        first = await this.#recover(error, ({ step }) => `step ${step}`);
        // The step that died may have been the last one.
        if (first > firstStep && state.progress.stopsAfter(first - 1)) return first;
      }
    }
  }

  /**
   * Makes the state the one before a step that was refused, and finds out why it was. An update that is not
   * finite has been written: the steps since the last snapshot are computed again.
   */
  async #goBefore(refused: RefusedStep, epoch: number): Promise<void> {
    const { state } = this.#options;
    const { step } = refused;
    const isWritten = state.recovery.isRefused(step);
    if (isWritten) refused.message += describeUpdate(state);
    const from = recoverState(state);
    if (from === undefined) throw new NotFiniteError(refused.message, { cause: refused });
    await this.#runSteps(epoch, from, step);
    const describe = isWritten ? describeShards : describeLoss;
    refused.message += ` ${describe(state, step, epoch)}`;
  }

  /** @throws the refusal, where the step is not to be skipped. */
  #skip(refused: RefusedStep, epoch: number): void {
    const { onNan, state } = this.#options;
    const { step, message: cause } = refused;
    if (onNan === 'stop') throw refused;
    // An epoch without any step would have no means.
    const most = Math.min(MOST_SKIPPED, state.settings.stepsPerEpoch - 1);
    let before = 0;
    while (this.#skipped.has(step - 1 - before)) before++;
    if (before >= most) {
      refused.message += ` It is not skipped: at most ${most} in a row are.`;
      throw refused;
    }
    this.#skipped.add(step);
    this.onSkip({ epoch, step, cause });
  }

  /**
   * Evaluates the test set on all ranks into the run's memory.
   * @throws WorkerFailure when a rank dies again and again.
   */
  async evaluate(): Promise<void> {
    const { workers: ranks, state } = this.#options;
    state.recovery.reset(state.progress.stepsCompleted);
    for (;;) {
      state.progress.resetEvaluated();
      const tasks = Array.from({ length: ranks }, (_, rank): EvaluateTask => {
        return { rank, ranks, ...this.#faultsOfTask() };
      });
      try {
        await this.#runAll('evaluate', tasks);
        return;
      } catch (error) {
        await this.#recover(error, ({ step }) => `evaluation after step ${step}`);
      }
    }
  }

  /**
   * Ends all threads, stalled ones included. A thread that is inside a native library must not be ended
   * there, for that can end the process: with a backend of TensorFlow.js, ranks get time to leave at their
   * next barrier.
   */
  async close(): Promise<void> {
    const { state, barrierTimeLimit } = this.#options;
    if (!BACKENDS[state.settings.backend].interruptible) await this.#settle(barrierTimeLimit);
    await this.#end();
  }

  /** Ends all threads and starts others, for a state whose layout has changed. While no rank runs. */
  async restart(): Promise<void> {
    await this.#end();
    this.#barrier.reset();
    this.#pool = this.#start();
  }

  /** Steps that are skipped. */
  get skipped(): readonly number[] {
    return [...this.#skipped];
  }

  set skipped(steps: readonly number[]) {
    this.#skipped.clear();
    for (const step of steps) this.#skipped.add(step);
  }

  #faultsOfTask(): { readonly faults?: readonly ArmedFault[] } {
    return this.#faults.length > 0 ? { faults: this.#faults } : {};
  }

  /**
   * Waits until no rank runs, and makes the state in memory consistent.
   * @returns the step to go on with.
   * @throws WorkerFailure where the run is not to go on. Its `stateBefore` says what the memory holds.
   * @throws what is no worker's death.
   */
  async #recover(error: unknown, placeOf: (failure: WorkerFailure) => string): Promise<number> {
    const { state, mailbox } = this.#options;
    const start = performance.now();
    const computed = Math.max(
      state.progress.stepsCompleted,
      error instanceof WorkerFailure ? error.step + 1 : 0,
    );
    const quiet = await this.#quiet(error instanceof StalledError ? 0 : LEAVE_LIMIT);
    if (!(error instanceof WorkerFailure)) {
      // Where a rank still runs, nothing can be computed again.
      throw error instanceof RefusedStep && !quiet ? new NotFiniteError(error.message) : error;
    }
    // Other processes do not go back: their exchanges with this one are over, or wait for it.
    const step = quiet && mailbox === undefined ? recoverState(state) : undefined;
    error.stateBefore = step;
    if (step === undefined || !this.#budget.spend(placeOf(error), error.step)) throw error;
    if (step > 0) state.progress.complete(step - 1);
    const stepsLost = Math.max(0, computed - step);
    const milliseconds = performance.now() - start;
    this.onRecovery({ rank: error.rank, step, cause: error.reason, stepsLost, milliseconds });
    return step;
  }

  /**
   * Lets all ranks leave at their next barrier. Those that have not done so after `limit` milliseconds are
   * ended, with all threads, which are started anew.
   * @returns false where a thread must not be ended and still runs.
   */
  async #quiet(limit: number): Promise<boolean> {
    const { state, barrierTimeLimit } = this.#options;
    const { interruptible } = BACKENDS[state.settings.backend];
    if (!(await this.#settle(interruptible ? limit : barrierTimeLimit))) {
      if (!interruptible) return false;
      await this.#end();
      await Promise.all(this.#running);
      this.#pool = this.#start();
    }
    this.#barrier.reset();
    return true;
  }

  /**
   * Ends all threads. Node 20 ends the whole process where a thread is ended while it loads its modules
   * (v8::Module::IsGraphAsync), so those that load get time for it.
   */
  async #end(): Promise<void> {
    const since = new RunningTime(LOAD_LOOK);
    while (!this.#isLoaded() && since.total < LOAD_LIMIT) {
      await sleep(LOAD_LOOK);
      since.tick();
    }
    await this.#pool.destroy();
  }

  #isLoaded(): boolean {
    return Atomics.load(this.#loaded, 0) >= this.#started;
  }

  /** Tells all ranks to leave at their next barrier; returns whether they have in time. */
  async #settle(limit: number): Promise<boolean> {
    if (this.#running.size === 0) return true;
    this.#barrier.abort(0);
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), limit);
    });
    const left = Promise.all(this.#running).then(() => true);
    const settled = await Promise.race([left, enough]);
    clearTimeout(timer);
    return settled;
  }

  async #runAll(name: string, tasks: readonly { readonly rank: number }[]): Promise<number> {
    const watch = new Watch(this.#barrier, this.#options, () => this.#isLoaded());
    try {
      const running = tasks.map((task) => this.#runOne(name, task));
      const failed = new Promise<never>((_, reject) => {
        for (const one of running) {
          void one.then((outcome) => {
            // An aborted rank waits for the reason of the one that failed.
            if (outcome.kind === 'error') reject(outcome.error);
          });
        }
      });
      const outcomes = await Promise.race([failed, watch.stalled, Promise.all(running)]);
      const [first] = outcomes;
      if (first?.kind !== 'done') throw new Error('All ranks have left, and none says why.');
      return first.nextStep;
    } finally {
      watch.stop();
    }
  }

  #runOne(name: string, task: { readonly rank: number }): Promise<Outcome> {
    const running = this.#outcome(name, task);
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
    return running;
  }

  async #outcome(name: string, task: { readonly rank: number }): Promise<Outcome> {
    let result: TaskResult;
    try {
      result = (await this.#pool.run(task, { name })) as TaskResult;
    } catch (error) {
      // The thread itself is gone: it could not tell the others.
      this.#barrier.abort(task.rank);
      // Piscina has started another one.
      this.#started++;
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'error', error: this.#failure(task.rank, `its thread ended: ${reason}`) };
    }
    switch (result.kind) {
      case 'done':
      case 'aborted':
        return result;
      case 'failed':
        return { kind: 'error', error: this.#failure(task.rank, result.message, result.stack) };
      case 'lost':
        return { kind: 'error', error: new ProcessLost(result.message) };
      case 'refused':
        return { kind: 'error', error: new RefusedStep(result.message, result.step) };
    }
  }

  #failure(rank: number, message: string, stack?: string): WorkerFailure {
    const error = new WorkerFailure(rank, this.#options.state.progress.stepOf(rank), message);
    if (stack !== undefined) error.stack = stack;
    return error;
  }
}

/** A rank threw, exited or stalled, again and again: the run has ended. */
export class WorkerFailure extends Error {
  override readonly name: string = 'WorkerFailure';
  /** The step before which the state in memory is; undefined where the memory holds none that is whole. */
  stateBefore: number | undefined;

  constructor(
    readonly rank: number,
    readonly step: number,
    readonly reason: string,
  ) {
    super(`Rank ${rank} failed at step ${step}: ${reason}`);
  }
}

/** Nothing more was heard of a rank: its thread may still run. */
class StalledError extends WorkerFailure {}

/**
 * Sees from outside that ranks no longer reach barriers: a single rank has nobody else to miss it. Threads
 * that still load their modules are not late.
 */
class Watch {
  readonly stalled: Promise<never>;
  readonly #timer: NodeJS.Timeout;

  constructor(
    barrier: BarrierWords,
    { state, workers, barrierTimeLimit, mailbox }: PoolOptions,
    isLoaded: () => boolean,
  ) {
    const { progress } = state;
    // Changes whenever a rank passes a barrier or finishes a piece of an evaluation.
    const look = () => `${barrier.generation}/${progress.evaluated}`;
    let seen = look();
    const silent = new RunningTime(WATCH_INTERVAL);
    let reject: (error: Error) => void = () => {};
    this.stalled = new Promise<never>((_, rejected) => {
      reject = rejected;
    });
    // Nobody may be listening when it rejects in the same moment as a rank.
    this.stalled.catch(() => {});
    this.#timer = setInterval(() => {
      silent.tick();
      const now = look();
      // Whoever waits for other processes is not late; the exchange has a time limit of its own.
      if (now !== seen || !isLoaded() || mailbox?.isBusy) {
        seen = now;
        silent.restart();
      } else if (silent.total > barrierTimeLimit) {
        reject(stallError(barrier, progress, workers, barrierTimeLimit));
      }
    }, WATCH_INTERVAL);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Aborts the run, and blames the first rank that has reached fewer barriers than another. */
function stallError(
  barrier: BarrierWords,
  progress: RunProgress,
  ranks: number,
  timeLimit: number,
): StalledError {
  const reached = Math.max(...Array.from({ length: ranks }, (_, rank) => barrier.reached(rank)));
  const [late = 0] = barrier.late(ranks, reached);
  barrier.abort(late);
  // Where all are at the same barrier, all of them are late at the next one.
  const level = Math.max(reached, barrier.reached(late) + 1);
  const stepOf = (rank: number) => progress.stepOf(rank);
  return new StalledError(late, stepOf(late), describeMissing(barrier.late(ranks, level), stepOf, timeLimit));
}
