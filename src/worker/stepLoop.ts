import type { Collective } from '../collective/collective.js';
import { paddedParameters, parameterSlice } from '../collective/parameterSlices.js';
import { type ArmedFault, withFaults } from './fault.js';
import type { Rank } from './rank.js';
import { RefusedStep } from './refusedStep.js';
import { Snapshots, StateCopy } from './snapshot.js';
import { EpochSteps, type Step } from './step.js';
import type { StepRecord } from './stepRecords.js';
import { stepRule } from './stepRules/registry.js';
import type { Phase } from './stepRules/stepRule.js';

export interface TrainTask {
  readonly rank: number;
  readonly ranks: number;
  /** From 0. */
  readonly epoch: number;
  /** Steps [firstStep, endStep) of the run, all in this epoch. */
  readonly firstStep: number;
  readonly endStep: number;
  /** Steps that change nothing, because they are NaN or infinite. */
  readonly skipped: readonly number[];
  readonly faults?: readonly ArmedFault[];
}

/**
 * A rank's part of an epoch. A step is a list of phases, with an exchange between the ranks behind some of
 * them: those of the step rule that compute gradients, the check of the loss, those that update the
 * parameters.
 */
export class StepLoop {
  readonly #rank: Rank;
  readonly #task: TrainTask;
  readonly #decides: boolean;
  readonly #steps: EpochSteps;
  readonly #phases: readonly Phase[];
  /** The phases of a step that is skipped. */
  readonly #skipping: readonly Phase[];
  readonly #snapshots: Snapshots;

  constructor(rank: Rank, task: TrainTask, collective: Collective) {
    this.#rank = rank;
    this.#task = task;
    this.#decides = collective.isFirst;
    const { memory, layout, model, settings } = rank.context;
    this.#steps = new EpochSteps(settings, task.epoch);
    const { gradient, update } = stepRule(layout.owned).create(rank, collective);
    // All that this memory has of the state: parameters of other processes, too.
    const own = parameterSlice(paddedParameters(model.parameters.size), task.ranks, task.rank);
    const slice = new StateCopy(memory.buffer, layout, layout.snapshot, own);
    // Any process that is left has all of the state; at the beginning of a task, each has it anyway.
    const gather = (step: number) => {
      if (rank.context.heals && step > task.firstStep) collective.gather('state');
    };
    this.#snapshots = new Snapshots(task.rank, rank.recovery, slice, gather);
    const snapshot: Phase = { name: 'snapshot', run: (step) => this.#snapshots.takeIfDue(step.number) };
    const accept: Phase = { name: 'update', run: (step) => this.#accept(step) };
    const phases = [snapshot, ...gradient, accept, ...this.#marked(update)];
    const skip: Phase = {
      name: 'update',
      run: (step) => this.#skip(step),
      exchange: () => collective.gather('parameters'),
    };
    this.#phases = withFaults(phases, task.faults, rank);
    this.#skipping = [snapshot, skip];
  }

  /** Runs until endStep or until the coordinator asks to stop; returns the number of the next step. */
  run(): number {
    const { progress, recovery } = this.#rank;
    const { rank, firstStep, endStep, skipped } = this.#task;
    for (let number = firstStep; number < endStep; number++) {
      progress.enter(rank, number);
      const step = this.#steps.at(number);
      const phases = skipped.includes(number) ? this.#skipping : this.#phases;
      for (const phase of phases) this.#run(phase, step);
      if (recovery.isRefused(number))
        throw new RefusedStep(`At step ${number} the update is not finite.`, number);
      if (rank === 0) progress.complete(number);
      if (progress.stopsAfter(number)) return number + 1;
    }
    return endStep;
  }

  /**
   * Tells the words of recovery when this rank's update is over, and whether it is finite: before it waits
   * for the others.
   */
  #marked(update: readonly Phase[]): Phase[] {
    const { recovery, optimizer } = this.#rank;
    return update.map((phase, i) => {
      if (i < update.length - 1) return phase;
      const run = (step: Step) => {
        phase.run(step);
        if (!optimizer.isFinite) recovery.refuse(step.number);
        recovery.endUpdate(this.#task.rank, step.number);
      };
      return { ...phase, run };
    });
  }

  #run({ name, run, exchange }: Phase, step: Step): void {
    const { times } = this.#rank;
    const start = performance.now();
    run(step);
    const done = performance.now();
    times.add(name, done - start);
    if (exchange === undefined) return;
    exchange();
    times.add('barrier', performance.now() - done);
  }

  /**
   * Behind the gradient, before the update. Every rank sees the same sums, so every rank refuses a step that
   * is not finite, before it reaches a parameter.
   */
  #accept(step: Step): void {
    const { shardTerms, recovery } = this.#rank;
    const { number, examples } = step;
    const total = shardTerms.total();
    if (!Number.isFinite(total.logLikelihood) || !Number.isFinite(total.kl)) {
      const loss = `log p(x|z) ${total.logLikelihood / examples}, KL ${total.kl / examples}, nats an example`;
      throw new RefusedStep(`At step ${number} the loss is not finite (${loss}).`, number);
    }
    this.#decide(step, { examples, ...total });
    recovery.beginUpdate(this.#task.rank, number);
    this.#rank.beginUpdate(step);
  }

  /** A step that changes nothing: the next one's update has the number that it would have had. */
  #skip(step: Step): void {
    this.#decide(step, { examples: 0, logLikelihood: 0, kl: 0, bound: 0, acceptance: 0 });
    // It was refused perhaps because its norm is NaN, which no sum is to get.
    if (this.#task.rank === 0) this.#rank.stepRecords.writeGradientNorm(step.inEpoch, 0);
    this.#rank.recovery.beginUpdate(this.#task.rank, step.number);
    this.#rank.recovery.endUpdate(this.#task.rank, step.number);
  }

  /**
   * Rank 0 of each memory records the step. The first rank of all decides whether the run stops after it and
   * whether the state behind it is copied.
   */
  #decide({ number, inEpoch, beta }: Step, terms: Omit<StepRecord, 'beta' | 'gradientNorm'>): void {
    if (this.#task.rank !== 0) return;
    const { stepRecords, progress } = this.#rank;
    stepRecords.write(inEpoch, { ...terms, beta });
    if (!this.#decides) return;
    progress.decideStop(number);
    this.#snapshots.decide(number);
  }
}
