import { defineSchedule } from './schedule.js';

/** Per cent of the value in each stage: round(10^(1 − (i − 1) / 7), 1) for i = 1 … 8, ten times. */
const PER_CENT = [100, 72, 52, 37, 27, 19, 14, 10] as const;

/** Epochs of the first `stages` stages: stage i is 3^(i − 1) of them. */
function epochsOfStages(stages: number): number {
  let epochs = 0;
  let length = 1;
  for (let stage = 0; stage < stages; stage++, length *= 3) epochs += length;
  return epochs;
}

/**
 * Eight stages of 1, 3, 9 … 2,187 epochs, which fall from the value to a tenth of it (Burda et al. 2016,
 * section 5, with the rounding of their code). Behind them the last rate stays.
 */
export const stages = defineSchedule({
  title: 'stages',
  hyperparameters: {},
  dependsOnEpochs: false,
  stages: { most: PER_CENT.length, epochs: epochsOfStages },
  create: (value, _, { stepsPerEpoch }) => {
    const ends = PER_CENT.map((_share, stage) => epochsOfStages(stage + 1) * stepsPerEpoch);
    return (step) => {
      const stage = ends.findIndex((end) => step < end);
      return (value * PER_CENT.at(stage)!) / 100;
    };
  },
});
