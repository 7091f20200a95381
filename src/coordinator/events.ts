import type { TileName } from '../kernels/tiles/tile.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { RunConfig } from '../runs/runConfig.js';
import type { Healing, Recovery } from './recovery.js';

/** What a run tells while it runs. Epochs count from 1, steps are those taken. */
export type RunEvent =
  | {
      readonly kind: 'started';
      readonly directory: string;
      readonly config: RunConfig;
      readonly parameters: number;
      /** Worker threads of this process. */
      readonly workers: number;
      /** Processes that train together. */
      readonly processes: number;
      readonly stepsPerEpoch: number;
      /** Steps that the run will have taken when it is done. */
      readonly endStep: number;
      /** Taken before, by the run that is resumed. */
      readonly step: number;
      readonly trainCount: number;
      readonly testCount: number;
      readonly memoryBytes: number;
      readonly tile: TileName;
      /** Whether V8 pairs operations to 256 bits. */
      readonly revectorized: boolean;
    }
  | {
      readonly kind: 'progress';
      readonly epoch: number;
      readonly step: number;
      /** Examples trained on in this process, in all, and seconds spent training on them. */
      readonly examples: number;
      readonly seconds: number;
      /** Share of the time that its first rank has waited for others, where processes train together. */
      readonly exchangeShare?: number;
      /** Mean over the last step's batch, with the KL's full weight. */
      readonly batch: MeanTerms;
    }
  | { readonly kind: 'evaluating'; readonly epoch: number; readonly step: number }
  | {
      readonly kind: 'epoch';
      readonly epoch: number;
      readonly step: number;
      readonly train: MeanTerms;
      readonly test: MeanTerms;
      /** The time of this process's part of the epoch, without evaluation and pictures. */
      readonly seconds: number;
      readonly imagesPerSecond: number;
    }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string; readonly sha256: string }
  | {
      readonly kind: 'picture';
      readonly path: string;
      /** True for the first one of this process alone. */
      readonly first?: boolean;
    }
  | {
      /** After an epoch, where `TrainOptions.preview` asks for it. */
      readonly kind: 'preview';
      readonly epoch: number;
      readonly rows: {
        readonly title: string;
        readonly height: number;
        readonly width: number;
        readonly channels: number;
        /** Test images, [count, height, width, channels], in [0, 1]. */
        readonly above: Float32Array;
        /** Their reconstructions: means of p(x|z), of the same shape. */
        readonly below: Float32Array;
      };
    }
  /** A worker died, and the run goes on as if it had not. */
  | ({ readonly kind: 'recovered' } & Recovery)
  /** Processes of the run have died, and it goes on without them. */
  | ({ readonly kind: 'healed' } & Healing)
  | {
      /** A step was NaN or infinite, and changed nothing (`onNan: 'skip'`). */
      readonly kind: 'skipped';
      readonly epoch: number;
      readonly step: number;
      /** Sentences. */
      readonly cause: string;
    }
  | { readonly kind: 'warning'; readonly message: string }
  /** What a user should know and need not mend. */
  | { readonly kind: 'note'; readonly message: string }
  | { readonly kind: 'finished'; readonly reason: FinishReason; readonly step: number };

/** `done`: all epochs; `maxSteps`: as many steps as asked for; `stopped`: asked to stop. */
export type FinishReason = 'done' | 'maxSteps' | 'stopped';
