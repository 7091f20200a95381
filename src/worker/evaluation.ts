import type { Collective } from '../collective/collective.js';
import { type ArmedFault, failInEvaluation } from './fault.js';
import type { Rank } from './rank.js';

export interface EvaluateTask {
  readonly rank: number;
  readonly ranks: number;
  readonly faults?: readonly ArmedFault[];
}

/**
 * A rank's share of the test set: the terms of each example into the run's memory, the same for any number of
 * ranks.
 */
export function evaluateShare(rank: Rank, collective: Collective, faults?: readonly ArmedFault[]): void {
  const { testCount } = rank.context.settings;
  const { evaluator } = rank;
  evaluator.prepare(collective.rank, collective.ranks);
  collective.barrier();
  const { examplesAtOnce, testUnit } = rank.context.layout;
  const units = collective.share(Math.ceil(testCount / testUnit));
  const end = Math.min(units.end * testUnit, testCount);
  for (let example = units.first * testUnit; example < end; example += examplesAtOnce) {
    const count = Math.min(examplesAtOnce, end - example);
    rank.loadTest(example, count);
    evaluator.objectiveTerms(rank.shard);
    rank.testTerms.copy(example, rank.terms, count);
    rank.progress.countEvaluated(count);
  }
  failInEvaluation(faults, rank, rank.progress.stepsCompleted);
  collective.gather('test terms');
}
