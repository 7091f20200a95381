import { RunAborted } from '../collective.js';
import { ProcessLost } from '../mpi/world.js';
import type { BarrierWords } from '../sharedMemory/barrier.js';
import type { ExchangeName } from './transfers.js';

/** Where the words stand. */
const Word = {
  /** Requests that were made; what the exchange thread sleeps on. */
  requested: 0,
  /** Requests that are served; what ranks sleep on. */
  served: 16,
  /** What the last request asks for. */
  kind: 17,
  /** 0, or 1 + the bytes of the sentence that says why no request is served any more. */
  failed: 18,
  /** 1: because a process has died. */
  lost: 19,
} as const;

const WORDS = 32;
const WORD_BYTES = WORDS * Int32Array.BYTES_PER_ELEMENT;

/** Most bytes of the sentence. */
const TEXT_BYTES = 4096;

/** A request that says in a message what it asks for. */
const MESSAGE = 0;

const EXCHANGES = [
  'shard terms',
  'squared norms',
  'parameters',
  'state',
  'test terms',
  'start',
] as const satisfies readonly ExchangeName[];

/** Longest sleep of a rank between two looks at whether another one has failed, milliseconds. */
const SLICE = 200;

/** What a request asks the exchange thread for. */
export type Request = ExchangeName | 'message';

/**
 * Words through which the threads of a process ask the one that speaks to other processes for an exchange.
 * One request is made at a time: by the first rank behind a barrier, or by the main thread while no rank
 * runs.
 */
export class Mailbox {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #text: Uint8Array;

  /** @param buffer of another thread's mailbox; absent: a new one. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(WORD_BYTES + TEXT_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, WORDS);
    this.#text = new Uint8Array(buffer, WORD_BYTES, TEXT_BYTES);
  }

  /** Requests that were made. */
  get requested(): number {
    return Atomics.load(this.#words, Word.requested);
  }

  /** Whether a request is being served. */
  get isBusy(): boolean {
    return this.requested !== Atomics.load(this.#words, Word.served);
  }

  request(request: Request): void {
    const kind = request === 'message' ? MESSAGE : 1 + EXCHANGES.indexOf(request);
    Atomics.store(this.#words, Word.kind, kind);
    Atomics.add(this.#words, Word.requested, 1);
    Atomics.notify(this.#words, Word.requested);
  }

  /**
   * Returns when request number `count` is served.
   * @throws RunAborted when a rank of this process has failed.
   * @throws ProcessLost where the exchange has failed because a process has died.
   * @throws Error with the reason when the exchange has failed otherwise.
   */
  wait(count: number, ranks: BarrierWords): void {
    for (;;) {
      const served = Atomics.load(this.#words, Word.served);
      const failure = this.#failure();
      if (failure !== undefined) throw failure;
      // The counts may wrap.
      if (((served - count) | 0) >= 0) return;
      const { abortedBy } = ranks;
      if (abortedBy !== undefined) throw new RunAborted(`Rank ${abortedBy} has failed.`);
      Atomics.wait(this.#words, Word.served, served, SLICE);
    }
  }

  /** The exchange thread waits for a request. @param count requests that it has served. */
  next(count: number): Request {
    // The notify behind a request may come when it is served already, and wake the thread for nothing.
    while (this.requested === count) Atomics.wait(this.#words, Word.requested, count);
    const kind = Atomics.load(this.#words, Word.kind);
    return kind === MESSAGE ? 'message' : EXCHANGES[kind - 1]!;
  }

  /** The exchange thread has served a request. */
  endRequest(): void {
    Atomics.add(this.#words, Word.served, 1);
    Atomics.notify(this.#words, Word.served);
  }

  /** The exchange thread cannot serve any request more, or none before `recover` where a process has died. */
  fail(error: Error): void {
    const { written } = new TextEncoder().encodeInto(error.message, this.#text);
    Atomics.store(this.#words, Word.lost, error instanceof ProcessLost ? 1 : 0);
    Atomics.store(this.#words, Word.failed, 1 + written);
    Atomics.notify(this.#words, Word.served);
  }

  /** Whether the exchange thread cannot serve any request more. */
  get hasFailed(): boolean {
    return Atomics.load(this.#words, Word.failed) !== 0 && Atomics.load(this.#words, Word.lost) === 0;
  }

  /**
   * The exchange thread serves requests again: the next one as that behind all that were made. While no rank
   * runs.
   */
  recover(): void {
    Atomics.store(this.#words, Word.failed, 0);
    Atomics.store(this.#words, Word.served, this.requested);
  }

  /** The exchange thread has nothing to do any more. */
  sleep(): never {
    for (;;) Atomics.wait(this.#words, Word.failed, Atomics.load(this.#words, Word.failed));
  }

  #failure(): Error | undefined {
    const failed = Atomics.load(this.#words, Word.failed);
    if (failed === 0) return undefined;
    // A decoder takes no shared memory.
    const sentence = new TextDecoder().decode(this.#text.slice(0, failed - 1));
    return Atomics.load(this.#words, Word.lost) === 1 ? new ProcessLost(sentence) : new Error(sentence);
  }
}
