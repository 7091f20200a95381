import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { BACKENDS } from '../backends/registry.js';
import { BarrierWords, describeMissing } from '../collective/sharedMemory/barrier.js';
import { NotFiniteError } from '../errors.js';
import { SPINS } from '../kernels/tuning.js';
import type { EvaluateTask } from '../worker/evaluation.js';
import type { Fault } from '../worker/fault.js';
import type { RunContext } from '../worker/rank.js';
import type { RunProgress } from '../worker/runProgress.js';
import type { TrainTask } from '../worker/stepLoop.js';
import type { TaskResult } from '../worker/task.js';
import type { RunState } from './runState.js';

/**
 * Ranks wait this much longer than the coordinator watches, milliseconds: it sees all of them and names the
 * right one.
 */
const RANK_PATIENCE = 5000;

/** How often the coordinator looks whether the ranks still move, milliseconds. */
const WATCH_INTERVAL = 200;

export interface PoolOptions {
  readonly state: RunState;
  readonly workers: number;
  /** Milliseconds that a rank may stay away from a barrier. */
  readonly barrierTimeLimit: number;
  readonly fault?: Fault;
}

/** The ranks of a run: one Piscina thread each, with one long task at a time, and a watch over them. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #pool: Piscina;
  readonly #barrier: BarrierWords;
  /** Tasks that threads are busy with. */
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: PoolOptions) {
    const { state, workers, barrierTimeLimit } = options;
    const workerData: RunContext = {
      memory: state.memory,
      module: state.module,
      layout: state.layout,
      model: state.model,
      settings: state.settings,
      barrierTimeLimit: barrierTimeLimit + RANK_PATIENCE,
      barrierSpins: workers <= availableParallelism() ? SPINS : 0,
    };
    this.#options = options;
    this.#barrier = new BarrierWords(state.memory.buffer, state.layout.barrier);
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('../worker/task.js', import.meta.url)),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      workerData,
    });
  }

  /**
   * Runs steps [firstStep, endStep) of an epoch on all ranks; returns the next step, smaller than endStep
   * after a request to stop.
   * @throws WorkerFailure that names the rank and the step when a rank throws, exits or stalls.
   * @throws NotFiniteError that names the step when its loss is NaN or infinite.
   */
  async trainSteps(epoch: number, firstStep: number, endStep: number): Promise<number> {
    const { workers: ranks, fault } = this.#options;
    const tasks = Array.from({ length: ranks }, (_, rank): TrainTask => {
      return { rank, ranks, epoch, firstStep, endStep, ...(fault ? { fault } : {}) };
    });
    return this.#runAll('trainSteps', tasks);
  }

  /** Evaluates the test set on all ranks into the run's memory. */
  async evaluate(): Promise<void> {
    const { workers: ranks, state } = this.#options;
    state.progress.resetEvaluated();
    const tasks = Array.from({ length: ranks }, (_, rank): EvaluateTask => ({ rank, ranks }));
    await this.#runAll('evaluate', tasks);
  }

  /**
   * Ends all threads, stalled ones included. A thread that is inside a native library must not be ended
   * there, for that can end the process: with a backend of TensorFlow.js, ranks get time to leave at their
   * next barrier.
   */
  async close(): Promise<void> {
    if (!BACKENDS[this.#options.state.settings.backend].interruptible) await this.#settle();
    await this.#pool.destroy();
  }

  async #settle(): Promise<void> {
    if (this.#running.size > 0) this.#barrier.abort(0);
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.barrierTimeLimit);
    });
    await Promise.race([Promise.allSettled(this.#running), enough]);
    clearTimeout(timer);
  }

  async #runAll(name: string, tasks: readonly { readonly rank: number }[]): Promise<number> {
    const watch = new Watch(this.#barrier, this.#options);
    const running = tasks.map((task) => this.#runOne(name, task));
    try {
      const results = await Promise.race([Promise.all(running), watch.stalled]);
      return results[0]!;
    } catch (error) {
      // The others leave at their next barrier; a stalled one ends with the pool.
      void Promise.allSettled(running);
      throw error;
    } finally {
      watch.stop();
    }
  }

  async #runOne(name: string, task: { readonly rank: number }): Promise<number> {
    let result: TaskResult;
    try {
      result = await this.#runTask(name, task);
    } catch (error) {
      // The thread itself is gone: it could not tell the others.
      this.#barrier.abort(task.rank);
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#failure(task.rank, `its thread ended: ${reason}`);
    }
    switch (result.kind) {
      case 'done':
        return result.nextStep;
      case 'failed':
        throw this.#failure(task.rank, result.message, result.stack);
      case 'diverged':
        throw new NotFiniteError(result.message);
      case 'aborted':
        // The rank that failed rejects with the reason; this one waits for it.
        return new Promise(() => {});
    }
  }

  async #runTask(name: string, task: object): Promise<TaskResult> {
    const running = this.#pool.run(task, { name }) as Promise<TaskResult>;
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  #failure(rank: number, message: string, stack?: string): Error {
    const error = new WorkerFailure(rank, this.#options.state.progress.stepOf(rank), message);
    if (stack !== undefined) error.stack = stack;
    return error;
  }
}

/** A rank threw, exited or stalled: the run has ended. */
export class WorkerFailure extends Error {
  override readonly name = 'WorkerFailure';

  constructor(
    readonly rank: number,
    readonly step: number,
    message: string,
  ) {
    super(`Rank ${rank} failed at step ${step}: ${message}`);
  }
}

/** Sees from outside that ranks no longer reach barriers: a single rank has nobody else to miss it. */
class Watch {
  readonly stalled: Promise<never>;
  readonly #timer: NodeJS.Timeout;

  constructor(barrier: BarrierWords, { state, workers, barrierTimeLimit }: PoolOptions) {
    const { progress } = state;
    // Changes whenever a rank passes a barrier or finishes a piece of an evaluation.
    const look = () => `${barrier.generation}/${progress.evaluated}`;
    let seen = look();
    let since = performance.now();
    let reject: (error: Error) => void = () => {};
    this.stalled = new Promise<never>((_, rejected) => {
      reject = rejected;
    });
    // Nobody may be listening when it rejects in the same moment as a rank.
    this.stalled.catch(() => {});
    this.#timer = setInterval(() => {
      const now = look();
      if (now !== seen) {
        seen = now;
        since = performance.now();
      } else if (performance.now() - since > barrierTimeLimit) {
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
): WorkerFailure {
  const reached = Math.max(...Array.from({ length: ranks }, (_, rank) => barrier.reached(rank)));
  const [late = 0] = barrier.late(ranks, reached);
  barrier.abort(late);
  // Where all are at the same barrier, all of them are late at the next one.
  const level = Math.max(reached, barrier.reached(late) + 1);
  const stepOf = (rank: number) => progress.stepOf(rank);
  return new WorkerFailure(
    late,
    stepOf(late),
    describeMissing(barrier.late(ranks, level), stepOf, timeLimit),
  );
}
