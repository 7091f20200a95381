import type { Barrier } from './barrier.js';
import { Control } from './control.js';
import type { Rank } from './rank.js';
import { partStart } from './settings.js';

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

export interface EvaluateTask {
  readonly rank: number;
  readonly ranks: number;
}

/**
 * A rank's share of the test set: the terms of each example into the run's memory, the same for any number of
 * ranks.
 */
export function evaluateShare(rank: Rank, task: EvaluateTask, barrier: Barrier): void {
  const { settings, layout } = rank.context;
  rank.backend.prepare(task.rank, task.ranks);
  barrier.wait();
  const most = layout.examplesAtOnce;
  // Whole chunks: TensorFlow.js may sum otherwise for another number of examples.
  const chunks = Math.ceil(settings.testCount / most);
  const first = partStart(chunks, task.ranks, task.rank) * most;
  const end = partStart(chunks, task.ranks, task.rank + 1) * most;
  for (let example = first; example < Math.min(end, settings.testCount); example += most) {
    const count = Math.min(most, settings.testCount - example);
    rank.loadTest(example, count);
    rank.backend.objectiveTerms(rank.shard);
    copyTerms(rank, rank.regions.logLikelihood, layout.testLogLikelihood + example * DOUBLE, count);
    copyTerms(rank, rank.regions.kl, layout.testKl + example * DOUBLE, count);
    copyTerms(rank, rank.regions.bound, layout.testBound + example * DOUBLE, count);
    Atomics.add(rank.control, Control.evaluated, count);
  }
  barrier.wait();
}

function copyTerms({ doubles }: Rank, from: number, to: number, count: number): void {
  for (let i = 0; i < count; i++) doubles[to / DOUBLE + i] = doubles[from / DOUBLE + i]!;
}
