import { partStart } from '../collective/parts.js';
import type { ValueAt } from '../schedule/schedule.js';
import { betaOf, learningRateOf, type Settings } from './settings.js';

/** A step as it is given, before anything of it is computed. */
export interface Step {
  /** In the run, from 0. */
  readonly number: number;
  readonly epoch: number;
  /** In its epoch, from 0. */
  readonly inEpoch: number;
  /** Place of its first example in the epoch's order. */
  readonly first: number;
  /** Number of its examples. */
  readonly examples: number;
  /** [shards + 1]: where each shard begins among its examples, and where the last one ends. */
  readonly bounds: Int32Array;
  /** Weight of the KL. */
  readonly beta: number;
  readonly learningRate: number;
}

/** Where the examples of a step stand in the epoch's order. */
export function examplesOfStep(
  { batchSize, trainCount }: Pick<Settings, 'batchSize' | 'trainCount'>,
  inEpoch: number,
): Pick<Step, 'first' | 'examples'> {
  const first = inEpoch * batchSize;
  // The last batch of an epoch may be smaller.
  return { first, examples: Math.min(batchSize, trainCount - first) };
}

/** The steps of an epoch. */
export class EpochSteps {
  readonly #settings: Settings;
  readonly #epoch: number;
  readonly #beta: ValueAt;
  readonly #learningRate: ValueAt;
  /** One for all steps: a step is over before the next one begins. */
  readonly #bounds: Int32Array;

  constructor(settings: Settings, epoch: number) {
    this.#settings = settings;
    this.#epoch = epoch;
    this.#beta = betaOf(settings);
    this.#learningRate = learningRateOf(settings);
    this.#bounds = new Int32Array(settings.shards + 1);
  }

  /** @param number of the step in the run; it must be one of this epoch. */
  at(number: number): Step {
    const { shards, stepsPerEpoch } = this.#settings;
    const inEpoch = number - this.#epoch * stepsPerEpoch;
    const { first, examples } = examplesOfStep(this.#settings, inEpoch);
    for (let shard = 0; shard <= shards; shard++) this.#bounds[shard] = partStart(examples, shards, shard);
    return {
      ...{ number, epoch: this.#epoch, inEpoch, first, examples, bounds: this.#bounds },
      beta: this.#beta(number),
      learningRate: this.#learningRate(number),
    };
  }
}
