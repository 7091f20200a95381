import type { Variant } from './benchmarkProcess.js';

/** A way to train, and its speed. */
export interface MeasuredVariant extends Omit<Variant, 'parametersSha256'> {
  /** Median of the rounds. */
  readonly imagesPerSecond: number;
  /** (Greatest − least) / median of the rounds: how much other work on the machine disturbed them. */
  readonly spread: number;
  /** Seconds of a pass over the training images, at that speed. */
  readonly epochSeconds: number;
}
