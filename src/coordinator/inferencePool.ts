import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { AbortSignalLike } from '../abortSignal.js';
import { NotFiniteError, UsageError } from '../errors.js';
import type { Figures } from '../inference/estimates/estimate.js';
import type { EstimateOptions } from '../inference/estimates/registry.js';
import { type ComparisonSettings, countBlocks } from '../inference/estimatorComparison.js';
import type { Arithmetic } from '../kernels/kernels.js';
import { inferencePlatform } from '../kernels/platform.js';
import {
  type ComparisonTask,
  type EstimateTask,
  type InferenceResult,
  type InferenceThreadData,
  PARTS,
  type PlacedExamples,
} from '../worker/inferenceTask.js';

/** A chunk is computed so often before its death ends the work. */
const ATTEMPTS = 3;

/** How often the signal is looked at, and progress told: milliseconds. */
const LOOK = 100;

export interface InferencePoolOptions extends Omit<InferenceThreadData, 'platform' | 'shares'> {
  /** That of the run; portable where this machine does not fuse. */
  readonly arithmetic: Arithmetic;
  readonly workers: number;
  /** For tests: (first example or block of a chunk, attempt from 0) whose thread dies. */
  readonly dies?: (first: number, attempt: number) => boolean;
}

export interface Watched {
  readonly signal?: AbortSignalLike | undefined;
  /**
   * Called now and then with the number of examples, or of blocks of draws, that are done, and of all; those
   * in work count in part.
   */
  readonly onProgress?: ((done: number, count: number) => void) | undefined;
}

export interface EstimateRange extends PlacedExamples, Watched {
  readonly wanted: EstimateOptions;
  /** Examples of a chunk: it decides no bit. */
  readonly chunk: number;
}

export interface ComparisonRange extends PlacedExamples, Watched {
  readonly settings: ComparisonSettings;
}

export interface EstimatedRange {
  /** The first examples, or blocks of draws, that have figures: not all after an interruption. */
  readonly count: number;
  /** Each [count] or [count, width]. */
  readonly figures: Figures;
}

/** Items that are computed in chunks, each by one task. */
interface Work extends Watched {
  /** In all. */
  readonly count: number;
  readonly chunk: number;
  readonly taskOf: (first: number, end: number) => ChunkTask;
}

/** A function of inferenceTask.ts, what it is given, and the items in words. */
type ChunkTask = { readonly items: readonly number[]; readonly words: string } & (
  | { readonly name: 'estimate'; readonly task: EstimateTask }
  | { readonly name: 'compare'; readonly task: ComparisonTask }
);

/** Examples of a chunk and threads, so that no thread is without work where there is some for it. */
export function planChunks(
  count: number,
  { workers, most }: { readonly workers: number; readonly most: number },
): { readonly chunk: number; readonly workers: number } {
  const chunk = Math.min(most, Math.ceil(count / workers));
  return { chunk, workers: Math.min(workers, Math.ceil(count / chunk)) };
}

/**
 * Threads that estimate chunks of examples or of draws, each with the parameters in a memory of its own. A
 * thread that dies is replaced, and its chunk is computed again.
 */
export class InferencePool {
  readonly #options: InferencePoolOptions;
  readonly #pool: Piscina;
  readonly #shares: Int32Array;

  constructor(options: InferencePoolOptions) {
    this.#options = options;
    const { model, parameters, likelihood, arithmetic, seed, workers } = options;
    // The threads take the module: V8's flags hold while it is compiled.
    const platform = inferencePlatform(arithmetic, true);
    this.#shares = new Int32Array(new SharedArrayBuffer(workers * Int32Array.BYTES_PER_ELEMENT));
    const workerData: InferenceThreadData = {
      ...{ model, parameters, likelihood, platform, seed },
      shares: this.#shares,
    };
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
   * Estimates some examples. After an abort it gives those before the first chunk that is missing.
   * @throws NotFiniteError where a figure of the model is NaN or infinite.
   * @throws Error that names the examples where threads died over them again and again.
   */
  estimate({ wanted, x, positions, chunk, ...watched }: EstimateRange): Promise<EstimatedRange> {
    const { dimensions } = this.#options.model;
    const taskOf = (first: number, end: number): ChunkTask => {
      const items = positions.slice(first, end);
      const task = { wanted, x: x.slice(first * dimensions, end * dimensions), positions: items };
      return { name: 'estimate', task, items, words: `test examples ${items.join(', ')}` };
    };
    return this.#run({ count: positions.length, chunk, taskOf, ...watched });
  }

  /**
   * Sums gradients by several estimators over each block of draws (GradientSums). A pool compares one thing
   * only. After an abort it gives the blocks before the first one that is missing.
   * @throws NotFiniteError where a gradient is NaN or infinite.
   * @throws Error that names the block where threads died over it again and again.
   */
  compare({ settings, x, positions, ...watched }: ComparisonRange): Promise<EstimatedRange> {
    const shared = new Float32Array(new SharedArrayBuffer(x.byteLength));
    shared.set(x);
    const taskOf = (first: number, end: number): ChunkTask => {
      const blocks = Array.from({ length: end - first }, (_, i) => first + i);
      const task = { settings, x: shared, positions, blocks };
      return { name: 'compare', task, items: blocks, words: `block ${blocks.join(', ')} of the draws` };
    };
    return this.#run({ count: countBlocks(settings.draws), chunk: 1, taskOf, ...watched });
  }

  async #run(work: Work): Promise<EstimatedRange> {
    const { count, chunk, signal, onProgress } = work;
    const chunks = Math.ceil(count / chunk);
    const results: (Figures | undefined)[] = new Array<Figures | undefined>(chunks).fill(undefined);
    let next = 0;
    let done = 0;
    const tell = () => onProgress?.(done + this.#inWork(chunk), count);
    const stop = stopped(signal, tell);
    const lanes = Array.from({ length: this.#options.workers }, async (_, lane) => {
      while (next < chunks && !stop.aborted()) {
        const index = next++;
        const first = index * chunk;
        const end = Math.min(count, first + chunk);
        results[index] = await this.#attempt(work.taskOf(first, end), lane);
        Atomics.store(this.#shares, lane, 0);
        done += end - first;
        if (!stop.aborted()) tell();
      }
    });
    const all = Promise.all(lanes);
    try {
      await Promise.race([all, stop.promise]);
    } finally {
      stop.release();
      // Tasks that are ended with their threads are of no interest.
      all.catch(() => {});
    }
    const missing = results.indexOf(undefined);
    const whole = missing === -1 ? chunks : missing;
    const parts = results.slice(0, whole).map((part) => part!);
    return { count: Math.min(count, whole * chunk), figures: joined(parts) };
  }

  /** Ends the threads, busy or not. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** Items' worth of work in the chunks that threads are at. */
  #inWork(chunk: number): number {
    return this.#shares.reduce((sum, _, lane) => sum + Atomics.load(this.#shares, lane), 0) * (chunk / PARTS);
  }

  async #attempt({ name, task, items, words }: ChunkTask, lane: number): Promise<Figures> {
    for (let attempt = 0; ; attempt++) {
      const dies = this.#options.dies?.(items[0]!, attempt) === true;
      let result: InferenceResult;
      try {
        result = (await this.#pool.run({ ...task, lane, dies }, { name })) as InferenceResult;
      } catch (error) {
        if (attempt + 1 < ATTEMPTS) continue;
        throw new Error(
          `The worker thread of ${words} died ${ATTEMPTS} times: ` +
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

/** A promise that is kept when the signal is aborted; until its release it tells progress as well. */
function stopped(signal: AbortSignalLike | undefined, tell: () => void) {
  let keep: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    keep = resolve;
  });
  const aborted = () => signal?.aborted === true;
  const look = () => {
    if (aborted()) keep();
    else tell();
  };
  if (aborted()) keep();
  const timer = setInterval(look, LOOK);
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
