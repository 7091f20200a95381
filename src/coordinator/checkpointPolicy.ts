// When a run writes checkpoints, beside the one at the end of each epoch.
import type { OptionKind } from '../model/valueKind.js';

export type CheckpointPolicy =
  /** At each multiple of this number of steps. */
  | { readonly every: 'steps'; readonly steps: number }
  /** So long after the last one, milliseconds. */
  | { readonly every: 'time'; readonly milliseconds: number };

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

const TEXT = /^0*([1-9]\d{0,8})([smh]?)$/;

const TAKES = 'a number of steps, such as 500, or a time with its unit: 30s, 5m or 2h';

/** The option `checkpointEvery` of `train`. */
export const CHECKPOINT_EVERY: OptionKind<number | string> = {
  option: (value, place) => {
    const isOne = typeof value === 'number' || typeof value === 'string';
    if (!isOne || !TEXT.test(String(value))) throw place.expected(value, TAKES);
    return value;
  },
  flag: { kind: 'text', what: TAKES, pattern: TEXT },
  takes: TAKES,
};

/** @param every as CHECKPOINT_EVERY reads it. */
export function checkpointPolicy(every: number | string): CheckpointPolicy {
  const [, digits, unit] = TEXT.exec(String(every))!;
  const count = Number(digits);
  return unit ? { every: 'time', milliseconds: count * UNITS[unit]! } : { every: 'steps', steps: count };
}

/**
 * Says when checkpoints are due. Time is that of a clock which nobody can set: a day that jumps moves no
 * checkpoint.
 */
export class CheckpointTimer {
  readonly #policy: CheckpointPolicy | undefined;
  #since = performance.now();

  constructor(every: number | string | undefined) {
    this.#policy = every === undefined ? undefined : checkpointPolicy(every);
  }

  /** The first step behind `step` after which a checkpoint is due by the number of steps. */
  nextStep(step: number): number {
    if (this.#policy?.every !== 'steps') return Number.POSITIVE_INFINITY;
    const { steps } = this.#policy;
    return (Math.floor(step / steps) + 1) * steps;
  }

  /** Whether one is due after `step`, or by the time. */
  isDue(step: number): boolean {
    if (this.#policy?.every === 'steps') return step % this.#policy.steps === 0;
    return this.isTime();
  }

  /** Whether one is due by the time. */
  isTime(): boolean {
    return this.#policy?.every === 'time' && performance.now() - this.#since >= this.#policy.milliseconds;
  }

  /** A checkpoint has been written: the time to the next one begins. */
  restart(): void {
    this.#since = performance.now();
  }
}
