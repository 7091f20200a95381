import { BACKEND_NAMES, type BackendName } from '../backends/backend.js';
import { UsageError } from '../errors.js';
import {
  listOf,
  nonNegativeNumber,
  objectOf,
  oneOf,
  Place,
  positiveInteger,
  positiveNumber,
  type Reader,
} from '../model/jsonReader.js';
import { parseModelSpec } from '../model/parse.js';
import type { Binarization, ModelSpec } from '../model/spec.js';
import { parseJson } from '../model/strictJson.js';
import { objectiveOf } from '../objective/registry.js';
import { scheduleOf } from '../schedule/registry.js';
import { checkSeams, choiceOf, type SeamConfig, seamReaders, withAllNames } from './seams.js';

/**
 * Everything that decides the bits of a run, as `config.json` and every checkpoint keep it. The number of
 * workers is not here, because it changes no bit.
 */
export interface RunConfig extends SeamConfig {
  readonly formatVersion: 1;
  /** Always with its `input`. */
  readonly model: ModelSpec;
  /** d; overrides the model's own. */
  readonly latent: number;
  readonly data: {
    /** For people: a data set's name or directory. */
    readonly source: string;
    /** The fingerprint of the training images (datasetFingerprint). */
    readonly fingerprint: string;
  };
  readonly binarize: Binarization;
  /** An unsigned 64-bit integer in decimal digits, because JSON's numbers are doubles. */
  readonly seed: string;
  /** Examples in a global batch. */
  readonly batchSize: number;
  /** Slices of a global batch; the order of summation follows them. */
  readonly shards: number;
  /** K, draws of z per example and step. */
  readonly samples: number;
  readonly kl: 'analytic' | 'monteCarlo';
  /** Weight of the KL term. */
  readonly beta: number;
  /** Over which beta rises from 0; 0 for no warm-up. */
  readonly klWarmupEpochs: number;
  readonly learningRate: number;
  readonly epochs: number;
  readonly arithmetic: 'portable' | 'fused';
  /** What computes the gradients. A resumed run may change it. */
  readonly backend: BackendName;
  /** What computed them before, in order, each up to a number of steps; absent where it never changed. */
  readonly earlierBackends?: readonly EarlierBackend[];
}

export interface EarlierBackend {
  readonly backend: BackendName;
  /** Steps that the run had taken when the next one took over. */
  readonly untilStep: number;
}

const version = 1;

/**
 * @param json from config.json or a checkpoint.
 * @param source what the messages call the document, e.g. the file's path.
 * @throws UsageError naming the field, what was found and what is expected.
 */
export function parseRunConfig(json: unknown, source: string): RunConfig {
  const place = new Place(source);
  refuseOtherVersion(json, place);
  const config = readConfig(json, place);
  if (config.model.input === undefined) throw place.key('model').key('input').error('is missing');
  checkSeams(config, place);
  checkKl(config, place);
  return config;
}

function checkKl(config: RunConfig, place: Place): void {
  const { name } = choiceOf(config, 'objective');
  const { klEstimates } = objectiveOf(name);
  if (klEstimates.includes(config.kl)) return;
  throw place
    .key('kl')
    .error(
      `is "${config.kl}", but the objective ${name} is computed from the densities of the draws, so its KL is ` +
        `${klEstimates.map((estimate) => `"${estimate}"`).join(' or ')}: leave kl out, or ask for that`,
    );
}

/** @throws UsageError where `text` is no JSON or has a key twice, or parseRunConfig refuses it. */
export function parseRunConfigText(text: string, source: string): RunConfig {
  return parseRunConfig(parseJson(text, source), source);
}

/**
 * Whether the run `saved` may go on as `requested`: with the same bits as if it had never stopped, but for
 * another backend's. The epochs may grow. What decides no bit may differ: where the data came from, as long
 * as the fingerprint is the same, and what the model brought as defaults for settings that both configs spell
 * out.
 *
 * @param source what the messages call `saved`, e.g. the directory of the run.
 * @throws UsageError naming the first field that differs, and both values.
 */
export function assertSameRun(saved: RunConfig, requested: RunConfig, source: string): void {
  const difference = firstDifference(bitsOf(saved), bitsOf(requested), '');
  if (difference !== undefined) {
    const { path, a, b } = difference;
    throw new UsageError(
      `${source} was started with ${path} ${describe(a)}, but ${describe(b)} is asked for now. A run that is ` +
        'resumed keeps every setting that decides its bits: leave this one out, or start a new run.',
    );
  }
  const schedule = choiceOf(saved, 'learningRateSchedule');
  if (scheduleOf(schedule).dependsOnEpochs && requested.epochs !== saved.epochs) {
    throw new UsageError(
      `${source} was started with epochs ${saved.epochs}, but ${requested.epochs} is asked for now. Its learning-rate ` +
        `schedule, ${schedule.name}, ends with the epochs, so their number decides bits: leave it out, or start a new run.`,
    );
  }
  if (requested.epochs < saved.epochs) {
    throw new UsageError(
      `${source} was started with epochs ${saved.epochs}, but ${requested.epochs} is asked for now. A run that ` +
        'is resumed can only grow: ask for as many epochs or more, or start a new run.',
    );
  }
}

/**
 * Whether a checkpoint belongs to the run of a config.json. The config may have more epochs and another
 * backend, since it is rewritten before a resumed run has a checkpoint of its own; nothing else that decides
 * a bit may differ.
 *
 * @param ofRun the config in `configPath`.
 * @param ofCheckpoint the one in the checkpoint at `checkpointPath`.
 * @throws UsageError naming the first field that differs, and both values.
 */
export function assertOwnCheckpoint(
  ofRun: RunConfig,
  configPath: string,
  ofCheckpoint: RunConfig,
  checkpointPath: string,
): void {
  const difference = checkpointDifference(ofRun, ofCheckpoint);
  if (difference === undefined) return;
  const { path, a, b } = difference;
  throw new UsageError(
    `${checkpointPath} was made with ${path} ${describe(b)}, but ${configPath} has ${describe(a)}. A run goes on from its ` +
      'own checkpoints, with the config that they were made with: put the one or the other back, or start a new run.',
  );
}

/** The first field by which a checkpoint is not one of the run: a is the run's value, b the checkpoint's. */
export function checkpointDifference(ofRun: RunConfig, ofCheckpoint: RunConfig): Difference | undefined {
  const difference = firstDifference(bitsOf(ofRun), bitsOf(ofCheckpoint), '');
  if (difference !== undefined || ofRun.epochs >= ofCheckpoint.epochs) return difference;
  return { path: 'epochs', a: ofRun.epochs, b: ofCheckpoint.epochs };
}

const seed: Reader<string> = (value, place) => {
  if (typeof value !== 'string' || !/^(0|[1-9]\d{0,19})$/.test(value) || BigInt(value) >= 2n ** 64n) {
    throw place.expected(value, 'a string of decimal digits, from "0" to "18446744073709551615"');
  }
  return value;
};

const nonEmptyText: Reader<string> = (value, place) => {
  if (typeof value !== 'string' || value === '') throw place.expected(value, 'a text that is not empty');
  return value;
};

/** One reader for each field that every config has. */
export const configReaders = {
  formatVersion: (): 1 => version,
  model: (value: unknown, place: Place): ModelSpec => parseModelSpec(value, `${place.source}: ${place.path}`),
  latent: positiveInteger,
  data: objectOf({ source: nonEmptyText, fingerprint: nonEmptyText }, {}),
  binarize: oneOf(['threshold', 'dynamic', 'static', 'none']),
  seed,
  batchSize: positiveInteger,
  shards: positiveInteger,
  samples: positiveInteger,
  kl: oneOf(['analytic', 'monteCarlo']),
  beta: nonNegativeNumber,
  klWarmupEpochs: nonNegativeNumber,
  learningRate: positiveNumber,
  epochs: positiveInteger,
  arithmetic: oneOf(['portable', 'fused']),
  backend: oneOf(BACKEND_NAMES),
} as const;

const optionalFields = {
  ...seamReaders(),
  earlierBackends: listOf(
    objectOf({ backend: oneOf(BACKEND_NAMES), untilStep: positiveInteger }, {}),
    'backends',
    1000,
  ),
} as const;

const readConfig: Reader<RunConfig> = objectOf(
  configReaders,
  optionalFields,
  'the config of a run: an object',
);

function refuseOtherVersion(json: unknown, place: Place): void {
  if (typeof json !== 'object' || json === null || !('formatVersion' in json)) return;
  if (json.formatVersion === version || json.formatVersion === undefined) return;
  if (typeof json.formatVersion === 'number' && json.formatVersion > version) {
    throw new UsageError(
      `${place.source}: formatVersion is ${json.formatVersion}, written by a newer lowerbound; this one reads ` +
        `${version}. Update lowerbound.`,
    );
  }
  throw place.key('formatVersion').expected(json.formatVersion, String(version));
}

function bitsOf(config: RunConfig): unknown {
  const {
    epochs: _epochs,
    backend: _backend,
    earlierBackends: _earlier,
    model,
    data,
    ...rest
  } = withAllNames(config);
  // The config's latent is the one that counts.
  const { training: _training, latent: _latent, ...architecture } = model;
  return { ...rest, data: { fingerprint: data.fingerprint }, model: architecture };
}

export interface Difference {
  /** e.g. `model.encoder[0].filters`. */
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

/**
 * The first difference of two JSON values. The order of keys does not count, and an absent key differs from
 * every value.
 */
function firstDifference(a: unknown, b: unknown, path: string): Difference | undefined {
  if (!isNested(a) || !isNested(b) || Array.isArray(a) !== Array.isArray(b)) {
    return Object.is(a, b) ? undefined : { path, a, b };
  }
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const dotted = path === '' ? key : `${path}.${key}`;
    const inner = Array.isArray(a) ? `${path}[${key}]` : dotted;
    const difference = firstDifference(left.get(key), right.get(key), inner);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function describe(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}
