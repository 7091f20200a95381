import { setImmediate as turn } from 'node:timers/promises';
import type { Sink, SinkEvent } from './sink.js';
import { isThenable } from './userFunction.js';

/**
 * Hands the events of a run to its sinks. Whatever they throw is an error of the run, and never one of a
 * timer.
 */
export class RunSinks {
  #sinks: readonly Sink[];
  #stopAsked = false;
  /** The first error of a promise of each sink. */
  readonly #rejections = new Map<Sink, unknown>();
  /** Promises that the run waits for. */
  readonly #pending = new Set<PromiseLike<void>>();

  constructor(sinks: readonly Sink[]) {
    this.#sinks = sinks;
  }

  get sinks(): readonly Sink[] {
    return this.#sinks;
  }

  /** Whether a sink has asked the run to stop. */
  get stopAsked(): boolean {
    return this.#stopAsked;
  }

  /** The first step of which a sink lost what it was told. */
  get lostFrom(): number | undefined {
    return this.#sinks.find(({ lostFrom }) => lostFrom !== undefined)?.lostFrom;
  }

  /** Adds sinks that are told before the others, from now on. */
  putFirst(sinks: readonly Sink[]): void {
    this.#sinks = [...sinks, ...this.#sinks];
  }

  /** @throws what a sink throws; the sinks behind it are not told. */
  readonly tell = (event: SinkEvent): void => {
    for (const sink of this.#sinks) this.give(sink, event);
  };

  /** @throws what the sink throws, or what a promise of it has been rejected with since. */
  give(sink: Sink, event: SinkEvent): void {
    this.#checkOne(sink);
    const returned = sink.take(event);
    if (!isThenable(returned)) {
      this.#heed(returned);
      return;
    }
    const settled = returned.then(
      (value) => this.#heed(value),
      (reason: unknown) => {
        if (!this.#rejections.has(sink)) this.#rejections.set(sink, reason);
      },
    );
    if (!sink.awaited) return;
    this.#pending.add(settled);
    void settled.then(() => this.#pending.delete(settled));
  }

  /** @throws what a promise of a sink has been rejected with. */
  #check(): void {
    for (const sink of this.#sinks) this.#checkOne(sink);
  }

  /**
   * Waits for the promises of the sinks that are awaited, and a turn of the event loop for what others have
   * done by now.
   * @throws what a promise of a sink has been rejected with.
   */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
    await turn();
    this.#check();
  }

  #checkOne(sink: Sink): void {
    if (this.#rejections.has(sink)) throw this.#rejections.get(sink);
  }

  #heed(value: unknown): void {
    if (value === 'stop') this.#stopAsked = true;
  }
}
