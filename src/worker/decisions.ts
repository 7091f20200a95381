import type { Address } from '../kernels/address.js';

/** Where the words stand. */
const Word = {
  /** 1 + the step after which all ranks stop. */
  stopAfter: 0,
  /** The step before which all ranks copy the state. */
  snapshotBefore: 1,
  /** First of one word a process: 1 + the step whose update is NaN or infinite in a slice of it. */
  refused: 16,
} as const;

/** Words that the first process decides. */
const FIRST_DECIDES = Word.refused;

/** Bytes of the words, zero at first. */
export function decisionBytes(processes: number): number {
  return (Word.refused + processes) * Int32Array.BYTES_PER_ELEMENT;
}

/** The bytes that a process writes, from the first one on. The others read them behind the next exchange. */
export function decidedBytes(process: number): { readonly first: number; readonly end: number } {
  const word = Int32Array.BYTES_PER_ELEMENT;
  const own = FIRST_DECIDES + process;
  return { first: process === 0 ? 0 : own * word, end: (own + 1) * word };
}

/**
 * What a rank decides for all ranks of all processes, before an exchange: behind it all of them read the
 * same. Steps are numbers of the run.
 */
export class Decisions {
  readonly #words: Int32Array;
  readonly #process: number;

  /** @param address of decisionBytes. */
  constructor(buffer: ArrayBufferLike, address: Address, processes: number, process: number) {
    this.#words = new Int32Array(buffer, address, Word.refused + processes);
    this.#process = process;
  }

  /** All ranks stop after step `step`. Called by the first rank of the first process. */
  decideStop(step: number): void {
    Atomics.store(this.#words, Word.stopAfter, step + 1);
  }

  /** While no rank runs. */
  withdrawStop(): void {
    Atomics.store(this.#words, Word.stopAfter, 0);
  }

  /** Whether all ranks stop now that they have completed step `step`. */
  stopsAfter(step: number): boolean {
    return Atomics.load(this.#words, Word.stopAfter) === step + 1;
  }

  /** All ranks copy the state before `step`. Called as `decideStop`, and while no rank runs. */
  decideSnapshot(step: number): void {
    Atomics.store(this.#words, Word.snapshotBefore, step);
  }

  /** The same in all ranks at the beginning of a step. */
  isSnapshotDue(step: number): boolean {
    return Atomics.load(this.#words, Word.snapshotBefore) === step;
  }

  /** What a rank of this process has written in the step's update is not finite. */
  refuse(step: number): void {
    Atomics.store(this.#words, Word.refused + this.#process, step + 1);
  }

  /** Whether the step's update is NaN or infinite anywhere. */
  isRefused(step: number): boolean {
    for (let word: number = Word.refused; word < this.#words.length; word++) {
      if (Atomics.load(this.#words, word) === step + 1) return true;
    }
    return false;
  }

  /** While no rank runs: no step is refused. */
  forgetRefusals(): void {
    this.#words.fill(0, Word.refused);
  }
}
