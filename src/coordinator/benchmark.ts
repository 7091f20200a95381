import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BACKENDS } from '../backends/registry.js';
import { UsageError } from '../errors.js';
import type { BenchmarkAnswer, BenchmarkLoad, BenchmarkQuestion, Variant } from './benchmarkProcess.js';
import type { MeasuredVariant } from './measuredVariant.js';
import { type Recommendation, recommend } from './recommendation.js';

export type { BenchmarkLoad } from './benchmarkProcess.js';

export interface BenchmarkOptions {
  /** A preset, or the path of a JSON file; default `cvae`. */
  readonly model?: string;
  /** Default: the model's. */
  readonly batchSize?: number;
  /** Directory of IDX files; default: the full MNIST. */
  readonly data?: string;
  /** About how long to warm up and measure, without the start; default 25. */
  readonly seconds?: number;
  /** Called once, before the measurements. */
  readonly onStart?: (load: BenchmarkLoad, variants: number) => void;
  /** Called between measurements with how many are done and there are in all. */
  readonly onProgress?: (done: number, count: number) => void;
}

export interface BenchmarkResult extends BenchmarkLoad, Recommendation {
  /** The fastest first. */
  readonly variants: readonly MeasuredVariant[];
}

const SECONDS = 25;
const ROUNDS = 5;
/** Share of the time that goes to V8's compilers. */
const WARM_SHARE = 0.25;

/**
 * Times the model's training steps through the run's own path with each number of workers, arithmetic mode
 * and width that this machine has, in interleaved rounds. Before that, a few steps of each must come to the
 * same parameters.
 *
 * @throws UsageError where the model, the batch size or the data do not make a run.
 * @throws Error where parameters differ within an arithmetic mode.
 */
export async function benchmark(options: BenchmarkOptions = {}): Promise<BenchmarkResult> {
  const processes: Asked[] = [];
  try {
    const subjects: Subject[] = [];
    let load: BenchmarkLoad | undefined;
    for (const revectorize of [false, true]) {
      const asked = new Asked();
      processes.push(asked);
      const prepared = await asked.ask('prepared', {
        kind: 'prepare',
        model: options.model ?? 'cvae',
        batchSize: options.batchSize,
        data: options.data,
        revectorize,
      });
      load = prepared.load;
      prepared.variants.forEach((variant, index) => {
        // Where V8 does not re-vectorise, the second process has what the first one has.
        if (variant.revectorized === revectorize) subjects.push({ asked, index, variant, rates: [] });
      });
    }
    requireSameBits(subjects);
    options.onStart?.(load!, subjects.length);
    await measure(subjects, (options.seconds ?? SECONDS) * 1000, options.onProgress ?? (() => {}));
    return evaluate(load!, subjects);
  } finally {
    for (const asked of processes) asked.close();
  }
}

interface Subject {
  readonly asked: Asked;
  /** The variant's index in its process. */
  readonly index: number;
  readonly variant: Variant;
  /** Images a second, one a round. */
  readonly rates: number[];
}

function requireSameBits(subjects: readonly Subject[]): void {
  for (const { variant } of subjects) {
    // TensorFlow promises none.
    if (!BACKENDS[variant.backend].promisesBits) continue;
    const kind = ({ backend, arithmetic }: Variant) => `${backend} ${arithmetic}`;
    const other = subjects.find((subject) => kind(subject.variant) === kind(variant))!.variant;
    if (other.parametersSha256 !== variant.parametersSha256) {
      throw new Error(
        `The parameters differ between ${describe(other)} and ${describe(variant)}: on this machine the kernels do ` +
          'not keep their promise. Please report it with the output of "node --version" and the name of your CPU.',
      );
    }
  }
}

function describe({ workers, backend, arithmetic, tile, revectorized }: Variant): string {
  return `${workers} ${workers === 1 ? 'worker' : 'workers'}, ${backend}, ${arithmetic}, tile ${tile}, ${revectorized ? 256 : 128} bits`;
}

async function measure(
  subjects: readonly Subject[],
  milliseconds: number,
  onProgress: (done: number, count: number) => void,
): Promise<void> {
  const count = subjects.length * (ROUNDS + 1);
  let done = 0;
  const warm = (milliseconds * WARM_SHARE) / subjects.length;
  const slice = (milliseconds * (1 - WARM_SHARE)) / (subjects.length * ROUNDS);
  for (const { asked, index } of subjects) {
    await asked.ask('warmed', { kind: 'warm', variant: index, milliseconds: warm });
    onProgress(++done, count);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { asked, index, rates } of subjects) {
      const answer = await asked.ask('measured', { kind: 'measure', variant: index, milliseconds: slice });
      rates.push(answer.imagesPerSecond);
      onProgress(++done, count);
    }
  }
}

function evaluate(load: BenchmarkLoad, subjects: readonly Subject[]): BenchmarkResult {
  const variants = subjects.map(({ variant, rates }): MeasuredVariant => {
    const { workers, backend, arithmetic, revectorized, tile } = variant;
    const sorted = [...rates].sort((a, b) => a - b);
    const imagesPerSecond = sorted[Math.floor(ROUNDS / 2)]!;
    const spread = (sorted.at(-1)! - sorted[0]!) / imagesPerSecond;
    const epochSeconds = load.trainCount / imagesPerSecond;
    return { workers, backend, arithmetic, revectorized, tile, imagesPerSecond, spread, epochSeconds };
  });
  variants.sort((a, b) => b.imagesPerSecond - a.imagesPerSecond);
  return { ...load, variants, ...recommend(variants) };
}

/** A process that measures, one question at a time. */
class Asked {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./benchmarkProcess.js', import.meta.url)));

  async ask<K extends BenchmarkAnswer['kind']>(
    kind: K,
    question: BenchmarkQuestion,
  ): Promise<Extract<BenchmarkAnswer, { kind: K }>> {
    const answered = new AbortController();
    const { signal } = answered;
    const ended = once(this.#child, 'exit', { signal }).then(([code, by]): never => {
      throw new Error(`A measuring process ended by itself (${by ?? `exit code ${code}`}).`);
    });
    // Rejects when it is no longer listened to.
    ended.catch(() => {});
    this.#child.send(question);
    try {
      const [answer] = (await Promise.race([once(this.#child, 'message', { signal }), ended])) as [
        BenchmarkAnswer,
      ];
      if (answer.kind === 'failed') {
        throw answer.usage ? new UsageError(answer.message) : new Error(answer.message);
      }
      if (answer.kind !== kind) throw new Error(`A measuring process answered ${answer.kind}, not ${kind}.`);
      return answer as Extract<BenchmarkAnswer, { kind: K }>;
    } finally {
      answered.abort();
    }
  }

  /** It ends when it is no longer connected. */
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
