// Every option of `train`, with the reader that checks it. The compiler holds the table and TrainOptions
// together.

import { checkData, type DataOption } from '../data/registry.js';
import type { Refuse } from '../data/source.js';
import { TILE_NAMES } from '../kernels/tiles/tile.js';
import { objectOf, oneOf, positiveInteger, positiveNumber, type Reader } from '../model/jsonReader.js';
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
import { HOOK_NAMES, type TrainHooks } from './sinks/callerHooks.js';
import type { TrainOptions } from './trainOptions.js';

const modelOption: Reader<string | ModelSpec> = (value, place) => {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw place.expected(value, 'the name of a preset, the path of a JSON file, or a model as an object');
  }
  return parseModelSpec(value, `${place.source}: ${place.path}`);
};

export const dataOption: Reader<DataOption> = (value, place) => {
  const refuse: Refuse = (key, rest) => (key === '' ? place : place.key(key)).error(rest);
  checkData(value, refuse);
  // An option that is undefined does not get here.
  return value as DataOption;
};

const readHooks = objectOf({}, {
  onStep: functionOf(),
  onEpoch: functionOf(),
  onCheckpoint: functionOf(),
} satisfies OptionTable<TrainHooks>);

/** The object itself. One of a class may have fields besides, and has its functions as methods. */
const hooksOption: Reader<TrainHooks> = (value, place) => {
  const isPlain = typeof value !== 'object' || value === null || isPlainObject(value);
  if (isPlain || Array.isArray(value)) readHooks(value, place);
  const hooks = value as TrainHooks;
  for (const name of HOOK_NAMES) {
    if (hooks[name] !== undefined) functionOf()(hooks[name], place.key(name));
  }
  if (!isPlain && HOOK_NAMES.every((name) => hooks[name] === undefined)) {
    throw place.error(`has no method ${HOOK_NAMES.join(', ')}`);
  }
  return hooks;
};

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const { latent, binarize, batchSize, shards, samples, kl } = configReaders;
const { beta, klWarmupEpochs, learningRate, epochs, arithmetic, backend } = configReaders;

/** The readers of seams and their hyper-parameters; Adam's numbers are no options. */
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
  hooks: hooksOption,
};
