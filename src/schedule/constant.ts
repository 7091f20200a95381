import { defineSchedule } from './schedule.js';

export const constant = defineSchedule({
  title: 'constant',
  hyperparameters: {},
  dependsOnEpochs: false,
  create: (value) => () => value,
});
