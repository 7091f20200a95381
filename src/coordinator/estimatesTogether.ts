// Estimates of test examples, which processes share out among each other, and each of them over its threads.

import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { processRange } from '../collective/processPlace.js';
import type { EstimateOptions } from '../inference/estimates/registry.js';
import type { Checkpoint } from '../runs/checkpoint.js';
import { modelOfConfig } from '../runs/configModel.js';
import { choiceOf } from '../runs/seams.js';
import type { PlacedExamples } from '../worker/inferenceTask.js';
import { type EstimatedRange, InferencePool, planChunks, type Watched } from './inferencePool.js';
import { ownCores } from './trainOptions.js';

export interface EstimatePlan extends PlacedExamples {
  readonly wanted: EstimateOptions;
  readonly seed: bigint;
  /** Most examples that a thread computes side by side: memory and speed follow it, no bit does. */
  readonly most: number;
}

interface HowToWork extends Watched {
  /** Threads of each process; default: its cores. */
  readonly workers?: number | undefined;
}

/** Float64 that all processes together send at once. */
const AT_ONCE = 2 ** 23;

/**
 * Estimates examples by a checkpoint's model. Each process takes neighbouring ones, and gets the figures of
 * all.
 * @returns the figures of the examples before the first one that is missing, where a process was stopped.
 * @throws NotFiniteError where a figure of the model is NaN or infinite.
 */
export async function estimateTogether(
  group: ProcessGroup | undefined,
  { config, parameters }: Pick<Checkpoint, 'config' | 'parameters'>,
  { positions, x, wanted, seed, most }: EstimatePlan,
  { workers: asked = ownCores(), ...watched }: HowToWork,
): Promise<EstimatedRange> {
  const { arithmetic } = config;
  const model = modelOfConfig(config);
  const likelihood = choiceOf(config, 'likelihood');
  return await sharedOut(group, { positions, x }, async (examples) => {
    const { chunk, workers } = planChunks(examples.positions.length, { most, workers: asked });
    const pool = new InferencePool({ model, parameters, likelihood, arithmetic, seed, workers });
    return await pool.estimate({ wanted, ...examples, chunk, ...watched }).finally(() => pool.close());
  });
}

/** What sharing out needs of the processes. */
export type Sharing = Pick<ProcessGroup, 'place' | 'gatherTexts'>;

/**
 * @param estimate gives fewer examples than it is asked for where it is stopped.
 * @param atOnce values that all processes together send in a message.
 */
export async function sharedOut(
  group: Sharing | undefined,
  { positions, x }: PlacedExamples,
  estimate: (examples: PlacedExamples) => Promise<EstimatedRange>,
  atOnce = AT_ONCE,
): Promise<EstimatedRange> {
  if (group === undefined) return await estimate({ positions, x });
  const count = positions.length;
  const width = x.length / count;
  const { first, end } = processRange(count, group.place);
  const part = { positions: positions.slice(first, end), x: x.slice(first * width, end * width) };
  const own = end === first ? { count: 0, figures: {} } : await estimate(part);
  const done = await gatherDone(group, own, count);
  const figures: Record<string, Float64Array> = {};
  for (const name of Object.keys(done.find((one) => one.count > 0)?.lengths ?? {})) {
    const lengths = done.map((one) => one.lengths[name] ?? 0);
    figures[name] = await gatherValues(group, own.figures[name] ?? new Float64Array(0), lengths, atOnce);
  }
  return { count: done.reduce((sum, one) => sum + one.count, 0), figures };
}

/** How many examples a process has done, and the length of each of their figures. */
interface Done {
  readonly count: number;
  readonly lengths: Readonly<Record<string, number>>;
}

/** What the processes have done, up to and with the first one that has not done all of its examples. */
async function gatherDone(group: Sharing, own: EstimatedRange, count: number): Promise<Done[]> {
  const lengths = Object.entries(own.figures).map(([name, { length }]) => [name, length] as const);
  const text = JSON.stringify({ count: own.count, lengths: Object.fromEntries(lengths) } satisfies Done);
  const texts = await group.gatherTexts(text, Number.POSITIVE_INFINITY);
  const done = texts.map((one) => JSON.parse(one) as Done);
  const { processes } = group.place;
  const stopped = done.findIndex((one, process) => {
    const { first, end } = processRange(count, { processes, process });
    return one.count < end - first;
  });
  return stopped === -1 ? done : done.slice(0, stopped + 1);
}

/**
 * The values of the first processes, one behind the other. They travel in pieces: a text, and what MPI moves
 * at once, have limits.
 * @param lengths one for each of them; what other processes send is not looked at.
 */
async function gatherValues(
  group: Sharing,
  own: Float64Array,
  lengths: readonly number[],
  atOnce: number,
): Promise<Float64Array> {
  const piece = Math.ceil(atOnce / group.place.processes);
  const all = new Float64Array(lengths.reduce((sum, length) => sum + length, 0));
  for (let first = 0; first < Math.max(...lengths); first += piece) {
    const texts = await group.gatherTexts(base64Of(own.subarray(first, first + piece)));
    let start = 0;
    for (const [process, length] of lengths.entries()) {
      if (first < length) all.set(floatsOf(texts[process]!), start + first);
      start += length;
    }
  }
  return all;
}

/** Float64 as bytes: JSON has no NaN, and digits are longer. */
function base64Of({ buffer, byteOffset, byteLength }: Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function floatsOf(base64: string): Float64Array {
  return new Float64Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}
