// Every option of `train`, with the reader that checks it. The compiler holds the table and TrainOptions together.

import { TILE_NAMES } from '../kernels/tiles/tile.js';
import { oneOf, positiveInteger, positiveNumber, type Reader } from '../model/jsonReader.js';
import {
  abortSignal,
  functionOf,
  type OptionTable,
  pathOf,
  seed64,
  trueOrFalse,
} from '../model/optionReader.js';
import { parseModelSpec } from '../model/parse.js';
import type { ModelSpec } from '../model/spec.js';
import { configReaders } from '../runs/runConfig.js';
import { seamReaders } from '../runs/seams.js';
import type { TrainOptions } from './trainOptions.js';

const modelOption: Reader<string | ModelSpec> = (value, place) => {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw place.expected(value, 'the name of a preset, the path of a JSON file, or a model as an object');
  }
  return parseModelSpec(value, `${place.source}: ${place.path}`);
};

export const dataOption: Reader<string> = (value, place) => {
  if (typeof value === 'object' && value !== null) {
    throw place.error(
      'is an object, expected the path of a directory of IDX files. Images in memory are not taken: write them to such ' +
        'files (docs/data.md)',
    );
  }
  return pathOf('the path of a directory of IDX files')(value, place);
};

const { latent, binarize, batchSize, shards, samples, kl } = configReaders;
const { beta, klWarmupEpochs, learningRate, epochs, arithmetic, backend } = configReaders;

/** Of seams and their hyper-parameters; Adam's numbers are no options. */
const { adam: _adam, ...seams } = seamReaders();

/** What decides bits is read as `config.json` reads it. */
export const TRAIN_OPTIONS: OptionTable<TrainOptions> = {
  model: modelOption,
  data: dataOption,
  out: pathOf('the path of a new directory'),
  resume: pathOf("the path of a run's directory"),
  workers: positiveInteger,
  shards,
  batchSize,
  epochs,
  maxSteps: positiveInteger,
  latent,
  samples,
  kl,
  beta,
  klWarmupEpochs,
  learningRate,
  ...seams,
  binarize,
  backend,
  arithmetic,
  revectorize: trueOrFalse,
  tile: oneOf(TILE_NAMES),
  seed: seed64,
  pictures: trueOrFalse,
  preview: positiveInteger,
  keepCheckpoints: positiveInteger,
  logEvery: positiveInteger,
  barrierTimeout: positiveNumber,
  signal: abortSignal,
  onEvent: functionOf(),
};
