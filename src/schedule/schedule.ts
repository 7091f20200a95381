// The seam of schedules: a value that changes over a run, as a pure function of the step.
import type { Hyperparameters, Values } from '../model/hyperparameter.js';

/** How long a run is. */
export interface RunLength {
  readonly stepsPerEpoch: number;
  readonly epochs: number;
}

/** The value at a step, from 0. */
export type ValueAt = (step: number) => number;

export interface Schedule<V extends Values = Values> {
  /** As people write it. */
  readonly title: string;
  readonly hyperparameters: Hyperparameters;
  /** Whether values depend on how many epochs the run has, which then may not grow. */
  readonly dependsOnEpochs: boolean;
  /** Present where it has stages: how many, and how many epochs the first few are. */
  readonly stages?: { readonly most: number; readonly epochs: (stages: number) => number };
  /**
   * @param value what is scheduled: the learning rate, or β. Only + − × ÷ may follow: its bits reach
   * parameters.
   */
  create(value: number, values: V, run: RunLength): ValueAt;
}

/** Checks the declaration of a schedule against its hyper-parameters. */
export function defineSchedule<const H extends Hyperparameters>(
  schedule: { readonly hyperparameters: H } & Omit<
    Schedule<{ readonly [Name in keyof H]: number }>,
    'hyperparameters'
  >,
): Omit<Schedule, 'hyperparameters'> & { readonly hyperparameters: H } {
  return schedule;
}
