import { MOST_RANKS } from '../collective/collective.js';
import type { Decisions } from './decisions.js';

/** Where the words stand. */
const Word = {
  /** Steps completed since the run's beginning: records of steps below it may be read. */
  stepsCompleted: 2,
  /** Examples evaluated so far in this evaluation. */
  evaluated: 3,
  /** First of one word a rank: the step that the rank is at. */
  rankSteps: 16,
} as const;

const WORDS = Word.rankSteps + MOST_RANKS;

/** Bytes of the words, zero at first. */
export const PROGRESS_BYTES = WORDS * Int32Array.BYTES_PER_ELEMENT;

/** How far a run is, and whether it is to stop: words through which ranks and the coordinator speak. */
export class RunProgress {
  readonly #words: Int32Array;
  readonly #decisions: Decisions;

  /** @param address of PROGRESS_BYTES. */
  constructor(buffer: ArrayBufferLike, address: number, decisions: Decisions) {
    this.#words = new Int32Array(buffer, address, WORDS);
    this.#decisions = decisions;
  }

  /** Asks the ranks to stop after the step at hand. */
  requestStop(): void {
    this.#decisions.askToStop();
  }

  /** Whether this process is asked to stop. */
  get isStopAsked(): boolean {
    return this.#decisions.isStopAskedHere;
  }

  /** Takes the request back, and what was decided by it: while no rank runs. */
  withdrawStop(): void {
    this.#decisions.withdrawStop();
  }

  /**
   * Called by the first rank in step `step`, before an exchange: all ranks read the same decision behind it,
   * in `stopsAfter`. Never behind a step that is computed again: the steps after it have been reported.
   */
  decideStop(step: number): void {
    if (step < this.stepsCompleted) return;
    if (!this.#decisions.isStopAsked) return;
    this.#decisions.decideStop(step);
  }

  /** Whether all ranks stop now that they have completed step `step`. */
  stopsAfter(step: number): boolean {
    return this.#decisions.stopsAfter(step);
  }

  /** Whether another process is asked to stop. */
  get isStopAskedElsewhere(): boolean {
    return this.#decisions.isStopAskedElsewhere;
  }

  /** A rank begins a step. */
  enter(rank: number, step: number): void {
    Atomics.store(this.#words, Word.rankSteps + rank, step);
  }

  /** The step that a rank is at. */
  stepOf(rank: number): number {
    return Atomics.load(this.#words, Word.rankSteps + rank);
  }

  /**
   * All ranks have completed step `step`. Called by rank 0, and by the coordinator while no rank runs. A step
   * that is computed again was complete before.
   */
  complete(step: number): void {
    if (step >= this.stepsCompleted) Atomics.store(this.#words, Word.stepsCompleted, step + 1);
  }

  /** Steps completed since the run's beginning. */
  get stepsCompleted(): number {
    return Atomics.load(this.#words, Word.stepsCompleted);
  }

  /** An evaluation begins. */
  resetEvaluated(): void {
    Atomics.store(this.#words, Word.evaluated, 0);
  }

  countEvaluated(examples: number): void {
    Atomics.add(this.#words, Word.evaluated, examples);
  }

  /** Examples evaluated so far in this evaluation. */
  get evaluated(): number {
    return Atomics.load(this.#words, Word.evaluated);
  }
}
