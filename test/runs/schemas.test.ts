// The JSON schemas accept what the readers accept, and refuse what the readers refuse, but for the rules
// that a schema cannot express: those are listed here and in docs/models.md and docs/runs.md.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { UsageError } from '#src/errors.js';
import { activationNames } from '#src/model/activations/registry.js';
import type { layerTypeNames } from '#src/model/layers/registry.js';
import { parseModelSpec } from '#src/model/parse.js';
import { presetNames, presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import { parseRunConfig, parseRunConfigText } from '#src/runs/runConfig.js';
import { changed, type Json, places } from '../fuzz/mutations.js';
import { tinyConfig, tinyModel } from './exampleRun.js';

// From build/test/runs to the project's root.
const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
const modelSchema = ajv.compile(JSON.parse(read('schemas/model.schema.json')));
const configSchema = ajv.compile(JSON.parse(read('schemas/config.schema.json')));

interface Document {
  readonly name: string;
  readonly byReader: (json: unknown) => unknown;
  readonly bySchema: typeof modelSchema;
}

const model: Document = {
  name: 'a model',
  byReader: (json) => parseModelSpec(json, 'm.json'),
  bySchema: modelSchema,
};
const config: Document = {
  name: 'a config',
  byReader: (json) => parseRunConfig(json, 'config.json'),
  bySchema: configSchema,
};

/** The sentence of the reader; undefined where it accepts. */
function refusal({ byReader }: Document, json: unknown): string | undefined {
  try {
    byReader(json);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
}

function assertAccepted(document: Document, json: unknown): void {
  assert.equal(refusal(document, json), undefined);
  assert.ok(document.bySchema(json), `${JSON.stringify(json)}: ${ajv.errorsText(document.bySchema.errors)}`);
}

function assertRefused(document: Document, json: unknown): void {
  assert.notEqual(refusal(document, json), undefined, `the reader accepts ${JSON.stringify(json)}`);
  assert.ok(!document.bySchema(json), `the schema accepts ${JSON.stringify(json)}`);
}

test('schemas and docs/options.md are what the tables say', () => {
  const script = fileURLToPath(new URL('scripts/reference.mjs', root));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

/** Each type of layer with every key that it has. */
const fullLayers: Record<(typeof layerTypeNames)[number], object> = {
  conv2d: { filters: 2, kernel: 3, strides: [1, 2], padding: 'same', activation: 'relu' },
  conv2dTranspose: { filters: 'channels', kernel: [3, 1], strides: 2, padding: 'valid', activation: 'tanh' },
  dense: { units: 'posterior', activation: { type: 'leakyRelu', slope: 1 } },
  ...({ relu: {}, tanh: {}, sigmoid: {}, gelu: {}, silu: {}, leakyRelu: { slope: 0.1 } } as const),
  flatten: {},
  reshape: { shape: [2, 2, 1] },
  maxPool: { size: 2, strides: 1, padding: 'same' },
  avgPool: { size: [2, 1], strides: [1, 1], padding: 'valid' },
  upsample: { size: [2, 3] },
  residual: { layers: [{ type: 'residual', layers: [{ type: 'gelu' }] }] },
};
const every = Object.entries(fullLayers).map(([type, fields], i) => ({ type, ...fields, name: `l-${i}` }));
const fullModel = {
  $schema: './model.schema.json',
  name: 'all',
  input: [8, 8, 1],
  latent: 3,
  encoder: [...every, { type: 'dense', units: 4 }],
  decoder: activationNames.map((activation) => ({ type: 'dense', units: 'pixels', activation })),
  initialization: 'fanInUniform',
  outputBias: 'dataMean',
  training: { batchSize: 3, learningRate: 1e-3, epochs: 2, binarize: 'static', samples: 5 },
};

test('accepted: presets, the models of the pages, and every layer with every key', () => {
  for (const name of presetNames) assertAccepted(model, presetSpec(name, [28, 28, 1]));
  const examples = [...read('docs/models.md').matchAll(/^```json\n(.*?)^```$/gms)];
  assert.ok(examples.length >= 3);
  for (const [, json] of examples) assertAccepted(model, JSON.parse(json!));
  assertAccepted(model, tinyModel);
  assertAccepted(model, fullModel);
});

const { adam, ...withoutAdam } = tinyConfig;

const byHmc = { inference: 'hmc', hmcTransitions: 1, hmcLeapfrogSteps: 5, hmcStepSize: 0.3 };

const byMixture = { prior: 'mixture', priorComponents: 3, kl: 'monteCarlo' };

const configs: readonly object[] = [
  tinyConfig,
  { ...tinyConfig, $schema: 'config.schema.json', model: { ...tinyModel, $schema: 'x' } },
  { ...tinyConfig, objective: 'iwae', kl: 'monteCarlo', likelihood: 'gaussian', sigma: 0.5 },
  { ...tinyConfig, optimizer: 'adamw', weightDecay: 0 },
  { ...tinyConfig, ...byHmc },
  { ...tinyConfig, inference: 'variational' },
  { ...tinyConfig, ...byMixture },
  { ...tinyConfig, prior: 'standard-normal' },
  { ...tinyConfig, optimizer: 'adam', objective: 'elbo', likelihood: 'bernoulli' },
  { ...withoutAdam, optimizer: 'sgd', momentum: 0.9, learningRateSchedule: 'cosine', warmupEpochs: 1 },
  { ...tinyConfig, learningRateSchedule: 'constant', earlierBackends: [{ backend: 'cpu', untilStep: 3 }] },
];

test('accepted: configs with every choice', () => {
  for (const json of configs) assertAccepted(config, json);
});

test('what is read has no $schema', () => {
  assert.ok(!('$schema' in parseModelSpec(fullModel, 'm.json')));
  const json = { ...tinyConfig, $schema: 'x', model: { ...tinyModel, $schema: 'y' } };
  assert.deepEqual(parseRunConfig(json, 'c'), tinyConfig);
  assert.equal(refusal(model, { ...fullModel, $schema: 5 }), 'm.json: $schema is 5, expected a text.');
  assertRefused(model, { ...fullModel, $schema: 5 });
});

const layer = (change: object) => ({ ...tinyModel, encoder: [{ type: 'dense', units: 2, ...change }] });

const brokenModels: readonly unknown[] = [
  ...[null, [], 'cvae', 5, {}],
  ...[
    { ...tinyModel, name: '' },
    { ...tinyModel, name: 'a b' },
    { ...tinyModel, name: 'a\n' },
  ],
  ...[0, 1.5, '2', 2 ** 53].map((latent) => ({ ...tinyModel, latent })),
  ...[[], {}, Array(1001).fill({ type: 'relu' })].map((encoder) => ({ ...tinyModel, encoder })),
  ...[
    [28, 28],
    [28, 28, 1, 1],
    [28, 28, 0],
  ].map((input) => ({ ...tinyModel, input })),
  ...[{ initialization: 'zeros' }, { outputBias: 'mean' }, { lantent: 2 }].map((each) => ({
    ...tinyModel,
    ...each,
  })),
  ...[{ momentum: 1 }, { batchSize: 0 }, { learningRate: 0 }, { binarize: 'no' }].map((training) => ({
    ...tinyModel,
    training,
  })),
  ...[{ units: 'channels' }, { units: undefined }, { unit: 3 }, { activation: 'no-such' }, { name: '-' }].map(
    layer,
  ),
  ...[{ activation: { type: 'relu', slope: 1 } }, { activation: { type: 'leakyRelu', slope: 0 } }].map(layer),
  ...[
    { type: 'conv3d' },
    { type: 'reshape', shape: [2, 2] },
    { type: 'maxPool' },
    { type: 'relu', size: 2 },
  ].map((each) => ({ ...tinyModel, decoder: [each] })),
  { ...tinyModel, encoder: [{ type: 'residual', layers: [] }] },
  { ...tinyModel, encoder: [{ type: 'conv2d', filters: 1, kernel: [3] }] },
];

/** Changes of a good config. */
const brokenConfigs: readonly object[] = [
  ...Object.keys(tinyConfig).flatMap((key) => [{ [key]: undefined }, { [key]: null }]),
  ...[{ formatVersion: 2 }, { model: { ...tinyModel, input: undefined } }, { seed: 1 }, { seed: '01' }],
  ...[{ optimizer: 'sgd' }, { optimizer: 'sgd', momentum: 0.5 }, { optimizer: 'adamw' }, { momentum: 0.5 }],
  ...[
    { sigma: 1 },
    { likelihood: 'gaussian' },
    { likelihood: 'gaussian', sigma: 1e4 },
    { objective: 'iwae' },
  ],
  ...[{ learningRateSchedule: 'cosine' }, { warmupEpochs: 1 }, { adam: { beta1: 0.9, beta2: 0.9 } }],
  ...[
    { inference: 'hmc' },
    { hmcStepSize: 0.3 },
    { ...byHmc, hmcTransitions: 1.5 },
    { ...byHmc, hmcStepSize: 0 },
  ],
  ...[
    { priorComponents: 3 },
    { ...byMixture, priorComponents: undefined },
    { ...byMixture, priorComponents: 0 },
    { ...byMixture, kl: 'analytic' },
  ],
  ...[
    { ...byHmc, objective: 'iwae', kl: 'monteCarlo' },
    { ...byHmc, estimator: 'sticking-the-landing', kl: 'monteCarlo' },
  ],
  ...[{ data: { source: 'x' } }, { data: { source: '', fingerprint: 'x' } }, { beta: -1 }, { novelty: 1 }],
  ...[{ earlierBackends: [] }, { earlierBackends: [{ backend: 'gpu', untilStep: 1 }] }],
];

test('refused by both: broken models and configs', () => {
  const plain = (json: unknown) => JSON.parse(JSON.stringify(json)) as unknown;
  for (const json of brokenModels) assertRefused(model, plain(json));
  for (const change of brokenConfigs) assertRefused(config, plain({ ...tinyConfig, ...change }));
});

/** Residual blocks inside of each other. */
function nested(levels: number): object {
  return levels === 0 ? { type: 'relu' } : { type: 'residual', layers: [nested(levels - 1)] };
}

/** All that a schema cannot say: accepted by it, and refused by the reader with this sentence. */
const beyondSchemas: readonly [document: Document, json: object, sentence: RegExp][] = [
  [
    config,
    { ...tinyConfig, seed: '18446744073709551616' },
    /: seed is "18446744073709551616", expected a string/,
  ],
  [model, { ...tinyModel, encoder: [nested(16)] }, / is a list inside of 16 others, more than 15\.$/],
];

test('beyond schemas: the largest seeds, and how deep blocks are', () => {
  for (const [document, json, sentence] of beyondSchemas) {
    assert.ok(document.bySchema(json));
    assert.match(refusal(document, json) ?? '', sentence);
  }
  assertAccepted(model, { ...tinyModel, encoder: [nested(15)] });
  assertAccepted(config, { ...tinyConfig, seed: '18446744073709551615' });
});

test('beyond schemas: keys that stand twice, and all that needs shapes', () => {
  const text = JSON.stringify(tinyConfig).replace('"shards":', '"epochs":1,"shards":');
  assert.ok(configSchema(JSON.parse(text)));
  assert.throws(() => parseRunConfigText(text, 'c'), /stands twice/);
  const misplaced = { ...tinyModel, decoder: [{ type: 'dense', units: 'posterior' }] } as const;
  assertAccepted(model, misplaced);
  assert.throws(
    () => resolveModel(misplaced),
    /units "posterior", which only a layer of the encoder can have/,
  );
});

const ranges = [0, 1, -1, 0.5, 2, 1e-4, 1000, 1001, 2 ** 53, 1e300, 1.5];
const vocabulary = [
  'relu',
  'leakyRelu',
  'dense',
  'same',
  'valid',
  'channels',
  'pixels',
  'posterior',
  'sgd',
  'adamw',
];
const anything = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<Json>(
    ...ranges,
    ...vocabulary,
    'gaussian',
    'iwae',
    'cosine',
    'monteCarlo',
    '',
    '7',
    null,
    true,
  ),
  fc.constantFrom<Json>([], [2], [2, 2], [2, 2, 2], {}, { type: 'relu' }, { type: 'leakyRelu', slope: 2 }),
);

for (const [document, examples] of [
  [model, [tinyModel, fullModel, presetSpec('iwae', [28, 28, 1])]],
  [config, configs],
] as const) {
  test(`reader and schema agree on ${document.name} with something else in one or two places`, () => {
    const originals = examples.map((example) => JSON.parse(JSON.stringify(example)) as Json);
    let accepted = 0;
    let refused = 0;
    const property = fc.property(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(), anything), { minLength: 1, maxLength: 2 }),
      (original, changes) => {
        let json: Json | undefined = original;
        for (const [at, item] of changes) {
          const all = places(json ?? null);
          json = changed(json ?? null, all[at % all.length]!, item);
        }
        const sentence = refusal(document, json ?? null);
        if (sentence === undefined) accepted++;
        else refused++;
        assert.equal(
          document.bySchema(json ?? null),
          sentence === undefined,
          `${JSON.stringify(json)}: ${sentence}`,
        );
      },
    );
    fc.assert(property, { numRuns: 3000, seed: 13 });
    assert.ok(accepted > 100 && refused > 100, `${accepted} accepted, ${refused} refused`);
  });
}
