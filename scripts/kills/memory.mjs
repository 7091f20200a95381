// Whether the memory of a soak is flat. Its runs need different amounts, by model and workers, so passes are
// compared: each has one run of each model on each number of workers.

import { sum } from './runCost.mjs';

/** The mean of a pass may differ by this share from that of the first pass after the warm-up. */
const TOLERANCE = 0.1;

/** V8 optimises, and the allocator finds its sizes, in the first pass. */
const WARM_UP = 1;

/** Passes after the warm-up without which nothing can be said. */
const LEAST = 2;

export class Memory {
  /** Samples in bytes, by pass. */
  #samples = new Map();
  #complete = [];

  add(pass, rss) {
    this.#samples.set(pass, [...(this.#samples.get(pass) ?? []), rss]);
  }

  /** All runs of the pass are over. */
  complete(pass) {
    this.#complete.push(pass);
  }

  line(pass) {
    const samples = this.#samples.get(pass) ?? [];
    return `RSS mean ${megabytes(this.#mean(pass))}, peak ${megabytes(Math.max(...samples))} (${samples.length} samples)`;
  }

  get isFlat() {
    return this.#ratios.length >= LEAST && this.#ratios.every((ratio) => Math.abs(ratio - 1) <= TOLERANCE);
  }

  /** A sentence. */
  verdict() {
    const ratios = this.#ratios;
    if (ratios.length < LEAST)
      return 'The soak was too short to say whether memory is flat: give it more minutes.';
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(3));
    const what = `the passes after the warm-up have ${least} to ${most} times the mean RSS of the first of them`;
    return `Memory is ${this.isFlat ? 'flat' : 'NOT flat'} within ${100 * TOLERANCE} %: ${what}.`;
  }

  get #ratios() {
    const [first, ...later] = this.#complete.slice(WARM_UP);
    return first === undefined ? [] : [first, ...later].map((pass) => this.#mean(pass) / this.#mean(first));
  }

  #mean(pass) {
    const samples = this.#samples.get(pass) ?? [];
    return sum(samples) / samples.length;
  }
}

const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
