import { BACKEND_NAMES, type BackendName } from '../backends/backend.js';
import { UsageError } from '../errors.js';
import {
  described,
  documentOf,
  type JsonReader,
  type JsonSchema,
  listOf,
  objectOf,
  oneOf,
  Place,
  positiveInteger,
  withSchema,
} from '../model/jsonReader.js';
import { PRIORS, type PriorName } from '../model/priors/registry.js';
import { parseJson } from '../model/strictJson.js';
import { ESTIMATORS, estimatorOf, klEstimatesOfPrior } from '../objective/estimators/registry.js';
import { INFERENCES, inferenceOf } from '../objective/inferences/registry.js';
import { OBJECTIVES, objectiveOf } from '../objective/registry.js';
import { scheduleOf } from '../schedule/registry.js';
import type { ConfigFields } from './configFields.js';
import { HYPERPARAMETER_ROWS, HYPERPARAMETERS, isOptional } from './hyperparameters.js';
import {
  checkSeams,
  choiceOf,
  isChosen,
  possibleKl,
  refuseOtherNumbers,
  type SeamConfig,
  seamConditions,
} from './seams.js';

/**
 * Everything that decides the bits of a run, as `config.json` and every checkpoint keep it: the table of
 * hyper-parameters. The number of workers is not here, because it changes no bit.
 */
export interface RunConfig extends ConfigFields {
  readonly formatVersion: 1;
  /** What computed the gradients before, in order, each up to a number of steps; absent: nothing else did. */
  readonly earlierBackends?: readonly EarlierBackend[];
}

/** A config for a new run, which may leave open what has a default. */
export type PartialRunConfig = Partial<RunConfig>;

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
  checkSeams(config, place);
  checkKl(config, place);
  checkSamples(config, place);
  checkInference(config, place);
  return config;
}

function checkKl(config: SeamConfig & Pick<RunConfig, 'kl'>, place: Place): void {
  const possible = possibleKl(config);
  if (possible.includes(config.kl)) return;
  const prior = choiceOf(config, 'prior').name;
  if (!klEstimatesOfPrior(prior).includes(config.kl)) {
    throw place
      .key('kl')
      .error(
        `is "${config.kl}", but the KL to the prior ${prior} has no closed form: leave kl out, or ask for "monteCarlo"`,
      );
  }
  const [objective, estimator] = [choiceOf(config, 'objective').name, choiceOf(config, 'estimator').name];
  const who = objectiveOf(objective).klEstimates.includes(config.kl)
    ? `estimator ${estimator}`
    : `objective ${objective}`;
  throw place
    .key('kl')
    .error(
      `is "${config.kl}", but the ${who} is computed from the densities of the draws, so its KL is ` +
        `${possible.map((estimate) => `"${estimate}"`).join(' or ')}: leave kl out, or ask for that`,
    );
}

function checkSamples(config: SeamConfig & Pick<RunConfig, 'samples'>, place: Place): void {
  const { name } = choiceOf(config, 'estimator');
  const { leastSamples } = estimatorOf(name);
  if (config.samples >= leastSamples) return;
  throw place
    .key('samples')
    .error(
      `is ${config.samples}, but the estimator ${name} compares each draw with the others of its example: ask for ` +
        `${leastSamples} or more`,
    );
}

function checkInference(config: SeamConfig, place: Place): void {
  const { name } = choiceOf(config, 'inference');
  const { goesWith } = inferenceOf(name);
  for (const field of GOES_WITH) {
    const chosen = choiceOf(config, field).name;
    if (goesWith === undefined || goesWith[field].includes(chosen)) continue;
    const possible = goesWith[field].join(' or ');
    throw place
      .key('inference')
      .error(
        `is "${name}", which goes with the ${field} ${possible}, but the ${field} of this run is ${chosen}`,
      );
  }
}

/** The choices that an inference restricts. */
const GOES_WITH = ['objective', 'estimator'] as const;

/**
 * The config that a new run is started from: of another run, or written by hand with what matters.
 *
 * @throws UsageError as parseRunConfig does, but for what is missing.
 */
export function parsePartialRunConfig(json: unknown, source: string): PartialRunConfig {
  const place = new Place(source);
  refuseOtherVersion(json, place);
  const config = readPartialConfig(json, place);
  refuseOtherNumbers(config, place);
  if (config.kl !== undefined) checkKl({ ...config, kl: config.kl }, place);
  checkInference(config, place);
  return config;
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

const readVersion = withSchema<1>({ const: version }, () => version);

const earlierBackends = listOf(
  objectOf({ backend: oneOf(BACKEND_NAMES), untilStep: positiveInteger }, {}),
  'backends',
  1000,
);

type FieldReaders = Readonly<Record<string, JsonReader<unknown>>>;

/** A reader for each row of the table that `wanted` chooses. */
function readersOf(wanted: (optional: boolean) => boolean): FieldReaders {
  const rows = HYPERPARAMETER_ROWS.filter(([name, row]) => wanted(isOptional(name, row)));
  return Object.fromEntries(rows.map(([name, { kind, describe }]) => [name, described(kind.json, describe)]));
}

const formatVersion = described(readVersion, 'The version of the format of this file');
const history = described(
  earlierBackends,
  'What computed the steps before the backend was changed, each up to a number of steps',
);

const { kind, describe: modelWords } = HYPERPARAMETERS.model;

/** The model of a run has met its data. */
const modelWithInput = withSchema(
  {
    description: modelWords,
    ...kind.json.schema,
    required: [...(kind.json.schema.required as readonly string[]), 'input'],
  },
  (value, place) => {
    const model = kind.json(value, place);
    if (model.input === undefined) throw place.key('input').error('is missing');
    return model;
  },
);

const readFields = objectOf(
  { formatVersion, ...readersOf((optional) => !optional), model: modelWithInput },
  { ...readersOf((optional) => optional), earlierBackends: history },
  'the config of a run: an object',
);

/**
 * config.json of a run. The rules for several fields at once are checkSeams, checkKl, checkSamples and
 * checkInference.
 */
export const readConfig = documentOf(
  withSchema(
    {
      ...readFields.schema,
      allOf: [...seamConditions(), ...klConditions(), ...samplesConditions(), ...inferenceConditions()],
    },
    readFields,
  ),
) as JsonReader<unknown> as JsonReader<RunConfig>;

function klConditions(): JsonSchema[] {
  const rows = [
    ...Object.entries(OBJECTIVES).map(([name, row]) => ['objective', name, row] as const),
    ...Object.entries(ESTIMATORS).map(([name, row]) => ['estimator', name, row] as const),
    ...(Object.keys(PRIORS) as PriorName[]).map(
      (name) => ['prior', name, { klEstimates: klEstimatesOfPrior(name) }] as const,
    ),
  ];
  return rows.map(([field, name, { klEstimates }]) => ({
    if: isChosen(field, name),
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schemas.
    then: { properties: { kl: { enum: klEstimates } } },
  }));
}

function samplesConditions(): JsonSchema[] {
  return Object.entries(ESTIMATORS)
    .filter(([, { leastSamples }]) => leastSamples > 1)
    .map(([name, { leastSamples }]) => ({
      if: isChosen('estimator', name),
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schemas.
      then: { properties: { samples: { type: 'number', minimum: leastSamples } } },
    }));
}

function inferenceConditions(): JsonSchema[] {
  return (Object.keys(INFERENCES) as (keyof typeof INFERENCES)[]).flatMap((name) => {
    const { goesWith } = inferenceOf(name);
    if (goesWith === undefined) return [];
    const properties = Object.fromEntries(GOES_WITH.map((field) => [field, { enum: goesWith[field] }]));
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schemas.
    return [{ if: isChosen('inference', name), then: { properties } }];
  });
}

const readPartialConfig = documentOf(
  objectOf(
    {},
    { formatVersion, ...readersOf(() => true), earlierBackends: history },
    'the config of a run: an object',
  ),
) as JsonReader<PartialRunConfig>;

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

/** What two configs of the same run have in common; a field that is absent has the value that this means. */
function bitsOf(config: RunConfig): unknown {
  const values = config as object as Readonly<Record<string, unknown>>;
  const kept = HYPERPARAMETER_ROWS.filter(([, { onResume }]) => onResume === 'kept').map(
    ([name, { absent }]): [string, unknown] => [name, values[name] ?? absent],
  );
  // The config's latent is the one that counts.
  const { training: _training, latent: _latent, ...architecture } = config.model;
  const { fingerprint } = config.data;
  const bits = { ...Object.fromEntries(kept), data: { fingerprint }, model: architecture };
  return Object.fromEntries(Object.entries(bits).filter(([, value]) => value !== undefined));
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
  if (value === undefined) return '(none)';
  const text = JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
