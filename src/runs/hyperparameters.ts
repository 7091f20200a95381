// The table of hyper-parameters: all that decides the bits of a run, in the order of config.json. A new one
// is a row here, and the place that uses it.
import { BACKEND_NAMES, DEFAULT_BACKEND } from '../backends/backend.js';
import { checkData, type DataOption } from '../data/registry.js';
import type { Refuse } from '../data/source.js';
import { type ConfigField, configField } from '../model/field.js';
import { DECAY_RATE, FROM_ZERO } from '../model/hyperparameter.js';
import { objectOf, type Place, type Reader, withSchema } from '../model/jsonReader.js';
import { parseModelSpec, readModel } from '../model/parse.js';
import { presetNames, presetSpec } from '../model/presets.js';
import type { ModelSpec } from '../model/spec.js';
import { RECOMMENDED } from '../model/trainingDefaults.js';
import {
  type ConfigKind,
  flagWord,
  oneWord,
  realNumber,
  seedNumber,
  wholeNumber,
  wordsInFlags,
} from '../model/valueKind.js';
import { OBJECTIVES } from '../objective/registry.js';
import { SEAM_ROWS } from './seams.js';

const readModelOption: Reader<string | ModelSpec> = (value, place) => {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw place.expected(value, 'the name of a preset, the path of a JSON file, or a model as an object');
  }
  return modelWithin(value, place);
};

function modelWithin(value: unknown, place: Place): ModelSpec {
  return parseModelSpec(value, `${place.source}: ${place.path}`);
}

const model: ConfigKind<ModelSpec, string | ModelSpec> = {
  json: withSchema(readModel.schema, modelWithin),
  option: readModelOption,
  flag: { kind: 'path', what: 'the name of a preset or the path of a JSON file', words: presetNames },
  takes: `${presetNames.map((name) => `\`${name}\``).join(', ')}, the path of a JSON file, or (not as a flag) the model itself`,
};

const nonEmptyText = withSchema<string>({ type: 'string', minLength: 1 }, (value, place) => {
  if (typeof value !== 'string' || value === '') throw place.expected(value, 'a text that is not empty');
  return value;
});

const data: ConfigKind<{ readonly source: string; readonly fingerprint: string }, DataOption> = {
  json: objectOf({ source: nonEmptyText, fingerprint: nonEmptyText }, {}),
  option: (value, place) => {
    const refuse: Refuse = (key, rest) => (key === '' ? place : place.key(key)).error(rest);
    checkData(value, refuse);
    // An option that is undefined does not get here.
    return value as DataOption;
  },
  flag: { kind: 'path', what: 'the path of a directory' },
  takes:
    'the path of a directory; images as arrays in the library; in config.json `source` and `fingerprint`',
};

const kl = wordsInFlags({ analytic: 'analytic', 'monte-carlo': 'monteCarlo' });

const beforeSeams = {
  model: configField({
    kind: model,
    group: 'Model and data:',
    describe:
      'cvae (convolutional), mlp (dense), iwae (the dense network of the IWAE paper, trained by the ELBO; by the ' +
      'importance-weighted bound with train --objective iwae), or a JSON file of your own (docs/models.md)',
    default: 'cvae',
    onResume: 'kept',
  }),
  latent: configField({
    kind: wholeNumber,
    group: 'Model and data:',
    describe: 'd: dimensions of z',
    default: "the model's: {presets}",
    onResume: 'kept',
  }),
  data: configField({
    kind: data,
    group: 'Model and data:',
    describe: 'Directory of IDX files, plain or gzip (docs/data.md): train-images-idx3-ubyte and the like',
    default: 'the full MNIST (comes with the package)',
    onResume: 'kept',
  }),
  binarize: RECOMMENDED.binarize,
  seed: configField({
    kind: seedNumber,
    group: 'Optimisation:',
    describe: 'Seed of weights, noise, order and drawn pixels: unsigned, 64 bits',
    default: '0',
    initial: '0',
    onResume: 'kept',
  }),
  batchSize: RECOMMENDED.batchSize,
  shards: configField({
    kind: wholeNumber,
    group: 'Optimisation:',
    describe: 'Slices of a batch, which decide the order of sums',
    default: '8',
    initial: 8,
    onResume: 'kept',
  }),
  samples: RECOMMENDED.samples,
  kl: configField({
    kind: kl,
    group: 'Objective:',
    describe: "The KL term: analytic, or monte-carlo (as in TensorFlow's tutorial)",
    default: `the objective's: ${klDefaults()}`,
    onResume: 'kept',
    words: (value) => `KL ${flagWord(kl, value)}`,
  }),
  beta: configField({
    kind: realNumber(FROM_ZERO),
    group: 'Objective:',
    describe: 'Weight of the KL term',
    default: '1',
    initial: 1,
    onResume: 'kept',
  }),
  klWarmupEpochs: configField({
    kind: realNumber(FROM_ZERO),
    group: 'Objective:',
    describe: 'Epochs in which the weight rises from 0 to beta',
    default: '0: no warm-up',
    initial: 0,
    onResume: 'kept',
    words: (value) => (value === 0 ? '' : `rising over ${value} epochs`),
  }),
  learningRate: RECOMMENDED.learningRate,
} as const;

const ON_NAN = ['stop', 'skip'] as const;

/** What becomes of a step whose loss, gradient or update is NaN or infinite. */
export type OnNan = (typeof ON_NAN)[number];

const behindSeams = {
  clipNorm: configField({
    kind: realNumber(FROM_ZERO),
    group: 'Optimisation:',
    describe: "Largest norm of a step's gradient, over all parameters: a longer one is scaled down to it",
    default: '0: none',
    initial: 0,
    absent: 0,
    onResume: 'kept',
    words: (value) => (value === 0 ? '' : `gradient clipped to norm ${value}`),
  }),
  emaDecay: configField({
    kind: realNumber(DECAY_RATE),
    group: 'Optimisation:',
    describe:
      'Decay of the moving average of the parameters, e.g. 0.999, by which the test set is evaluated and pictures are ' +
      'made (docs/models.md)',
    default: '0: no average',
    initial: 0,
    absent: 0,
    onResume: 'kept',
    words: (value) => (value === 0 ? '' : `of the parameters, decay ${value}`),
  }),
  epochs: RECOMMENDED.epochs,
  arithmetic: configField({
    kind: oneWord(['portable', 'fused']),
    group: 'Computation:',
    describe:
      'portable: the same bits on every machine; fused (multiply-adds rounded once): faster, the same bits on ' +
      'every machine that fuses',
    default: "fused where this machine fuses; a resumed run's own",
    onResume: 'kept',
  }),
  backend: configField({
    kind: oneWord(BACKEND_NAMES),
    group: 'Computation:',
    describe:
      'What computes the gradients: simd (this package), or TensorFlow.js on wasm, native (tfjs-node) or cpu ' +
      '(docs/backends.md)',
    default: "simd; a resumed run's own",
    initial: DEFAULT_BACKEND,
    onResume: 'changes',
  }),
  onNan: configField({
    kind: oneWord(ON_NAN),
    group: 'Optimisation:',
    describe:
      'What a step does whose loss, gradient or update is NaN or infinite: stop, the run ends with the state before ' +
      'it; skip, the run goes on as if the step had no examples (docs/runs.md)',
    default: "stop; a resumed run's own",
    initial: 'stop',
    absent: 'stop',
    onResume: 'changes',
    words: (value) => (value === 'skip' ? 'skips steps that are not finite' : ''),
  }),
} as const;

/** Objective, likelihood, optimizer, schedule and their numbers come from what implementations declare. */
export const HYPERPARAMETERS = { ...beforeSeams, ...SEAM_ROWS, ...behindSeams } as const;

export type HyperparameterName = keyof typeof HYPERPARAMETERS;

export const HYPERPARAMETER_ROWS = Object.entries(HYPERPARAMETERS) as readonly (readonly [
  HyperparameterName,
  ConfigField,
])[];

/** Whether a config may lack the field. */
export function isOptional(name: HyperparameterName, { absent }: ConfigField): boolean {
  return absent !== undefined || Object.hasOwn(SEAM_ROWS, name);
}

function klDefaults(): string {
  const of = ([name, { klEstimates }]: [string, (typeof OBJECTIVES)[keyof typeof OBJECTIVES]]) =>
    `${name} ${flagWord(kl, klEstimates[0])}`;
  return Object.entries(OBJECTIVES).map(of).join(', ');
}

/** A default in words, with what the presets recommend for images of MNIST. */
export function defaultWords(name: string, text: string): string {
  return text.replace('{presets}', () => {
    const byValue = new Map<unknown, string[]>();
    for (const preset of presetNames) {
      const { latent, training } = presetSpec(preset, [28, 28, 1]);
      const value = ({ latent, ...training } as Readonly<Record<string, unknown>>)[name];
      byValue.set(value, [...(byValue.get(value) ?? []), preset]);
    }
    const [first] = byValue.keys();
    if (byValue.size === 1) return String(first);
    return [...byValue].map(([value, presets]) => `${presets.join(' and ')} ${value}`).join(', ');
  });
}

/** A field's value, as `inspect` and the first lines of a run say it; empty where there is nothing to say. */
export function fieldWords(name: HyperparameterName, value: unknown): string {
  const { words }: ConfigField = HYPERPARAMETERS[name];
  return words === undefined ? `${name} ${value}` : words(value);
}

/**
 * What else than the choice of an objective decides what is maximised: `K = 1, KL analytic, beta 1`.
 * @param remarks a text behind the words of a field.
 */
export function objectiveWords(
  config: { readonly [K in HyperparameterName]?: unknown },
  remarks: { readonly [K in HyperparameterName]?: string } = {},
): string {
  return HYPERPARAMETER_ROWS.filter(
    ([name, { group }]) => group === 'Objective:' && !Object.hasOwn(SEAM_ROWS, name),
  )
    .map(([name]) => fieldWords(name, config[name]) + (remarks[name] ?? ''))
    .filter((text) => text !== '')
    .join(', ');
}
