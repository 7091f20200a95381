import type { MeanTerms } from '../../runs/meanTerms.js';
import type { RunEvent } from '../events.js';

/** Every step has one, in order, though some time after it: steps go on while they are read. */
export interface StepEvent {
  readonly kind: 'step';
  /** From 1. */
  readonly epoch: number;
  /** Steps taken, this one included. */
  readonly step: number;
  /** Mean over the step's batch before its update, in nats, with the KL's full weight. */
  readonly batch: MeanTerms;
  /** Weight of the KL in the step's gradient. */
  readonly beta: number;
  readonly learningRate: number;
}

export type SinkEvent = RunEvent | StepEvent;

/** What takes the events of a run to somewhere. No sink can change what is trained. */
export interface Sink {
  /**
   * Takes an event; all of a run come in order. What this throws, or what a promise that it returns rejects
   * with, becomes the error of the run, after the ranks have stopped and a checkpoint is written.
   *
   * @returns `'stop'`, or a promise of it, to stop the run after the step at hand, with a checkpoint.
   * Anything else has no effect.
   */
  take(event: SinkEvent): unknown;
  /** Whether the run waits for the promises of `take`, before each epoch and before its end. */
  readonly awaited?: boolean;
  /** The first step of which it could not write what it was told. */
  readonly lostFrom?: number | undefined;
}
