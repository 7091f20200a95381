import { halfCosine } from '../arithmetic/halfCosine.js';
import { FROM_ZERO } from '../model/hyperparameter.js';
import { defineSchedule } from './schedule.js';
import { rising, warmupSteps } from './warmup.js';

/**
 * After an optional warm-up, half a cosine from the value to 0 at the end of the epochs (Loshchilov and
 * Hutter 2017).
 */
export const cosine = defineSchedule({
  title: 'cosine',
  hyperparameters: {
    warmupEpochs: {
      range: FROM_ZERO,
      default: 0,
      describe: 'Epochs in which the learning rate rises from 0',
    },
  },
  dependsOnEpochs: true,
  create: (value, { warmupEpochs }, run) => {
    const warm = warmupSteps(warmupEpochs, run);
    const rise = rising(value, warm);
    const fall = run.epochs * run.stepsPerEpoch - warm;
    return (step) => (step < warm ? rise(step) : value * halfCosine((step - warm) / fall));
  },
});
