import type { Address } from '../kernels/address.js';

/** Where the words stand. */
const Word = {
  /** 1 + the step after which all ranks stop. */
  stopAfter: 0,
  /** The step before which all ranks copy the state. */
  snapshotBefore: 1,
  /** First of OWN words a process. */
  own: 16,
} as const;

/** Words that each process writes, from its first one on. */
const Own = {
  /** 1 + the step whose update is NaN or infinite in a slice of this process. */
  refused: 0,
  /** 1: this process is asked to stop. */
  asksToStop: 1,
} as const;

const OWN = 2;

/** Bytes of the words, zero at first. */
export function decisionBytes(processes: number): number {
  return ownWord(processes) * Int32Array.BYTES_PER_ELEMENT;
}

/** The bytes that a process writes, from the first one on. The others read them behind the next exchange. */
export function decidedBytes(process: number): { readonly first: number; readonly end: number } {
  const word = Int32Array.BYTES_PER_ELEMENT;
  return { first: process === 0 ? 0 : ownWord(process) * word, end: ownWord(process + 1) * word };
}

function ownWord(process: number): number {
  return Word.own + OWN * process;
}

/**
 * What a rank decides for all ranks of all processes, before an exchange: behind it all of them read the
 * same. Steps are numbers of the run.
 */
export class Decisions {
  readonly #words: Int32Array;
  readonly #processes: number;
  readonly #process: number;

  /** @param address of decisionBytes. */
  constructor(buffer: ArrayBufferLike, address: Address, processes: number, process: number) {
    this.#words = new Int32Array(buffer, address, ownWord(processes));
    this.#processes = processes;
    this.#process = process;
  }

  /** This process is asked to stop; the first rank of all decides when all do. */
  askToStop(): void {
    Atomics.store(this.#words, ownWord(this.#process) + Own.asksToStop, 1);
  }

  /** Whether this process is asked to stop. */
  get isStopAskedHere(): boolean {
    return Atomics.load(this.#words, ownWord(this.#process) + Own.asksToStop) === 1;
  }

  /** Whether any process is asked to stop, as far as this one has heard. */
  get isStopAsked(): boolean {
    return this.#any(Own.asksToStop, 1);
  }

  /** All ranks stop after step `step`. Called by the first rank of the first process. */
  decideStop(step: number): void {
    Atomics.store(this.#words, Word.stopAfter, step + 1);
  }

  /** Whether a process besides this one is asked to stop. */
  get isStopAskedElsewhere(): boolean {
    return this.#any(Own.asksToStop, 1, this.#process);
  }

  /** Takes back what this process has asked and what was decided by it: while no rank runs. */
  withdrawStop(): void {
    Atomics.store(this.#words, Word.stopAfter, 0);
    this.#clear(Own.asksToStop);
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
    Atomics.store(this.#words, ownWord(this.#process) + Own.refused, step + 1);
  }

  /** Whether the step's update is NaN or infinite anywhere. */
  isRefused(step: number): boolean {
    return this.#any(Own.refused, step + 1);
  }

  /** While no rank runs: no step is refused. */
  forgetRefusals(): void {
    this.#clear(Own.refused);
  }

  #any(own: number, value: number, except?: number): boolean {
    for (let process = 0; process < this.#processes; process++) {
      if (process !== except && Atomics.load(this.#words, ownWord(process) + own) === value) return true;
    }
    return false;
  }

  #clear(own: number): void {
    for (let process = 0; process < this.#processes; process++) {
      Atomics.store(this.#words, ownWord(process) + own, 0);
    }
  }
}
