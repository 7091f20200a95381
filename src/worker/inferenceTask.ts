import { workerData } from 'piscina';
import { type EstimateOptions, estimateChunk, type Figures } from '../inference/estimates.js';
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
}

/** Consecutive examples, and what is wanted of them. */
export interface InferenceTask {
  readonly wanted: EstimateOptions;
  /** [count, dimensions]. */
  readonly x: Float32Array;
  /** Position of the first one. */
  readonly first: number;
  readonly count: number;
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
export function estimate({ wanted, x, first, count, dies = false }: InferenceTask): InferenceResult {
  if (dies) process.exit(1);
  try {
    const key = randomKey((workerData as InferenceThreadData).seed);
    return { kind: 'done', figures: estimateChunk({ model: ownModel(), key, x, first, count }, wanted) };
  } catch (error) {
    // What the error has left of the engine is not to be trusted.
    own = undefined;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { kind: 'failed', name, message };
  }
}
