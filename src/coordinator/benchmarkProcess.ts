// A process of `lowerbound bench`: V8's flags hold for a whole process, so re-vectorised runs have one of
// their own.
import { BACKEND_NAMES, type BackendName } from '../backends/backend.js';
import { BACKENDS } from '../backends/registry.js';
import { firstImages } from '../data/excerpt.js';
import { loadDataset } from '../data/registry.js';
import type { Dataset } from '../data/source.js';
import { UsageError } from '../errors.js';
import type { Arithmetic } from '../kernels/kernels.js';
import { canFuse } from '../kernels/platform.js';
import type { TileName } from '../kernels/tiles/tile.js';
import { TimedRun } from './timedRun.js';
import { workerCount } from './trainOptions.js';

/** What the coordinator asks; each question gets one answer. */
export type BenchmarkQuestion =
  | {
      readonly kind: 'prepare';
      readonly model: string;
      readonly batchSize: number | undefined;
      readonly data: string | undefined;
      readonly revectorize: boolean;
    }
  | { readonly kind: 'warm'; readonly variant: number; readonly milliseconds: number }
  | { readonly kind: 'measure'; readonly variant: number; readonly milliseconds: number };

export type BenchmarkAnswer =
  | { readonly kind: 'prepared'; readonly load: BenchmarkLoad; readonly variants: readonly Variant[] }
  | { readonly kind: 'warmed' }
  | { readonly kind: 'measured'; readonly imagesPerSecond: number }
  | { readonly kind: 'failed'; readonly message: string; readonly usage: boolean };

/** What is trained. */
export interface BenchmarkLoad {
  readonly model: string;
  readonly batchSize: number;
  readonly data: string;
  /** Training images of the whole data set. */
  readonly trainCount: number;
}

/** How it is trained: what changes speed alone, and the arithmetic. */
export interface Variant {
  readonly workers: number;
  readonly backend: BackendName;
  readonly arithmetic: Arithmetic;
  readonly revectorized: boolean;
  readonly tile: TileName;
  /** SHA-256 of the parameters after a few steps. */
  readonly parametersSha256: string;
}

/** Every run has a memory of its own: with all images, a dozen of them would be a gigabyte. */
const MOST_IMAGES = 8192;
const TEST_IMAGES = 16;
const DEFAULT_SHARDS = 8;
const VERIFIED_STEPS = 4;

interface Prepared {
  readonly run: TimedRun;
  /** Milliseconds a step. */
  step: number;
}

class BenchmarkProcess {
  readonly #prepared: Prepared[] = [];

  async answer(question: BenchmarkQuestion): Promise<BenchmarkAnswer> {
    switch (question.kind) {
      case 'prepare':
        return this.#prepare(question);
      case 'warm': {
        const prepared = this.#prepared[question.variant]!;
        prepared.step = await prepared.run.warm(question.milliseconds);
        return { kind: 'warmed' };
      }
      case 'measure': {
        const { run, step } = this.#prepared[question.variant]!;
        const steps = Math.max(1, Math.round(question.milliseconds / step));
        return { kind: 'measured', imagesPerSecond: await run.rate(steps) };
      }
    }
  }

  async #prepare(question: Extract<BenchmarkQuestion, { kind: 'prepare' }>): Promise<BenchmarkAnswer> {
    const { model, batchSize, data, revectorize } = question;
    const whole = loadDataset(data);
    const dataset = excerpt(whole, Math.max(MOST_IMAGES, batchSize ?? 0));
    for (const way of waysToTrain()) {
      const run = await TimedRun.create({
        ...way,
        dataset,
        model,
        revectorize,
        ...(batchSize === undefined ? {} : { batchSize }),
      });
      await run.run(VERIFIED_STEPS);
      this.#prepared.push({ run, step: 0 });
    }
    const { run } = this.#prepared[0]!;
    const load = {
      model: run.model.name,
      batchSize: run.batchSize,
      data: whole.name,
      trainCount: whole.train.count,
    };
    return { kind: 'prepared', load, variants: this.#prepared.map((prepared) => variantOf(prepared.run)) };
  }
}

/** The backends that are installed and worth a measurement, in each mode or in that of a new run. */
function waysToTrain(): { backend: BackendName; arithmetic: Arithmetic; workers: number }[] {
  const modes: Arithmetic[] = canFuse() ? ['fused', 'portable'] : ['portable'];
  const kinds = BACKEND_NAMES.filter((name) => BACKENDS[name].isInstalled()).flatMap((backend) => {
    const timed = { 'each mode': modes, 'default mode': modes.slice(0, 1), never: [] };
    return timed[BACKENDS[backend].benchmarked].map((arithmetic) => ({ backend, arithmetic }));
  });
  return kinds.flatMap((kind) => workerCounts().map((workers) => ({ ...kind, workers })));
}

/** 1, 2, 4 … and what a run takes by default. */
function workerCounts(): number[] {
  const most = workerCount(undefined, DEFAULT_SHARDS);
  const counts: number[] = [];
  for (let workers = 1; workers < most; workers *= 2) counts.push(workers);
  return [...counts, most];
}

function variantOf({ platform, state, workers, hash }: TimedRun): Variant {
  const { arithmetic, revectorized, tile } = platform;
  const { backend } = state.settings;
  return { workers, backend, arithmetic, revectorized, tile, parametersSha256: hash };
}

function excerpt({ name, train, test }: Dataset, most: number): Dataset {
  return { name, train: firstImages(train, most), test: firstImages(test, TEST_IMAGES) };
}

const benchmarkProcess = new BenchmarkProcess();
process.on('message', async (question: BenchmarkQuestion) => {
  let answer: BenchmarkAnswer;
  try {
    answer = await benchmarkProcess.answer(question);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    answer = { kind: 'failed', message, usage: error instanceof UsageError };
  }
  process.send?.(answer);
});
// The coordinator has gone: nobody is left to measure for.
process.on('disconnect', () => process.exit());
