import type { TileName } from '../kernels/tiles/tile.js';
import type { RunConfig } from './runConfig.js';

/** Means over examples, in nats. */
export interface MeanTerms {
  readonly elbo: number;
  /** Mean of (1/K) Σ_k log p(x|z_k). */
  readonly logLikelihood: number;
  readonly kl: number;
  /** The objective's bound, e.g. L_K of the importance-weighted one; absent where the objective is the ELBO. */
  readonly bound?: number;
}

/** What a run tells while it runs. Epochs count from 1, steps are those taken. */
export type RunEvent =
  | {
      readonly kind: 'started';
      readonly directory: string;
      readonly config: RunConfig;
      readonly parameters: number;
      readonly workers: number;
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
      /** Of this process's part of the epoch; evaluation and pictures not counted. */
      readonly seconds: number;
      readonly imagesPerSecond: number;
    }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string; readonly sha256: string }
  | { readonly kind: 'picture'; readonly path: string }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'finished'; readonly reason: FinishReason; readonly step: number };

/** `done`: all epochs; `maxSteps`: as many steps as asked for; `stopped`: asked to stop. */
export type FinishReason = 'done' | 'maxSteps' | 'stopped';
