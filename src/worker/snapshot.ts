import type { PartRange } from '../collective/parts.js';
import type { Slice } from '../optimizer/optimizer.js';
import type { RecoveryWords } from './recoveryWords.js';

/** Least time between two snapshots, milliseconds: what is lost at most where the state is torn. */
const INTERVAL = 250;

/** Snapshots may take this share of the time at most: where copying is slow, they are rarer. */
const MOST_SHARE = 1 / 128;

/** A slice of the parameters and of the optimizer's state, and of their copy. */
export class StateCopy {
  readonly #pairs: readonly { readonly live: Float32Array; readonly copy: Float32Array }[];

  constructor(buffer: ArrayBufferLike, live: Slice, copy: Slice, { first, end }: PartRange) {
    const places = [live.parameters, ...live.state];
    const copies = [copy.parameters, ...copy.state];
    const floats = (address: number) => new Float32Array(buffer, address, end).subarray(first);
    this.#pairs = places.map((address, i) => ({ live: floats(address), copy: floats(copies[i]!) }));
  }

  save(): void {
    for (const { live, copy } of this.#pairs) copy.set(live);
  }

  restore(): void {
    for (const { live, copy } of this.#pairs) live.set(copy);
  }
}

/**
 * A rank's part of the snapshots in memory. One copy is enough: all ranks copy at the beginning of a step,
 * and none begins an update before all have copied, for the barrier behind the gradient is in between. So
 * while the copy is torn, the state itself is not.
 */
export class Snapshots {
  readonly #rank: number;
  readonly #words: RecoveryWords;
  readonly #state: StateCopy;
  readonly #gather: (step: number) => void;
  /** When the first rank asks for the next one. */
  #due = 0;

  /** @param gather makes all of the state whole that is copied. */
  constructor(rank: number, words: RecoveryWords, state: StateCopy, gather: (step: number) => void) {
    this.#rank = rank;
    this.#words = words;
    this.#state = state;
    this.#gather = gather;
  }

  /** At the beginning of a step, behind the barrier behind the update of the one before. */
  takeIfDue(step: number): void {
    if (!this.#words.isSnapshotDue(step)) return;
    const start = performance.now();
    this.#gather(step);
    this.#state.save();
    this.#words.endCopy(this.#rank, step);
    const now = performance.now();
    this.#due = now + Math.max(INTERVAL, (now - start) / MOST_SHARE);
  }

  /** Called by the first rank in step `step`, before an exchange: by the clock, which decides no bit. */
  decide(step: number): void {
    if (performance.now() >= this.#due) this.#words.decideSnapshot(step + 1);
  }
}
