import { workerData } from 'piscina';
import type { Figures } from '../inference/estimates/estimate.js';
import { type EstimateOptions, estimateChunk } from '../inference/estimates/registry.js';
import { InferenceModel } from '../inference/inferenceModel.js';
import type { Arithmetic } from '../kernels/kernels.js';
import { inferencePlatform } from '../kernels/platform.js';
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
  readonly arithmetic: Arithmetic;
  readonly seed: bigint;
  /** Shared: how much of its chunk each lane has done, in parts of PARTS. */
  readonly shares: Int32Array;
}

/** Parts of a chunk's work that progress is counted in. */
export const PARTS = 1_000_000;

/** Some examples, and what is wanted of them. */
export interface InferenceTask {
  readonly wanted: EstimateOptions;
  /** [positions.length, dimensions]. */
  readonly x: Float32Array;
  /** Places in the test set. */
  readonly positions: readonly number[];
  /** Where its progress goes in `shares`. */
  readonly lane: number;
  /** For tests: the thread ends instead. */
  readonly dies?: boolean;
}

/** An error is data, so that it is told from a thread that died. */
export type InferenceResult =
  | { readonly kind: 'done'; readonly figures: Figures }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };

let own: InferenceModel | undefined;

function ownModel(): InferenceModel {
  const { model, parameters, likelihood, arithmetic } = workerData as InferenceThreadData;
  const platform = inferencePlatform(arithmetic, false);
  own ??= new InferenceModel({ model, parameters, likelihood, platform });
  return own;
}

/** Piscina task: the estimates of a chunk of examples. */
export function estimate({ wanted, x, positions, lane, dies = false }: InferenceTask): InferenceResult {
  if (dies) process.exit(1);
  try {
    const { seed, shares } = workerData as InferenceThreadData;
    const chunk = { model: ownModel(), key: randomKey(seed), x, positions };
    const onShare = (share: number) => Atomics.store(shares, lane, Math.floor(share * PARTS));
    return { kind: 'done', figures: estimateChunk(chunk, wanted, onShare) };
  } catch (error) {
    // What the error has left of the engine is not to be trusted.
    own = undefined;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { kind: 'failed', name, message };
  }
}
