// What a run does when a worker has died: where it goes on, and when it gives up. What it tells of that, and
// of processes that have died.
import type { RunState } from './runState.js';

/** A recovery: the run goes on as if nothing had happened. */
export interface Recovery {
  /** The worker that died. */
  readonly rank: number;
  /** Steps taken when the run went on. */
  readonly step: number;
  /** Why it died: a sentence. */
  readonly cause: string;
  /** Steps that are computed again; 0 where an evaluation is. */
  readonly stepsLost: number;
  /** Between the failure and the moment at which all ranks go on. */
  readonly milliseconds: number;
}

/** The run goes on with fewer processes, as if it had always had those. */
export interface Healing {
  /** Processes that have died, and those that are left. */
  readonly lost: number;
  readonly processes: number;
  /** Steps taken when the run went on. */
  readonly step: number;
  /** Steps that are computed again. */
  readonly stepsLost: number;
  /** Between the moment at which this process noticed and that at which all that are left go on. */
  readonly milliseconds: number;
}

/** Most recoveries from failures at one step: what fails each time is no accident. */
const MOST_AT_ONE_STEP = 3;

/** Most recoveries in which the run gets no further than `ADVANCE` steps. */
const MOST_WITHOUT_ADVANCE = 10;
const ADVANCE = 10;

/** Counts recoveries, so that a run that cannot go on ends. */
export class RecoveryBudget {
  #failedAt: string | undefined;
  #atOneStep = 0;
  #since = 0;
  #withoutAdvance = 0;

  /**
   * Whether a failure may be recovered from.
   * @param place what failed: equal at each failure of the same step.
   * @param step the step that failed.
   */
  spend(place: string, step: number): boolean {
    this.#atOneStep = place === this.#failedAt ? this.#atOneStep + 1 : 1;
    this.#failedAt = place;
    if (step >= this.#since + ADVANCE) {
      this.#since = step;
      this.#withoutAdvance = 0;
    }
    this.#withoutAdvance++;
    return this.#atOneStep <= MOST_AT_ONE_STEP && this.#withoutAdvance <= MOST_WITHOUT_ADVANCE;
  }
}

/**
 * Makes the state in memory consistent, while no rank runs: it is so where no rank had begun an update, or
 * all had ended it; else it becomes that of the last snapshot.
 * @returns the step before which it is, or undefined where there is none.
 */
export function recoverState(state: RunState): number | undefined {
  const { recovery, copy } = state;
  const whole = recovery.consistentBefore;
  if (whole !== undefined) return whole;
  const copied = recovery.copiedBefore;
  if (copied !== undefined) copy.restore();
  return copied;
}
