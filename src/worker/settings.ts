import type { BackendName, KlEstimate } from '../backends/backend.js';
import type { BackendOptions } from '../backends/declaration.js';
import { type ProcessPlace, processRange } from '../collective/processPlace.js';
import type { Arithmetic } from '../kernels/kernels.js';
import type { RandomKey } from '../kernels/stream.js';
import type { TileName } from '../kernels/tiles/tile.js';
import type { Choice } from '../model/hyperparameter.js';
import type { LikelihoodName } from '../model/likelihoods/registry.js';
import type { Model } from '../model/model.js';
import type { Binarization } from '../model/spec.js';
import type { EstimatorName } from '../objective/estimators/registry.js';
import type { InferenceName } from '../objective/inferences/registry.js';
import type { ObjectiveName } from '../objective/registry.js';
import type { OptimizerName } from '../optimizer/registry.js';
import { type ScheduleName, scheduled } from '../schedule/registry.js';
import type { ValueAt } from '../schedule/schedule.js';

/**
 * What a rank must know to compute a step: what decides the bits of the run, and the layout of its memory.
 */
export interface Settings {
  readonly key: RandomKey;
  /** How grey pixels in 0 … 255 become x (docs/mathematics.md). */
  readonly binarize: Binarization;
  readonly batchSize: number;
  readonly shards: number;
  /** K. */
  readonly samples: number;
  readonly objective: ObjectiveName;
  readonly estimator: EstimatorName;
  readonly inference: Choice<InferenceName>;
  readonly kl: KlEstimate;
  readonly likelihood: Choice<LikelihoodName>;
  readonly beta: number;
  readonly betaSchedule: Choice<ScheduleName>;
  readonly learningRate: number;
  readonly learningRateSchedule: Choice<ScheduleName>;
  readonly optimizer: Choice<OptimizerName>;
  /** Largest norm of a gradient; 0: it is not clipped. */
  readonly clipNorm: number;
  /** Decay of the moving average of the parameters; 0: there is none. */
  readonly emaDecay: number;
  readonly trainCount: number;
  /** Whether a process holds the training examples of its own shards alone, those of the epoch. */
  readonly shardData: boolean;
  readonly testCount: number;
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  /** What computes gradients and terms; noise, reduction and updates are our kernels' in any case. */
  readonly backend: BackendName;
  /** The arithmetic of this package's kernels. */
  readonly arithmetic: Arithmetic;
  /** The tile of the micro-kernels. It decides only the speed. */
  readonly tile: TileName;
  /** Whether V8 was told to pair operations to 256 bits. Decides speed alone. */
  readonly revectorized: boolean;
}

/** The weight of the KL at each step. */
export function betaOf(settings: Settings): ValueAt {
  return scheduled(settings.beta, settings.betaSchedule, settings);
}

export function learningRateOf(settings: Settings): ValueAt {
  return scheduled(settings.learningRate, settings.learningRateSchedule, settings);
}

/** What the backend must know of a run: the shards are those of this process. */
export function ownOptions(model: Model, settings: Settings, place: ProcessPlace): BackendOptions {
  const { samples, kl, objective, estimator, inference, likelihood, tile } = settings;
  const { first, end } = processRange(settings.shards, place);
  const shards = end - first;
  // Any number of examples up to the batch's: a part of one more begins no earlier.
  const batchSize = Math.ceil((settings.batchSize * shards) / settings.shards);
  return { model, samples, kl, objective, estimator, inference, likelihood, tile, shards, batchSize };
}
