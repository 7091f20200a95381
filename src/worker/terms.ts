import type { Address } from '../kernels/address.js';

/** The terms of an example, or sums of them, in nats: see Shard in backends/backend.ts. */
export interface Terms {
  readonly logLikelihood: number;
  readonly kl: number;
  readonly bound: number;
  /** A probability: see RefinementPlaces; 0 where no draw is refined. */
  readonly acceptance: number;
}

/** Number of the terms. */
const TERMS = 4;

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Addresses of the terms of some examples, [count] float64 each. */
export interface TermPlaces {
  readonly logLikelihood: Address;
  readonly kl: Address;
  readonly bound: Address;
  readonly acceptance: Address;
}

/** The terms of some examples. */
export class ExampleTerms {
  /** [count] each. */
  readonly logLikelihood: Float64Array;
  readonly kl: Float64Array;
  readonly bound: Float64Array;
  readonly acceptance: Float64Array;

  constructor(buffer: ArrayBufferLike, { logLikelihood, kl, bound, acceptance }: TermPlaces, count: number) {
    this.logLikelihood = new Float64Array(buffer, logLikelihood, count);
    this.kl = new Float64Array(buffer, kl, count);
    this.bound = new Float64Array(buffer, bound, count);
    this.acceptance = new Float64Array(buffer, acceptance, count);
  }

  /** Sums over examples [first, end), added in their order. */
  sum(first: number, end: number): Terms {
    let logLikelihood = 0;
    let kl = 0;
    let bound = 0;
    let acceptance = 0;
    for (let i = first; i < end; i++) {
      logLikelihood += this.logLikelihood[i]!;
      kl += this.kl[i]!;
      bound += this.bound[i]!;
      acceptance += this.acceptance[i]!;
    }
    return { logLikelihood, kl, bound, acceptance };
  }

  /** Takes over the terms of the first `count` examples of `from`, for the examples from `first` on. */
  copy(first: number, from: ExampleTerms, count: number): void {
    this.logLikelihood.set(from.logLikelihood.subarray(0, count), first);
    this.kl.set(from.kl.subarray(0, count), first);
    this.bound.set(from.bound.subarray(0, count), first);
    this.acceptance.set(from.acceptance.subarray(0, count), first);
  }
}

/** Bytes of the sums of so many shards. */
export function shardTermsBytes(shards: number): number {
  return shards * TERMS * DOUBLE;
}

/** The sums of the terms over the examples of each shard of a step, [shards, TERMS] float64. */
export class ShardTerms {
  readonly #sums: Float64Array;

  constructor(buffer: ArrayBufferLike, address: Address, shards: number) {
    this.#sums = new Float64Array(buffer, address, shards * TERMS);
  }

  write(shard: number, { logLikelihood, kl, bound, acceptance }: Terms): void {
    const place = shard * TERMS;
    this.#sums[place] = logLikelihood;
    this.#sums[place + 1] = kl;
    this.#sums[place + 2] = bound;
    this.#sums[place + 3] = acceptance;
  }

  /** Sums over all shards, added in their order. */
  total(): Terms {
    let logLikelihood = 0;
    let kl = 0;
    let bound = 0;
    let acceptance = 0;
    for (let place = 0; place < this.#sums.length; place += TERMS) {
      logLikelihood += this.#sums[place]!;
      kl += this.#sums[place + 1]!;
      bound += this.#sums[place + 2]!;
      acceptance += this.#sums[place + 3]!;
    }
    return { logLikelihood, kl, bound, acceptance };
  }
}
