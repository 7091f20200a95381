// Several runs timed side by side: verified against each other, then in interleaved rounds.

import { TimedRun, type TimedRunOptions } from '#src/coordinator/timedRun.js';
import { PeakProbe } from './peak.js';

const ROUNDS = 9;
/** About the time that one measurement takes, in milliseconds. */
const SLICE = 300;
/** The engine's compilers need some work before the figures settle. */
const WARM = 1500;
const VERIFIED_STEPS = 4;

export interface Subject {
  readonly run: TimedRun;
  /** Images a second, one a round. */
  readonly rates: number[];
  /** GFLOP/s of one core, one a round, taken just before. */
  readonly peaks: number[];
}

/**
 * Runs whose parameters have equal bits within an arithmetic mode, timed in rounds.
 * @throws Error where two runs of one mode come to different parameters.
 */
export async function measureSubjects<T>(
  options: readonly TimedRunOptions[],
  use: (subjects: readonly Subject[]) => T,
): Promise<T> {
  const subjects: Subject[] = [];
  try {
    for (const option of options) {
      subjects.push({ run: await TimedRun.create(option), rates: [], peaks: [] });
    }
    await verify(subjects);
    const slices: number[] = [];
    for (const { run } of subjects) slices.push(Math.max(1, Math.round(SLICE / (await run.warm(WARM)))));
    const probes = subjects.map(({ run }) => new PeakProbe(run.platform));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, { run, rates, peaks }] of subjects.entries()) {
        peaks.push(probes[i]!.measure());
        rates.push(await run.rate(slices[i]!));
      }
    }
    return use(subjects);
  } finally {
    for (const { run } of subjects) await run.close();
  }
}

async function verify(subjects: readonly Subject[]): Promise<void> {
  const hashes = new Map<string, string>();
  for (const { run } of subjects) {
    await run.run(VERIFIED_STEPS);
    const { arithmetic } = run.platform;
    const hash = hashes.get(arithmetic) ?? run.hash;
    if (hash !== run.hash) {
      throw new Error(
        `${run.model.name}, ${arithmetic}: ${run.workers} workers came to other parameters than the others.`,
      );
    }
    hashes.set(arithmetic, hash);
  }
}
