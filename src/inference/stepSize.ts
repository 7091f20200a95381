// The step sizes of HMC, adapted to an acceptance.
import { exp, log } from '../arithmetic/exponential.js';

/** Wu et al. 2016 tune to it; the optimum for many dimensions (Beskos et al. 2013). */
export const TARGET_ACCEPTANCE = 0.65;

/** The prior's standard deviation is 1: a larger step than that gains nothing. */
const LARGEST = 1;
const SMALLEST = 1e-6;

/** The step that a run starts from. It is soon forgotten: adaptation goes in factors. */
const FIRST = 0.2;

/** A step size for each example: log ε ← log ε + gain · (acceptance − target) (Robbins and Monro 1951). */
export class AdaptedSteps {
  /** [examples]. */
  readonly sizes: Float64Array;
  readonly #logs: Float64Array;
  readonly #target: number;

  constructor(examples: number, target = TARGET_ACCEPTANCE) {
    this.sizes = new Float64Array(examples).fill(FIRST);
    this.#logs = new Float64Array(examples).fill(log(FIRST));
    this.#target = target;
  }

  /** @param acceptance mean over the chains of each example. */
  adapt(acceptance: Float64Array, gain: number): void {
    for (let example = 0; example < acceptance.length; example++) {
      const next = this.#logs[example]! + gain * (acceptance[example]! - this.#target);
      this.#logs[example] = Math.min(log(LARGEST), Math.max(log(SMALLEST), next));
      this.sizes[example] = exp(this.#logs[example]!);
    }
  }
}

/** Step sizes along a path from the prior to the posterior, for each example. */
export class StepSizePath {
  /** [points, examples]: at equal distances in t, the first one at t = 0, the last one at t = 1. */
  readonly #table: readonly Float64Array[];

  constructor(table: readonly Float64Array[]) {
    this.#table = table;
  }

  /** The step size of each example at t in [0, 1]: linear in between. */
  at(t: number): Float64Array {
    const place = t * (this.#table.length - 1);
    const below = Math.min(Math.floor(place), this.#table.length - 1);
    const above = Math.min(below + 1, this.#table.length - 1);
    const share = place - below;
    const next = this.#table[above]!;
    return this.#table[below]!.map((size, example) => size + share * (next[example]! - size));
  }
}
