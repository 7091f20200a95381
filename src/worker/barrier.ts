import { Control, rankStepWord } from './control.js';

/** Another rank has failed; its own error says why. */
export class RunAborted extends Error {
  override readonly name = 'RunAborted';
}

export interface BarrierOptions {
  readonly control: Int32Array;
  readonly rank: number;
  readonly ranks: number;
  /** How long to wait for the others, milliseconds. */
  readonly timeLimit: number;
  /** Loads of the generation word before sleeping: 0 where there are more ranks than cores. */
  readonly spins: number;
}

/**
 * A barrier in shared memory: a count, a generation that advances when all have arrived, and an abort word.
 * Ranks look a while before they sleep, since the others are usually microseconds away.
 */
export class Barrier {
  readonly #options: BarrierOptions;

  constructor(options: BarrierOptions) {
    this.#options = options;
  }

  /**
   * Returns when all ranks have called it.
   * @throws RunAborted when another rank has failed.
   * @throws Error when the time limit passes, naming the ranks that are missing and their steps.
   */
  wait(): void {
    const { control, rank, ranks, spins } = this.#options;
    this.#checkAbort();
    const generation = Atomics.load(control, Control.generation);
    Atomics.add(control, Control.rankBarriers + rank, 1);
    if (Atomics.add(control, Control.arrived, 1) === ranks - 1) {
      Atomics.store(control, Control.arrived, 0);
      Atomics.add(control, Control.generation, 1);
      Atomics.notify(control, Control.generation);
      return;
    }
    for (let i = 0; i < spins; i++) {
      if (Atomics.load(control, Control.generation) !== generation) {
        this.#checkAbort();
        return;
      }
    }
    this.#sleep(generation);
    this.#checkAbort();
  }

  #sleep(generation: number): void {
    const { control, timeLimit } = this.#options;
    const deadline = performance.now() + timeLimit;
    while (Atomics.load(control, Control.generation) === generation) {
      this.#checkAbort();
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(this.#missing());
      Atomics.wait(control, Control.generation, generation, left);
    }
  }

  #checkAbort(): void {
    const abort = Atomics.load(this.#options.control, Control.abort);
    if (abort !== 0) throw new RunAborted(`Rank ${abort - 1} has failed.`);
  }

  #missing(): string {
    const { control, rank, ranks, timeLimit } = this.#options;
    return describeMissing(control, ranks, Atomics.load(control, Control.rankBarriers + rank), timeLimit);
  }
}

/** Ranks that have reached fewer barriers than `reached`, with the step each is at, as a sentence. */
export function describeMissing(
  control: Int32Array,
  ranks: number,
  reached: number,
  timeLimit: number,
): string {
  const missing: string[] = [];
  for (let rank = 0; rank < ranks; rank++) {
    if (Atomics.load(control, Control.rankBarriers + rank) < reached) {
      missing.push(`rank ${rank} (at step ${Atomics.load(control, rankStepWord(rank))})`);
    }
  }
  return `No answer within ${timeLimit / 1000} s from ${missing.join(', ')}: stalled, or steps that take longer than --barrier-timeout allows.`;
}

/** Marks the run as failed by `rank` (the first one to fail keeps the blame) and wakes whoever waits. */
export function abortRun(control: Int32Array, rank: number): void {
  Atomics.compareExchange(control, Control.abort, 0, rank + 1);
  // Sleepers wait for the generation to change: this one no rank counts on any more.
  Atomics.add(control, Control.generation, 1);
  Atomics.notify(control, Control.generation);
}
