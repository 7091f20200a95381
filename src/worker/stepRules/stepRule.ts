// The seam of step rules: in which phases ranks compute a step together.
import type { Collective } from '../../collective/collective.js';
import type { PhaseName } from '../phaseTimes.js';
import type { Rank } from '../rank.js';
import type { Step } from '../step.js';

/** What a rank does between two exchanges with the others. */
export interface Phase {
  /** What its time counts as. */
  readonly name: PhaseName;
  run(step: Step): void;
  /** How ranks come together behind it. Absent: the next phase needs nothing of other ranks. */
  readonly exchange?: () => void;
}

/** The phases of a step. All ranks have the same ones. */
export interface StepPhases {
  /** When they are over, the terms of all shards are written and gathered. */
  readonly gradient: readonly Phase[];
  /**
   * When they are over, the parameters are those of the next step, and every rank sees them. Before the first
   * one the optimizer's `begin` has been called.
   */
  readonly update: readonly Phase[];
}

/** What a rule needs to know to plan its memory. */
export interface RuleOptions {
  /** Those of this process. */
  readonly shards: number;
  /** Most examples of these shards in a step. */
  readonly batchSize: number;
  /** Those of this process. */
  readonly ranks: number;
  /** See BackendPlan. */
  readonly mostParts: number;
}

/** What a rule needs of the run's memory. */
export interface RulePlan {
  /** Gradients of the whole model that are kept at a time. */
  readonly slots: number;
  /** Shards whose gradients a rank computes at once, into the slot of the first of them. */
  readonly parts: number;
  /** Most examples that a rank computes at once. */
  readonly examplesAtOnce: number;
}

/** A way to compute a step; every one of them gives the same bits. */
export interface StepRule {
  /** Whether ranks read each other's buffers, so that they must be threads on one memory. */
  readonly oneMemory: boolean;
  plan(options: RuleOptions): RulePlan;
  create(rank: Rank, collective: Collective): StepPhases;
}
