// The terms of an epoch's steps, summed up in their order: training keeps them, and a replay must come to the
// same.
import { type ObjectiveName, objectiveOf } from '../objective/registry.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { StepRecord } from '../worker/stepRecords.js';

/**
 * Sums over the examples of an epoch so far, in nats; goes into checkpoints, so that a resumed epoch ends
 * with the same means.
 */
export interface EpochSums {
  readonly examples: number;
  readonly logLikelihood: number;
  readonly kl: number;
  /** The bound of an objective that reports one. */
  readonly bound?: number;
}

/** Before the first step of an epoch. */
export function noSums(objective: ObjectiveName): EpochSums {
  return { examples: 0, logLikelihood: 0, kl: 0, ...(reportsBound(objective) ? { bound: 0 } : {}) };
}

/** The sums of one step alone. */
export function sumsOf(
  { examples, logLikelihood, kl, bound }: StepRecord,
  objective: ObjectiveName,
): EpochSums {
  return { examples, logLikelihood, kl, ...(reportsBound(objective) ? { bound } : {}) };
}

export function addSums(a: EpochSums, b: EpochSums): EpochSums {
  return {
    examples: a.examples + b.examples,
    logLikelihood: a.logLikelihood + b.logLikelihood,
    kl: a.kl + b.kl,
    ...(a.bound === undefined || b.bound === undefined ? {} : { bound: a.bound + b.bound }),
  };
}

export function meansOf({ examples, logLikelihood, kl, bound }: EpochSums): MeanTerms {
  return {
    elbo: (logLikelihood - kl) / examples,
    logLikelihood: logLikelihood / examples,
    kl: kl / examples,
    ...(bound === undefined ? {} : { bound: bound / examples }),
  };
}

function reportsBound(objective: ObjectiveName): boolean {
  return objectiveOf(objective).weigh !== undefined;
}
