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

const REPORTED_TERMS = ['bound', 'acceptance', 'gradientNorm', 'clipped'] as const;
type ReportedTerm = (typeof REPORTED_TERMS)[number];

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
    ...reported((term) => {
      const [x, y] = [a[term], b[term]];
      return x === undefined || y === undefined ? undefined : x + y;
    }),
  };
}

/** The terms that only some runs report, those that are given. */
function reported(value: (term: ReportedTerm) => number | undefined): {
  readonly [T in ReportedTerm]?: number;
} {
  const found = REPORTED_TERMS.map((term) => [term, value(term)] as const);
  return Object.fromEntries(found.filter(([, number]) => number !== undefined));
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
  const { examples, logLikelihood, kl } = sums;
  return {
    elbo: (logLikelihood - kl) / examples,
    logLikelihood: logLikelihood / examples,
    kl: kl / examples,
    ...reported((term) => {
      const sum = sums[term];
      return sum === undefined ? undefined : sum / examples;
    }),
  };
}
