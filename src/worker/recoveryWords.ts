import { MOST_RANKS } from '../collective/collective.js';
import type { Address } from '../kernels/address.js';
import type { Decisions } from './decisions.js';

/** Where the words stand; steps are counted as the steps whose result a rank has written. */
const Word = {
  /** First of one word a rank: 1 + the step whose update the rank has begun. */
  begun: 16,
  /** First of one word a rank: 1 + the step whose update the rank has ended. */
  ended: 16 + MOST_RANKS,
  /** First of one word a rank: the step before which the rank has copied its slice. */
  copied: 16 + 2 * MOST_RANKS,
} as const;

const WORDS = 16 + 3 * MOST_RANKS;

/** Bytes of the words, zero at first. */
export const RECOVERY_BYTES = WORDS * Int32Array.BYTES_PER_ELEMENT;

/**
 * What each rank has done to the state of the run, in words that outlive its thread: parameters and the
 * optimizer's state are torn where one rank has updated its slice and another has not.
 */
export class RecoveryWords {
  readonly #words: Int32Array;
  readonly #ranks: number;
  readonly #decisions: Decisions;

  /** @param address of RECOVERY_BYTES. */
  constructor(buffer: ArrayBufferLike, address: Address, ranks: number, decisions: Decisions) {
    this.#words = new Int32Array(buffer, address, WORDS);
    this.#ranks = ranks;
    this.#decisions = decisions;
  }

  /** Called while no rank runs: the memory holds the state before `step`, which is to be copied first. */
  reset(step: number): void {
    for (let rank = 0; rank < this.#ranks; rank++) {
      Atomics.store(this.#words, Word.begun + rank, step);
      Atomics.store(this.#words, Word.ended + rank, step);
    }
    this.#decisions.forgetRefusals();
    this.decideSnapshot(step);
  }

  /** What a rank has written in the step's update is not finite; all read it behind the next exchange. */
  refuse(step: number): void {
    this.#decisions.refuse(step);
  }

  /** Whether the step's update is NaN or infinite anywhere. */
  isRefused(step: number): boolean {
    return this.#decisions.isRefused(step);
  }

  /** A rank is about to change parameters or the optimizer's state. */
  beginUpdate(rank: number, step: number): void {
    Atomics.store(this.#words, Word.begun + rank, step + 1);
  }

  /** A rank has written all that it writes in the step's update. */
  endUpdate(rank: number, step: number): void {
    Atomics.store(this.#words, Word.ended + rank, step + 1);
  }

  /** The step before which the state in memory is, or undefined where it is torn or not finite. */
  get consistentBefore(): number | undefined {
    const step = this.#agreed(Word.begun, Word.ended);
    return step !== undefined && this.isRefused(step - 1) ? undefined : step;
  }

  /** Called by the first rank, before an exchange: all ranks copy the state before `step`. */
  decideSnapshot(step: number): void {
    this.#decisions.decideSnapshot(step);
  }

  /** The same in all ranks at the beginning of a step. */
  isSnapshotDue(step: number): boolean {
    return this.#decisions.isSnapshotDue(step);
  }

  /** A rank has copied its slice of the state before `step`. */
  endCopy(rank: number, step: number): void {
    Atomics.store(this.#words, Word.copied + rank, step);
  }

  /** All of the state before `step` is copied: while no rank runs. */
  endCopies(step: number): void {
    for (let rank = 0; rank < this.#ranks; rank++) this.endCopy(rank, step);
  }

  /** The step before which the copied state is, or undefined while it is being copied. */
  get copiedBefore(): number | undefined {
    return this.#agreed(Word.copied);
  }

  /** What all ranks have in the words that begin at `places`, if it is the same. */
  #agreed(...places: readonly number[]): number | undefined {
    const agreed = Atomics.load(this.#words, places[0]!);
    for (const place of places) {
      for (let rank = 0; rank < this.#ranks; rank++) {
        if (Atomics.load(this.#words, place + rank) !== agreed) return undefined;
      }
    }
    return agreed;
  }
}
