// Models and configs as JSON: valid ones of many kinds, and with something wrong in the document or its text.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { readJsonFile } from '#src/model/jsonFile.js';
import { everyLayer } from '#src/model/layers/kinds.js';
import type { Model } from '#src/model/model.js';
import { parseModelSpec } from '#src/model/parse.js';
import { resolveModel } from '#src/model/resolve.js';
import type { LayerSpec, ModelSpec } from '#src/model/spec.js';
import { readModelSpecFile } from '#src/model/specFile.js';
import { parsePartialRunConfig, parseRunConfig, parseRunConfigText } from '#src/runs/runConfig.js';
import { tinyConfig } from '../runs/exampleRun.js';
import { byteChange, changedBytes, changedText, type Json, textChange } from './mutations.js';
import { outcomeOf, type Property, property } from './property.js';
import { workDirectory } from './workDirectory.js';

// From build/test/fuzz to the project's root.
const root = new URL('../../../', import.meta.url);
const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
const schemaOf = (name: string) =>
  ajv.compile(JSON.parse(readFileSync(new URL(`schemas/${name}.schema.json`, root), 'utf8')));
const modelSchema = schemaOf('model');
const configSchema = schemaOf('config');

const path = join(workDirectory(), 'document.json');

const activationName = fc.constantFrom('relu', 'tanh', 'sigmoid', 'gelu', 'silu', 'leakyRelu');
const small = fc.integer({ min: 1, max: 4 });

/** Layers that take a map and return a map, whatever its size. */
const mapLayer: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({
    type: fc.constant('conv2d' as const),
    filters: small,
    kernel: fc.oneof(small, fc.tuple(small, small)),
    strides: small,
    padding: fc.constant('same' as const),
    activation: fc.oneof(
      activationName,
      fc.record({ type: fc.constant('leakyRelu' as const), slope: fc.constantFrom(0.01, 0.3, 1) }),
    ),
  }),
  fc.record({
    type: fc.constantFrom('maxPool' as const, 'avgPool' as const),
    size: fc.integer({ min: 2, max: 4 }),
    padding: fc.constant('same' as const),
  }),
  fc.record({
    type: fc.constant('upsample' as const),
    size: fc.constantFrom<2 | readonly [number, number]>(2, [1, 2]),
  }),
  fc.record({ type: activationName }),
  fc.constant({
    type: 'residual',
    layers: [{ type: 'tanh' }, { type: 'residual', layers: [{ type: 'relu' }] }],
  } as const),
);

const vectorLayer: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({
    type: fc.constant('dense' as const),
    units: fc.integer({ min: 1, max: 20 }),
    activation: activationName,
  }),
  fc.record({ type: activationName }),
);

const validModel: fc.Arbitrary<ModelSpec> = fc
  .record({
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,10}$/),
    input: fc.tuple(small, small, small),
    latent: fc.integer({ min: 1, max: 8 }),
    map: fc.array(mapLayer, { maxLength: 4 }),
    encoder: fc.array(vectorLayer, { maxLength: 3 }),
    decoder: fc.array(vectorLayer, { maxLength: 3 }),
    ends: fc.constantFrom<'zeros' | 'dataMean' | undefined>('zeros', 'dataMean', undefined),
    initialization: fc.constantFrom<'glorotUniform' | 'fanInUniform' | undefined>(
      'glorotUniform',
      'fanInUniform',
      undefined,
    ),
    training: fc.option(
      fc.record(
        {
          batchSize: fc.integer({ min: 1 }),
          learningRate: fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
          epochs: small,
        },
        { requiredKeys: [] },
      ),
      { nil: undefined },
    ),
  })
  .map(({ name, input, latent, map, encoder, decoder, ends, initialization, training }) => ({
    ...{ name, input, latent },
    encoder: [...map, { type: 'flatten' }, ...encoder, { type: 'dense', units: 'posterior' }] as const,
    decoder: [...decoder, { type: 'dense', units: 'pixels' }] as const,
    ...(ends === undefined ? {} : { outputBias: ends }),
    ...(initialization === undefined ? {} : { initialization }),
    ...(training === undefined ? {} : { training }),
  }));

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

const validModels = property(
  'every valid model is read as it was written, is in the schema, and resolves',
  300,
  validModel,
  (spec) => {
    const json = plain(spec);
    assert.ok(modelSchema(json), ajv.errorsText(modelSchema.errors));
    assert.deepEqual(plain(parseModelSpec(json, 'm.json')), json);
    assertSound(resolveModel(spec));
    return spec.encoder.some(({ type }) => type === 'conv2d') ? 'with convolutions' : 'without';
  },
);

/** Whole positive extents, layers that fit each other, parameters end to end. */
function assertSound({ encoder, decoder, parameters }: Model): void {
  for (const layers of [encoder, decoder]) {
    for (const { input, output } of everyLayer(layers)) {
      for (const extent of [...input, ...output]) assert.ok(Number.isSafeInteger(extent) && extent > 0);
    }
    for (const [i, { output }] of layers.entries()) {
      if (i + 1 < layers.length) assert.deepEqual(layers[i + 1]!.input, output);
    }
  }
  let end = 0;
  for (const { offset, size, shape } of parameters.entries) {
    assert.equal(offset, end);
    assert.equal(
      size,
      shape.reduce((product, extent) => product * extent, 1),
    );
    end += size;
  }
  assert.equal(parameters.size, end);
  assert.ok(end <= 2 ** 28);
}

/** Where the reader refuses what the schema cannot: docs/models.md and docs/runs.md list it. */
const BEYOND_SCHEMAS =
  /stands twice|is a list inside of|stands inside of|is not JSON|seed is "\d+", expected/;

const changedModels = property(
  'a model file with one thing changed is read as it is, or refused, as its schema says',
  500,
  fc.record({ spec: validModel, change: fc.oneof({ weight: 8, arbitrary: textChange }, byteChange) }),
  async ({ spec, change }) => {
    const bytes = changedDocument(plain(spec), change);
    writeFileSync(path, bytes);
    const read = await outcomeOf(() => readModelSpecFile(path), [path]);
    assertAgreement(read, bytes, modelSchema);
    if (read.kind === 'refused') return 'refused';
    const written = JSON.parse(bytes.toString().replace(/^\ufeff/, '')) as { $schema?: Json };
    delete written.$schema;
    assert.deepEqual(plain(read.value), plain(written));
    const resolved = await outcomeOf(() => resolveModel(read.value), ['odel']);
    if (resolved.kind === 'accepted') assertSound(resolved.value);
    return resolved.kind;
  },
);

type DocumentChange = typeof byteChange | typeof textChange extends fc.Arbitrary<infer T> ? T : never;

function changedDocument(json: Json, change: DocumentChange): Buffer {
  switch (change.kind) {
    case 'value':
    case 'key':
    case 'twice':
    case 'literal':
      return Buffer.from(changedText(json, change));
    default:
      return changedBytes(Buffer.from(JSON.stringify(json)), change);
  }
}

/** What the reader takes the schema takes, and what it refuses the schema refuses, but for a few rules. */
function assertAgreement(
  outcome: { readonly kind: string; readonly message?: string },
  bytes: Buffer,
  schema: typeof modelSchema,
): void {
  if (outcome.kind === 'refused' && BEYOND_SCHEMAS.test(outcome.message!)) return;
  const json = JSON.parse(bytes.toString().replace(/^\ufeff/, '')) as unknown;
  assert.equal(
    schema(json),
    outcome.kind === 'accepted',
    `${outcome.message ?? ajv.errorsText(schema.errors)}`,
  );
}

const { adam, ...withoutAdam } = tinyConfig;

const configs = fc
  .record({
    base: fc.constantFrom<object>(
      tinyConfig,
      { ...tinyConfig, objective: 'iwae', kl: 'monteCarlo', likelihood: 'gaussian', sigma: 0.5 },
      { ...tinyConfig, optimizer: 'adamw', weightDecay: 0 },
      { ...withoutAdam, optimizer: 'sgd', momentum: 0.9, learningRateSchedule: 'cosine', warmupEpochs: 1 },
      { ...tinyConfig, earlierBackends: [{ backend: 'cpu', untilStep: 3 }] },
    ),
    model: validModel,
  })
  .map(({ base, model }) => plain({ ...base, model }));

const changedConfigs = property(
  'a config with one thing changed is read as it is, or refused, as its schema says',
  500,
  fc.record({ config: configs, change: fc.oneof({ weight: 8, arbitrary: textChange }, byteChange) }),
  async ({ config, change }) => {
    const bytes = changedDocument(config, change);
    const text = bytes.toString();
    const outcome = await outcomeOf(() => parseRunConfigText(text, 'config.json'), ['config.json']);
    assertAgreement(outcome, Buffer.from(text), configSchema);
    writeFileSync(path, bytes);
    const partial = await outcomeOf(
      async () =>
        parsePartialRunConfig(await readJsonFile(path, { name: 'config', size: 'it is small' }), path),
      [path],
    );
    if (outcome.kind === 'accepted') {
      assert.deepEqual(parseRunConfig(plain(outcome.value), 'again'), outcome.value);
      if (Buffer.from(text).equals(bytes)) assert.equal(partial.kind, 'accepted');
    }
    return outcome.kind;
  },
);

export const documentProperties: readonly Property[] = [validModels, changedModels, changedConfigs];
