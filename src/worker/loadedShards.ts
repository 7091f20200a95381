import type { Rank } from './rank.js';
import type { Step } from './step.js';

/** Neighbouring shards of a step that a rank computes at once: their examples, noise and terms. */
export class LoadedShards {
  readonly #rank: Rank;
  #step: Step | undefined;
  #first = 0;
  #end = 0;

  constructor(rank: Rank) {
    this.#rank = rank;
  }

  /** Fills the rank's buffers with the examples and the noise of shards [first, end). */
  load(step: Step, first: number, end: number): void {
    const place = step.bounds[first]!;
    const count = step.bounds[end]! - place;
    this.#rank.loadTraining(step.first + place, count, place, step.number, step.epoch);
    this.#step = step;
    this.#first = first;
    this.#end = end;
  }

  /** Tells the backend where each of the loaded shards begins, as parts of one. */
  asParts(): void {
    const { shard } = this.#rank;
    shard.parts = this.#end - this.#first;
    for (let part = 0; part <= shard.parts; part++) shard.bounds[part] = this.#begin(this.#first + part);
  }

  /** Writes the sums of the terms over each of the loaded shards, once the backend has computed them. */
  recordTerms(): void {
    const { terms, shardTerms } = this.#rank;
    for (let shard = this.#first; shard < this.#end; shard++) {
      shardTerms.write(shard, terms.sum(this.#begin(shard), this.#begin(shard + 1)));
    }
  }

  /** Where a shard begins among the loaded examples. */
  #begin(shard: number): number {
    const { bounds } = this.#step!;
    return bounds[shard]! - bounds[this.#first]!;
  }
}
