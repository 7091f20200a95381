import type { BackendName, KlEstimate } from '../backends/backend.js';
import type { Arithmetic } from '../kernels/kernels.js';
import type { RandomKey } from '../kernels/stream.js';
import type { TileName } from '../kernels/tiles/tile.js';
import type { AdamOptions } from '../model/adam.js';
import type { Binarization } from '../model/spec.js';

/** What a rank must know to compute a step: what decides the bits of the run, and the layout of its memory. */
export interface Settings {
  readonly key: RandomKey;
  /** How grey pixels in 0 … 255 become x (docs/mathematics.md). */
  readonly binarize: Binarization;
  readonly batchSize: number;
  readonly shards: number;
  /** K. */
  readonly samples: number;
  readonly kl: KlEstimate;
  readonly beta: number;
  /** Steps over which beta rises linearly from 0; 0: none. */
  readonly klWarmupSteps: number;
  readonly adam: AdamOptions;
  readonly trainCount: number;
  readonly testCount: number;
  readonly stepsPerEpoch: number;
  /** What computes gradients and terms; noise, reduction and Adam are our kernels' in any case. */
  readonly backend: BackendName;
  /** Of our kernels. */
  readonly arithmetic: Arithmetic;
  /** Of the micro-kernels. Decides speed alone. */
  readonly tile: TileName;
  /** Whether V8 was told to pair operations to 256 bits. Decides speed alone. */
  readonly revectorized: boolean;
}

/** beta of a step (from 0): rises linearly and reaches its value with the last warm-up step. */
export function betaAt({ beta, klWarmupSteps }: Settings, step: number): number {
  return step + 1 >= klWarmupSteps ? beta : (beta * (step + 1)) / klWarmupSteps;
}

/** First example of a part, when `count` examples are cut into `parts` contiguous parts of nearly equal size. */
export function partStart(count: number, parts: number, part: number): number {
  return Math.floor((count * part) / parts);
}
