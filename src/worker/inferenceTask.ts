import { workerData } from 'piscina';
import type { Figures } from '../inference/estimates/estimate.js';
import { type EstimateOptions, estimateChunk } from '../inference/estimates/registry.js';
import { type ComparisonSettings, GradientSums } from '../inference/estimatorComparison.js';
import { InferenceModel } from '../inference/inferenceModel.js';
import type { Platform } from '../kernels/platform.js';
import { randomKey } from '../kernels/stream.js';
import type { Choice } from '../model/hyperparameter.js';
import type { LikelihoodName } from '../model/likelihoods/registry.js';
import type { Model } from '../model/model.js';

/** What a thread is started with. */
export interface InferenceThreadData {
  readonly model: Model;
  /** Flat. */
  readonly parameters: Float32Array;
  readonly likelihood: Choice<LikelihoodName>;
  readonly platform: Platform;
  readonly seed: bigint;
  /** Shared: how much of its chunk each lane has done, in parts of PARTS. */
  readonly shares: Int32Array;
}

/** Parts of a chunk's work that progress is counted in. */
export const PARTS = 1_000_000;

interface Chunk {
  /** Where its progress goes in `shares`. */
  readonly lane: number;
  /** For tests: the thread ends instead. */
  readonly dies?: boolean;
}

/** Examples, and their places in the test set. */
export interface PlacedExamples {
  /** [positions.length, dimensions]. */
  readonly x: Float32Array;
  readonly positions: readonly number[];
}

/** Some examples, and what is wanted of them. */
export interface EstimateTask extends PlacedExamples {
  readonly wanted: EstimateOptions;
}

/** Some blocks of draws, and what is compared: the same for all tasks of a thread. */
export interface ComparisonTask extends PlacedExamples {
  readonly settings: ComparisonSettings;
  readonly blocks: readonly number[];
}

/** An error is data, so that it is told from a thread that died. */
export type InferenceResult =
  | { readonly kind: 'done'; readonly figures: Figures }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };

let own: InferenceModel | undefined;
let sums: GradientSums | undefined;

function ownModel(): InferenceModel {
  const { model, parameters, likelihood, platform } = workerData as InferenceThreadData;
  own ??= new InferenceModel({ model, parameters, likelihood, platform });
  return own;
}

/** Piscina task: the estimates of a chunk of examples. */
export function estimate({ wanted, x, positions, ...chunk }: EstimateTask & Chunk): InferenceResult {
  return computed(chunk, ({ seed }, onShare) => {
    const examples = { model: ownModel(), key: randomKey(seed), x, positions };
    return estimateChunk(examples, wanted, onShare);
  });
}

/** Piscina task: sums of gradients by several estimators. */
export function compare({ blocks, ...examples }: ComparisonTask & Chunk): InferenceResult {
  const { settings, x, positions, ...chunk } = examples;
  return computed(chunk, ({ model, parameters, likelihood, platform, seed }, onShare) => {
    const trained = { model, parameters, likelihood, platform, key: randomKey(seed) };
    sums ??= new GradientSums({ ...trained, x, positions, settings });
    return sums.ofBlocks(blocks, onShare);
  });
}

function computed(
  { lane, dies = false }: Chunk,
  compute: (thread: InferenceThreadData, onShare: (share: number) => void) => Figures,
): InferenceResult {
  if (dies) process.exit(1);
  try {
    const thread = workerData as InferenceThreadData;
    const onShare = (share: number) => Atomics.store(thread.shares, lane, Math.floor(share * PARTS));
    return { kind: 'done', figures: compute(thread, onShare) };
  } catch (error) {
    // What the error has left of the engines is not to be trusted.
    own = undefined;
    sums = undefined;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { kind: 'failed', name, message };
  }
}
