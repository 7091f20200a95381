import { NotFiniteError } from '../errors.js';
import { plus } from '../kernels/address.js';
import type { ValueAt } from '../schedule/schedule.js';
import type { Barrier } from './barrier.js';
import { Control, rankStepWord } from './control.js';
import type { Fault } from './fault.js';
import type { Rank } from './rank.js';
import { reduceScatter } from './reduceScatter.js';
import { paddedParameters, STEP_METRICS, TERMS } from './runMemory.js';
import { betaOf, learningRateOf, partStart } from './settings.js';

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Where a rank's time goes: float64 milliseconds in its timing region. */
export const Timing = { prepare: 0, gradient: 1, update: 2, barrier: 3 } as const;

export interface TrainTask {
  readonly rank: number;
  readonly ranks: number;
  /** From 0. */
  readonly epoch: number;
  /** Steps [firstStep, endStep) of the run, all in this epoch. */
  readonly firstStep: number;
  readonly endStep: number;
  readonly fault?: Fault;
}

/**
 * A rank's part of an epoch. Each step: pack a share of the weights; compute the gradients of its shards; sum
 * its slice of the parameter space over all shards and update it (reduce-scatter with a sharded optimiser:
 * the memory is shared, so the all-gather is nothing). Three barriers separate these. Where the backend's
 * gradients are computed by the owners of the parameters (Backend.owner), nothing is shared before the
 * gradient, and two barriers do.
 */
export class StepLoop {
  readonly #rank: Rank;
  readonly #task: TrainTask;
  readonly #barrier: Barrier;
  readonly #beta: ValueAt;
  readonly #learningRate: ValueAt;
  /** Where the shards of the step begin among its examples. */
  readonly #bounds: Int32Array;
  readonly #timing: number;

  constructor(rank: Rank, task: TrainTask, barrier: Barrier) {
    this.#rank = rank;
    this.#task = task;
    this.#barrier = barrier;
    this.#timing = rank.regions.timing / DOUBLE;
    const { settings } = rank.context;
    this.#beta = betaOf(settings);
    this.#learningRate = learningRateOf(settings);
    this.#bounds = new Int32Array(settings.shards + 1);
  }

  /** Runs until endStep or until the coordinator asks to stop; returns the number of the next step. */
  run(): number {
    const { control, backend } = this.#rank;
    const { rank, ranks, firstStep, endStep, fault } = this.#task;
    for (let step = firstStep; step < endStep; step++) {
      Atomics.store(control, rankStepWord(rank), step);
      if (fault?.rank === rank && fault.step === step) fail(fault);
      let start = performance.now();
      backend.prepare(rank, ranks);
      start = this.#lap(Timing.prepare, start);
      if (backend.owner === undefined) {
        this.#barrier.wait();
        start = this.#lap(Timing.barrier, start);
      }
      const examples = this.#placeShards(step);
      this.#gradients(step);
      start = this.#lap(Timing.gradient, start);
      if (rank === 0) this.#decideStop(step);
      this.#barrier.wait();
      start = this.#lap(Timing.barrier, start);
      this.#checkAndRecord(step, examples);
      this.#update(step, examples);
      start = this.#lap(Timing.update, start);
      this.#barrier.wait();
      this.#lap(Timing.barrier, start);
      if (rank === 0) Atomics.store(control, Control.stepsCompleted, step + 1);
      if (Atomics.load(control, Control.stopAfter) === step + 1) return step + 1;
    }
    return endStep;
  }

  /** Fills the bounds of the step's shards; returns the number of its examples. */
  #placeShards(step: number): number {
    const { settings } = this.#rank.context;
    const { batchSize, shards, trainCount } = settings;
    const examples = Math.min(batchSize, trainCount - this.#batchStart(step));
    for (let shard = 0; shard <= shards; shard++) this.#bounds[shard] = partStart(examples, shards, shard);
    return examples;
  }

  /** First example of the step in the epoch's order. */
  #batchStart(step: number): number {
    const { stepsPerEpoch, batchSize } = this.#rank.context.settings;
    return (step - this.#task.epoch * stepsPerEpoch) * batchSize;
  }

  /**
   * The gradients of this rank's shards into their slots, or all that the owners of the parameters need for
   * them.
   */
  #gradients(step: number): void {
    const { settings, layout } = this.#rank.context;
    const { backend, shard: examples } = this.#rank;
    const { rank, ranks } = this.#task;
    const beta = this.#beta(step);
    const firstShard = partStart(settings.shards, ranks, rank);
    const endShard = partStart(settings.shards, ranks, rank + 1);
    if (backend.owner) {
      this.#load(step, firstShard, endShard);
      backend.owner.backpropagate(examples, beta);
      for (let shard = firstShard; shard < endShard; shard++) this.#sumTerms(shard, firstShard);
      return;
    }
    const { parts } = layout;
    for (let shard = firstShard; shard < endShard; shard += parts) {
      this.#load(step, shard, shard + parts);
      this.#setParts(shard);
      backend.objectiveGradient(examples, beta, plus(layout.slots, shard * layout.slotPitch));
      for (let part = 0; part < parts; part++) this.#sumTerms(shard + part, shard);
    }
  }

  /** Where the shards computed at once begin among their examples. */
  #setParts(firstShard: number): void {
    const { shard, context } = this.#rank;
    shard.parts = context.layout.parts;
    for (let part = 0; part <= shard.parts; part++) {
      shard.bounds[part] = this.#bounds[firstShard + part]! - this.#bounds[firstShard]!;
    }
  }

  /** Examples and noise of neighbouring shards. */
  #load(step: number, firstShard: number, endShard: number): void {
    const place = this.#bounds[firstShard]!;
    const count = this.#bounds[endShard]! - place;
    this.#rank.loadTraining(this.#batchStart(step) + place, count, place, step, this.#task.epoch);
  }

  /** A shard's sums, when the shards from `firstLoaded` on are loaded. */
  #sumTerms(shard: number, firstLoaded: number): void {
    const { doubles, regions, context } = this.#rank;
    const start = this.#bounds[firstLoaded]!;
    let logLikelihood = 0;
    let kl = 0;
    let bound = 0;
    for (let i = this.#bounds[shard]! - start; i < this.#bounds[shard + 1]! - start; i++) {
      logLikelihood += doubles[regions.logLikelihood / DOUBLE + i]!;
      kl += doubles[regions.kl / DOUBLE + i]!;
      bound += doubles[regions.bound / DOUBLE + i]!;
    }
    const place = context.layout.shardTerms / DOUBLE + shard * TERMS;
    doubles[place] = logLikelihood;
    doubles[place + 1] = kl;
    doubles[place + 2] = bound;
  }

  /** Before a barrier, so that all ranks read the same decision behind it. */
  #decideStop(step: number): void {
    const { control } = this.#rank;
    if (Atomics.load(control, Control.stopRequested) !== 0)
      Atomics.store(control, Control.stopAfter, step + 1);
  }

  /**
   * Every rank sees the same sums, so every rank refuses a step that is not finite, before it reaches a
   * parameter.
   */
  #checkAndRecord(step: number, examples: number): void {
    const { doubles, context } = this.#rank;
    const { layout, settings } = context;
    let logLikelihood = 0;
    let kl = 0;
    let bound = 0;
    for (let shard = 0; shard < settings.shards; shard++) {
      const place = layout.shardTerms / DOUBLE + shard * TERMS;
      logLikelihood += doubles[place]!;
      kl += doubles[place + 1]!;
      bound += doubles[place + 2]!;
    }
    if (!Number.isFinite(logLikelihood) || !Number.isFinite(kl)) {
      throw new NotFiniteError(
        `At step ${step} the loss is not finite (log p(x|z) ${logLikelihood / examples}, KL ${kl / examples}, ` +
          'nats an example).',
      );
    }
    if (this.#task.rank !== 0) return;
    const inEpoch = step - this.#task.epoch * settings.stepsPerEpoch;
    const place = layout.stepMetrics / DOUBLE + inEpoch * STEP_METRICS;
    doubles[place] = examples;
    doubles[place + 1] = logLikelihood;
    doubles[place + 2] = kl;
    doubles[place + 3] = bound;
    doubles[place + 4] = this.#beta(step);
  }

  /** Updates this rank's parameters by the mean of their gradients over the examples of all shards. */
  #update(step: number, examples: number): void {
    const { backend, optimizer, context } = this.#rank;
    const { settings, layout, model } = context;
    optimizer.begin(step + 1, this.#learningRate(step), 1 / examples);
    if (backend.owner) {
      backend.owner.update(this.#bounds);
      return;
    }
    const sizes = { parameters: paddedParameters(model), shards: settings.shards };
    reduceScatter(optimizer, layout, sizes, this.#task);
  }

  #lap(phase: number, start: number): number {
    const now = performance.now();
    this.#rank.doubles[this.#timing + phase]! += now - start;
    return now;
  }
}

function fail({ kind, rank, step }: Fault): void {
  if (kind === 'throw') throw new Error(`Fault on purpose in rank ${rank}, step ${step}.`);
  if (kind === 'exit') process.exit(3);
  for (;;) {
    // Stalls: neither an error nor a barrier.
  }
}
