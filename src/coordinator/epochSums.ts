// The terms of an epoch's steps, summed up in their order: training keeps them, and a replay must come to the
// same.
import { refinementOf } from '../objective/inferences/registry.js';
import { objectiveOf } from '../objective/registry.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { Settings } from '../worker/settings.js';
import type { StepRecord, StepRecords } from '../worker/stepRecords.js';

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
  /** Acceptance probabilities, where draws are refined. */
  readonly acceptance?: number;
  /** Norms of the gradients of the examples' steps, where they are clipped; and examples of clipped steps. */
  readonly gradientNorm?: number;
  readonly clipped?: number;
}

/** Where a process has begun an epoch, or has gone on with it. */
export interface EpochStart {
  /** In the run. */
  readonly step: number;
  readonly sums: EpochSums;
}

/** What decides which terms a run reports. */
export type ReportingSettings = Pick<Settings, 'objective' | 'inference' | 'clipNorm'>;

/** Before the first step of an epoch. */
export function noSums(settings: ReportingSettings): EpochSums {
  const none = { examples: 0, logLikelihood: 0, kl: 0, bound: 0, acceptance: 0, gradientNorm: 0 };
  return sumsOf(none, settings);
}

/** The sums of one step alone. */
export function sumsOf(
  { examples, logLikelihood, kl, bound, acceptance, gradientNorm: norm }: Omit<StepRecord, 'beta'>,
  { objective, inference, clipNorm }: ReportingSettings,
): EpochSums {
  return {
    ...{ examples, logLikelihood, kl },
    ...(objectiveOf(objective).weigh === undefined ? {} : { bound }),
    ...(refinementOf(inference) === undefined ? {} : { acceptance }),
    ...(clipNorm > 0 ? { gradientNorm: norm * examples, clipped: norm > clipNorm ? examples : 0 } : {}),
  };
}

export function addSums(a: EpochSums, b: EpochSums): EpochSums {
  return {
    examples: a.examples + b.examples,
    logLikelihood: a.logLikelihood + b.logLikelihood,
    kl: a.kl + b.kl,
    ...optionalSum('bound', a, b),
    ...optionalSum('acceptance', a, b),
    ...optionalSum('gradientNorm', a, b),
    ...optionalSum('clipped', a, b),
  };
}

function optionalSum<K extends 'bound' | 'acceptance' | 'gradientNorm' | 'clipped'>(
  key: K,
  { [key]: a }: EpochSums,
  { [key]: b }: EpochSums,
): { readonly [Key in K]?: number } {
  return a === undefined || b === undefined ? {} : ({ [key]: a + b } as { readonly [Key in K]: number });
}

/** The sums of an epoch before `step`, whose steps from the start on are in the records of this process. */
export function sumsBefore(
  step: number,
  { step: first, sums }: EpochStart,
  { stepRecords, settings }: { readonly stepRecords: StepRecords; readonly settings: Settings },
): EpochSums {
  const epochStart = first - (first % settings.stepsPerEpoch);
  let before = sums;
  for (let number = first; number < step; number++) {
    before = addSums(before, sumsOf(stepRecords.read(number - epochStart), settings));
  }
  return before;
}

export function meansOf(sums: EpochSums): MeanTerms {
  const { examples, logLikelihood, kl, bound, acceptance, gradientNorm, clipped } = sums;
  return {
    elbo: (logLikelihood - kl) / examples,
    logLikelihood: logLikelihood / examples,
    kl: kl / examples,
    ...(bound === undefined ? {} : { bound: bound / examples }),
    ...(acceptance === undefined ? {} : { acceptance: acceptance / examples }),
    ...(gradientNorm === undefined ? {} : { gradientNorm: gradientNorm / examples }),
    ...(clipped === undefined ? {} : { clipped: clipped / examples }),
  };
}
