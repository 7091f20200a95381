import { MOST_RANKS, RunAborted } from '../collective.js';
import { RunningTime } from '../runningTime.js';

/** Longest sleep of a rank between two looks at how long it has waited, milliseconds. */
const SLICE = 200;

/** Where the words stand. */
const Word = {
  /** 0, or 1 + the rank that failed first; every rank leaves at its next barrier. */
  abort: 0,
  /** Ranks that have reached the current barrier. */
  arrived: 1,
  /** Number of barriers passed; what waiting ranks sleep on. */
  generation: 2,
  /** First of one word a rank: barriers that the rank has reached. */
  reached: 16,
} as const;

const WORDS = Word.reached + MOST_RANKS;

/** Bytes of the words that a barrier needs of the shared memory, zero at first. */
export const BARRIER_BYTES = WORDS * Int32Array.BYTES_PER_ELEMENT;

/** The words behind a barrier, for ranks and for the coordinator that watches them. */
export class BarrierWords {
  readonly words: Int32Array;

  /** @param address of BARRIER_BYTES. */
  constructor(buffer: ArrayBufferLike, address: number) {
    this.words = new Int32Array(buffer, address, WORDS);
  }

  /** Marks the run as failed by `rank` (the first one to fail keeps the blame) and wakes whoever waits. */
  abort(rank: number): void {
    Atomics.compareExchange(this.words, Word.abort, 0, rank + 1);
    // Sleepers wait for the generation to change: this one no rank counts on any more.
    Atomics.add(this.words, Word.generation, 1);
    Atomics.notify(this.words, Word.generation);
  }

  /** The rank that failed first, if any. */
  get abortedBy(): number | undefined {
    const abort = Atomics.load(this.words, Word.abort);
    return abort === 0 ? undefined : abort - 1;
  }

  /** Makes a failed run's words those of a new one. Called while no rank runs. */
  reset(): void {
    Atomics.store(this.words, Word.abort, 0);
    Atomics.store(this.words, Word.arrived, 0);
    for (let rank = 0; rank < MOST_RANKS; rank++) Atomics.store(this.words, Word.reached + rank, 0);
  }

  /** Changes whenever all ranks have passed a barrier. */
  get generation(): number {
    return Atomics.load(this.words, Word.generation);
  }

  /** Barriers that a rank has reached. */
  reached(rank: number): number {
    return Atomics.load(this.words, Word.reached + rank);
  }

  /** Ranks of the first `ranks` that have reached fewer barriers than `count`. */
  late(ranks: number, count: number): number[] {
    return Array.from({ length: ranks }, (_, rank) => rank).filter((rank) => this.reached(rank) < count);
  }
}

export interface BarrierOptions {
  readonly words: BarrierWords;
  readonly rank: number;
  readonly ranks: number;
  /** How long to wait for the others, milliseconds. */
  readonly timeLimit: number;
  /** Loads of the generation word before sleeping: 0 where there are more ranks than cores. */
  readonly spins: number;
  /** The step that a rank is at, for the message about missing ranks. */
  stepOf(rank: number): number;
}

/**
 * A barrier in shared memory: a count, a generation that advances when all have arrived, and an abort word.
 * Ranks look a while before they sleep, since the others are usually microseconds away.
 */
export class Barrier {
  readonly #options: BarrierOptions;
  readonly #words: Int32Array;

  constructor(options: BarrierOptions) {
    this.#options = options;
    this.#words = options.words.words;
  }

  /** See Collective.barrier. */
  wait(): void {
    const { rank, ranks, spins } = this.#options;
    const words = this.#words;
    this.#checkAbort();
    const generation = Atomics.load(words, Word.generation);
    Atomics.add(words, Word.reached + rank, 1);
    if (Atomics.add(words, Word.arrived, 1) === ranks - 1) {
      Atomics.store(words, Word.arrived, 0);
      Atomics.add(words, Word.generation, 1);
      Atomics.notify(words, Word.generation);
      return;
    }
    for (let i = 0; i < spins; i++) {
      if (Atomics.load(words, Word.generation) !== generation) {
        this.#checkAbort();
        return;
      }
    }
    this.#sleep(generation);
    this.#checkAbort();
  }

  #sleep(generation: number): void {
    const { timeLimit } = this.#options;
    const words = this.#words;
    const waited = new RunningTime(SLICE);
    while (Atomics.load(words, Word.generation) === generation) {
      this.#checkAbort();
      if (waited.total >= timeLimit) throw new Error(this.#missing());
      Atomics.wait(words, Word.generation, generation, Math.min(SLICE, timeLimit - waited.total));
      waited.tick();
    }
  }

  #checkAbort(): void {
    const { abortedBy } = this.#options.words;
    if (abortedBy !== undefined) throw new RunAborted(`Rank ${abortedBy} has failed.`);
  }

  #missing(): string {
    const { words, rank, ranks, timeLimit, stepOf } = this.#options;
    return describeMissing(words.late(ranks, words.reached(rank)), stepOf, timeLimit);
  }
}

/**
 * A sentence that names the ranks that are late at a barrier, with the step each is at.
 * @param timeLimit milliseconds.
 */
export function describeMissing(
  late: readonly number[],
  stepOf: (rank: number) => number,
  timeLimit: number,
): string {
  const missing = late.map((rank) => `rank ${rank} (at step ${stepOf(rank)})`);
  return `No answer within ${timeLimit / 1000} s from ${missing.join(', ')}: stalled, or steps that take longer than --barrier-timeout allows.`;
}
