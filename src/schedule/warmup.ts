import { FROM_ZERO } from '../model/hyperparameter.js';
import { defineSchedule, type RunLength, type ValueAt } from './schedule.js';

/** A linear rise from 0, then constant. */
export const warmup = defineSchedule({
  title: 'warm-up',
  hyperparameters: {
    warmupEpochs: {
      range: FROM_ZERO,
      default: 1,
      describe: 'Epochs in which the learning rate rises from 0',
    },
  },
  dependsOnEpochs: false,
  create: (value, { warmupEpochs }, run) => rising(value, warmupSteps(warmupEpochs, run)),
});

export function warmupSteps(epochs: number, { stepsPerEpoch }: RunLength): number {
  return Math.round(epochs * stepsPerEpoch);
}

/**
 * Rises linearly and reaches the value with the last of `steps` steps; 0 steps: the value from the first one
 * on.
 */
export function rising(value: number, steps: number): ValueAt {
  return (step) => (step + 1 >= steps ? value : (value * (step + 1)) / steps);
}
