import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { AbortSignalLike } from '../abortSignal.js';
import { NotFiniteError, UsageError } from '../errors.js';
import type { EstimateOptions, Figures } from '../inference/estimates.js';
import type { InferenceResult, InferenceTask, InferenceThreadData } from '../worker/inferenceTask.js';

/** A chunk is computed so often before its death ends the work. */
const ATTEMPTS = 3;

/** How often the signal is looked at, milliseconds. */
const LOOK = 50;

export interface InferencePoolOptions extends InferenceThreadData {
  readonly workers: number;
  /** For tests: (first example of a chunk, attempt from 0) whose thread dies. */
  readonly dies?: (first: number, attempt: number) => boolean;
}

export interface EstimateRange {
  readonly wanted: EstimateOptions;
  /** Examples [first, end). */
  readonly first: number;
  readonly end: number;
  /** [end − first, dimensions]. */
  readonly x: Float32Array;
  /** Examples of a chunk: it decides no bit. */
  readonly chunk: number;
  readonly signal?: AbortSignalLike | undefined;
  /** Called after each chunk with the number of examples done and in all. */
  readonly onProgress?: ((done: number, count: number) => void) | undefined;
}

export interface EstimatedRange {
  /** Examples [first, end) have figures: fewer than asked for after an interruption. */
  readonly end: number;
  /** Each [end − first] or [end − first, width]. */
  readonly figures: Figures;
}

/**
 * Threads that estimate chunks of examples, each with the parameters in a memory of its own. A thread that
 * dies is replaced, and its chunk is computed again.
 */
export class InferencePool {
  readonly #options: InferencePoolOptions;
  readonly #pool: Piscina;

  constructor(options: InferencePoolOptions) {
    this.#options = options;
    const { model, parameters, likelihood, arithmetic, seed, workers } = options;
    const workerData: InferenceThreadData = { model, parameters, likelihood, arithmetic, seed };
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('../worker/inferenceTask.js', import.meta.url)),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      workerData,
    });
    // The task of a thread that dies is rejected as well.
    this.#pool.on('error', () => {});
  }

  /**
   * Estimates a range of examples. After an abort it gives those before the first chunk that is missing.
   * @throws NotFiniteError where a figure of the model is NaN or infinite.
   * @throws Error that names the examples where threads died over them again and again.
   */
  async run(range: EstimateRange): Promise<EstimatedRange> {
    const { first, end, chunk, signal, onProgress } = range;
    const count = Math.ceil((end - first) / chunk);
    const results: (Figures | undefined)[] = new Array<Figures | undefined>(count).fill(undefined);
    let next = 0;
    let done = 0;
    const stop = stopped(signal);
    const lane = async () => {
      while (next < count && !stop.aborted()) {
        const index = next++;
        const from = first + index * chunk;
        const to = Math.min(end, from + chunk);
        results[index] = await this.#attempt(range, from, to);
        done += to - from;
        if (!stop.aborted()) onProgress?.(done, end - first);
      }
    };
    const lanes = Promise.all(Array.from({ length: this.#options.workers }, lane));
    try {
      await Promise.race([lanes, stop.promise]);
    } finally {
      stop.release();
      // Tasks that are ended with their threads are of no interest.
      lanes.catch(() => {});
    }
    const missing = results.indexOf(undefined);
    const whole = missing === -1 ? count : missing;
    const parts = results.slice(0, whole).map((part) => part!);
    return { end: Math.min(end, first + whole * chunk), figures: joined(parts) };
  }

  /** Ends the threads, busy or not. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #attempt({ wanted, x, first }: EstimateRange, from: number, to: number): Promise<Figures> {
    const { dimensions } = this.#options.model;
    const own = x.slice((from - first) * dimensions, (to - first) * dimensions);
    for (let attempt = 0; ; attempt++) {
      const dies = this.#options.dies?.(from, attempt) === true;
      const task: InferenceTask = { wanted, x: own, first: from, count: to - from, dies };
      let result: InferenceResult;
      try {
        result = (await this.#pool.run(task, { name: 'estimate' })) as InferenceResult;
      } catch (error) {
        if (attempt + 1 < ATTEMPTS) continue;
        throw new Error(
          `The worker thread of examples ${from} to ${to - 1} died ${ATTEMPTS} times: ` +
            `${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      }
      if (result.kind === 'done') return result.figures;
      throw failure(result);
    }
  }
}

function failure({ name, message }: { readonly name: string; readonly message: string }): Error {
  if (name === 'NotFiniteError') return new NotFiniteError(message);
  if (name === 'UsageError') return new UsageError(message);
  return new Error(message);
}

/** A promise that is kept when the signal is aborted. */
function stopped(signal: AbortSignalLike | undefined) {
  let keep: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    keep = resolve;
  });
  const aborted = () => signal?.aborted === true;
  const look = () => {
    if (aborted()) keep();
  };
  const timer = setInterval(look, LOOK);
  look();
  return { promise, aborted, release: () => clearInterval(timer) };
}

function joined(parts: readonly Figures[]): Figures {
  const names = Object.keys(parts[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const values = new Float64Array(parts.reduce((sum, part) => sum + part[name]!.length, 0));
      let at = 0;
      for (const part of parts) {
        values.set(part[name]!, at);
        at += part[name]!.length;
      }
      return [name, values];
    }),
  );
}
