/**
 * Time in which this process has run, milliseconds. The clock goes on while a process is stopped (SIGSTOP, a
 * closed lid, a debugger), and nobody is late because of that: between two looks no more than twice the time
 * counts after which they should follow each other.
 */
export class RunningTime {
  readonly #most: number;
  readonly #now: () => number;
  #last: number;
  #total = 0;

  /** @param slice the time after which `tick` is called again. */
  constructor(slice: number, now: () => number = () => performance.now()) {
    this.#most = 2 * slice;
    this.#now = now;
    this.#last = now();
  }

  /** Counts the time since the last call. */
  tick(): void {
    const now = this.#now();
    this.#total += Math.min(now - this.#last, this.#most);
    this.#last = now;
  }

  /** Counted since the beginning or the last `restart`. */
  get total(): number {
    return this.#total;
  }

  restart(): void {
    this.#total = 0;
  }
}
