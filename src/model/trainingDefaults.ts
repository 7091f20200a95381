// The hyper-parameters that a model's file may recommend, under `training`.
import { type ConfigField, type ConfigOf, configField } from './field.js';
import { POSITIVE } from './hyperparameter.js';
import { described, type JsonReader, objectOf } from './jsonReader.js';
import { oneWord, realNumber, wholeNumber } from './valueKind.js';

/** Rows of the table of hyper-parameters (runs/hyperparameters.ts). */
export const RECOMMENDED = {
  batchSize: configField({
    kind: wholeNumber,
    group: 'Optimisation:',
    alias: 'b',
    describe: 'Images of a step',
    default: "the model's: {presets}",
    initial: 32,
    onResume: 'kept',
  }),
  learningRate: configField({
    kind: realNumber(POSITIVE),
    group: 'Optimisation:',
    alias: 'lr',
    describe: "The optimizer's, before its schedule",
    default: "the model's: {presets}",
    initial: 1e-3,
    onResume: 'kept',
    words: (value) => `learning rate ${value}`,
  }),
  epochs: configField({
    kind: wholeNumber,
    group: 'Optimisation:',
    alias: 'e',
    describe: 'Passes over the training images',
    default: "the model's: {presets}",
    initial: 10,
    onResume: 'grows',
  }),
  binarize: configField({
    kind: oneWord(['threshold', 'dynamic', 'static', 'none']),
    group: 'Model and data:',
    describe:
      'Grey pixels become x by: threshold (grey > 127), dynamic (drawn at each visit), static (drawn once), ' +
      'none (kept as Bernoulli means)',
    default: "the model's: {presets}; none with --likelihood gaussian",
    initial: 'threshold',
    onResume: 'kept',
  }),
  samples: configField({
    kind: wholeNumber,
    group: 'Objective:',
    describe: 'K: draws of z an example, averaged: less noise, the same bound',
    default: "the model's: {presets}",
    initial: 1,
    onResume: 'kept',
    words: (value) => `K = ${value}`,
  }),
} as const;

/** What `train` uses where nobody says anything else. */
export type TrainingDefaults = Partial<ConfigOf<typeof RECOMMENDED>>;

export const readTrainingDefaults = objectOf(
  {},
  Object.fromEntries(
    Object.entries<ConfigField>(RECOMMENDED).map(([name, { kind, describe }]) => [
      name,
      described(kind.json, describe),
    ]),
  ),
) as JsonReader<TrainingDefaults>;
