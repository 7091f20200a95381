import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '#src/errors.js';
import { activationNames } from '#src/model/activations/registry.js';
import { layerTypeNames } from '#src/model/layers/registry.js';
import type { MapShape } from '#src/model/model.js';
import { parseModelSpec } from '#src/model/parse.js';
import { presetNames, presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import type { LayerSpec, ModelSpec } from '#src/model/spec.js';

const mnist: MapShape = [28, 28, 1];
const source = 'my.json';

const valid = {
  name: 'mine',
  latent: 2,
  encoder: [{ type: 'flatten' }, { type: 'dense', units: 'posterior' }],
  decoder: [{ type: 'dense', units: 'pixels' }],
};

function refuses(json: unknown, message: string) {
  assert.throws(() => parseModelSpec(json, source), new UsageError(`my.json: ${message}`));
}

const refusesModel = (changes: object, message: string) => refuses({ ...valid, ...changes }, message);
/** The layer as the encoder's third. */
const refusesLayer = (layer: unknown, message: string) =>
  refusesModel({ encoder: [...valid.encoder, layer] }, message);

const integer = fc.integer({ min: 1, max: 4 });
const extent = fc.oneof(integer, fc.tuple(integer, integer));
const activation = fc.constantFrom(...activationNames);
const optional = { requiredKeys: ['type', 'filters', 'kernel'] } as const;

/** Layers that take any map and return a map. */
const mapLayer: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record(
    {
      type: fc.constantFrom('conv2d', 'conv2dTranspose'),
      filters: integer,
      kernel: extent,
      strides: extent,
      padding: fc.constant('same'),
      activation,
    },
    { requiredKeys: [...optional.requiredKeys, 'padding'] },
  ),
  fc.record({ type: fc.constant('conv2dTranspose'), filters: integer, kernel: extent }),
  fc.record({ type: activation }),
  fc.record({ type: fc.constant('leakyRelu'), slope: fc.constantFrom(0.2, 1) }),
  fc.record(
    {
      type: fc.constantFrom('maxPool', 'avgPool'),
      size: fc.constant(2),
      strides: extent,
      padding: fc.constant('same'),
    },
    { requiredKeys: ['type', 'size', 'padding'] },
  ),
  fc.record({ type: fc.constant('upsample'), size: fc.tuple(integer, fc.constant(2)) }),
  fc.record({
    type: fc.constant('residual'),
    layers: fc.array(fc.record({ type: activation }), { minLength: 1, maxLength: 2 }),
  }),
);

/** Models that resolve. */
const anyModel: fc.Arbitrary<ModelSpec & { readonly input: MapShape }> = fc
  .record({
    input: fc.tuple(integer, integer, integer),
    latent: integer,
    maps: fc.array(mapLayer, { maxLength: 3 }),
    hidden: fc.array(fc.record({ type: fc.constant('dense'), units: integer, activation }), { maxLength: 2 }),
    initialization: fc.constantFrom('glorotUniform', 'fanInUniform'),
    outputBias: fc.constantFrom('zeros', 'dataMean'),
    training: fc.record(
      {
        batchSize: integer,
        learningRate: fc.double({ min: 1e-6, max: 1, noNaN: true }),
        epochs: integer,
        binarize: fc.constantFrom('threshold', 'dynamic', 'static', 'none'),
        samples: integer,
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ input, latent, maps, hidden, initialization, outputBias, training }) => ({
    name: 'random',
    input,
    latent,
    encoder: [...maps, { type: 'flatten', name: 'flat' }, { type: 'dense', units: 'posterior' }],
    decoder: [...hidden, { type: 'dense', units: 'pixels' }, { type: 'reshape', shape: input }],
    initialization,
    outputBias,
    training,
  }));

test('spec to JSON and back resolves to the same model', () => {
  fc.assert(
    fc.property(anyModel, (spec) => {
      const back = parseModelSpec(JSON.parse(JSON.stringify(spec)), source);
      assert.deepEqual(back, JSON.parse(JSON.stringify(spec)));
      assert.deepEqual(resolveModel(back), resolveModel(spec));
    }),
  );
});

test('presets survive JSON', () => {
  for (const name of presetNames) {
    const spec = presetSpec(name, mnist);
    const back = parseModelSpec(JSON.parse(JSON.stringify(spec)), source);
    assert.deepEqual(back, spec);
    assert.deepEqual(resolveModel(back, { input: mnist }), resolveModel(spec, { input: mnist }));
  }
});

test('the order of keys does not change the model', () => {
  const reversed = (json: unknown): unknown => {
    if (Array.isArray(json)) return json.map(reversed);
    if (typeof json !== 'object' || json === null) return json;
    return Object.fromEntries(
      Object.entries(json)
        .map(([key, value]) => [key, reversed(value)])
        .reverse(),
    );
  };
  const spec = presetSpec('cvae', mnist);
  assert.deepEqual(resolveModel(parseModelSpec(reversed(spec), source)), resolveModel(spec));
});

/** Every place in `json`, as keys from the root. */
function placesIn(json: unknown): (string | number)[][] {
  if (typeof json !== 'object' || json === null) return [[]];
  const inside = Object.entries(json).flatMap(([key, value]) =>
    placesIn(value).map((rest) => [key, ...rest]),
  );
  return [[], ...inside];
}

function replaced(json: unknown, [key, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = Object.assign(Array.isArray(json) ? [] : {}, json) as Record<string | number, unknown>;
  copy[key] = replaced(copy[key], rest, value);
  return copy;
}

test('whatever stands at whatever place, the model resolves or is refused by a UsageError', () => {
  const cvae: unknown = JSON.parse(JSON.stringify(presetSpec('cvae', mnist)));
  const outcomes = { resolved: 0, refused: 0 };
  const value = fc.oneof(
    fc.jsonValue(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.constantFrom('conv2d', 'dense', 'same', 'pixels', 'posterior', 'channels', '__proto__', 'constructor'),
  );
  fc.assert(
    fc.property(fc.constantFrom(...placesIn(cvae)), value, (place, replacement) => {
      const json = replaced(cvae, place, replacement);
      try {
        resolveModel(parseModelSpec(json, source), { input: mnist });
        outcomes.resolved++;
      } catch (error) {
        assert.ok(error instanceof UsageError, String((error as Error).stack));
        assert.ok(error.message.length < 600, error.message);
        outcomes.refused++;
      }
    }),
    { numRuns: 500 },
  );
  // A check that refused everything would pass the above.
  assert.ok(outcomes.refused > 0 && outcomes.resolved > 0, JSON.stringify(outcomes));
});

test('what is no object', () => {
  const expected = 'expected a model: an object with name, latent, encoder and decoder.';
  for (const [json, found] of [
    [null, 'null'],
    [17, '17'],
    ['cvae', '"cvae"'],
    [[], 'an empty list'],
    [[1, 2], '[1, 2]'],
    [[valid], 'a list of 1'],
  ]) {
    refuses(json, `the document is ${found}, ${expected}`);
  }
  refusesModel({ training: [] }, 'training is an empty list, expected an object.');
  refusesLayer('relu', 'encoder[2] is "relu", expected a layer: an object with a type.');
});

test('missing keys', () => {
  const { latent: _, ...withoutLatent } = valid;
  refuses(withoutLatent, 'latent is missing.');
  refuses({ ...valid, decoder: undefined }, 'decoder is missing.');
  refusesLayer({ type: 'dense' }, 'encoder[2].units is missing.');
  const types = layerTypeNames.join(', ');
  assert.match(types, /^conv2d, conv2dTranspose, dense, relu, tanh, .*flatten, reshape, /);
  refusesLayer({ units: 3 }, `encoder[2].type is missing, expected one of ${types}.`);
});

test('unknown keys, with the nearest known one', () => {
  refusesModel(
    { latents: 3 },
    'the document has an unknown key "latents" (did you mean "latent"?); keys are name, latent, encoder, decoder, ' +
      'input, initialization, outputBias, training.',
  );
  refusesLayer(
    { type: 'conv2d', filtres: 3, kernel: 3 },
    'encoder[2] has an unknown key "filtres" (did you mean "filters"?); keys are type, filters, kernel, strides, ' +
      'padding, activation, name.',
  );
  refusesLayer({ type: 'relu', alpha: 3 }, 'encoder[2] has an unknown key "alpha"; keys are type, name.');
  refusesModel(
    { training: { optimiser: 'sgd' } },
    'training has an unknown key "optimiser"; keys are batchSize, learningRate, epochs, binarize, samples.',
  );
});

test('__proto__ is a key like any other, and unknown', () => {
  refuses(
    JSON.parse(`{"__proto__": {"latent": 3}, ${JSON.stringify(valid).slice(1)}`),
    'the document has an unknown key "__proto__"; keys are name, latent, encoder, decoder, input, initialization, outputBias, training.',
  );
  const inherited = Object.assign(Object.create({ latent: 2 }), { ...valid, latent: undefined });
  refuses(inherited, 'latent is missing.');
  assert.equal(({} as { latent?: number }).latent, undefined);
});

test('unknown layer types', () => {
  const expected = `expected one of ${layerTypeNames.join(', ')}`;
  refusesLayer({ type: 'Conv2D' }, `encoder[2].type is "Conv2D", ${expected} (did you mean "conv2d"?).`);
  refusesLayer({ type: 'dropout' }, `encoder[2].type is "dropout", ${expected}.`);
  refusesLayer({ type: 'constructor' }, `encoder[2].type is "constructor", ${expected}.`);
  refusesLayer({ type: 3 }, `encoder[2].type is 3, ${expected}.`);
});

test('sizes that are no positive integers', () => {
  for (const [size, found] of [
    [0, '0'],
    [-1, '-1'],
    [2.5, '2.5'],
    [1e300, '1e+300'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['3', '"3"'],
    [null, 'null'],
    [true, 'true'],
    [{}, 'an object'],
  ] as const) {
    refusesModel({ latent: size }, `latent is ${found}, expected a positive integer.`);
    refusesLayer(
      { type: 'dense', units: size },
      `encoder[2].units is ${found}, expected a positive integer, "posterior" or "pixels".`,
    );
    refusesLayer(
      { type: 'conv2d', filters: size, kernel: 3 },
      `encoder[2].filters is ${found}, expected a positive integer or "channels".`,
    );
    refusesLayer(
      { type: 'reshape', shape: [7, size, 32] },
      `encoder[2].shape[1] is ${found}, expected a positive integer.`,
    );
  }
});

test('kernel and strides', () => {
  const conv = { type: 'conv2d', filters: 3, kernel: 3 };
  refusesLayer({ ...conv, kernel: 0 }, 'encoder[2].kernel is 0, expected a positive integer.');
  refusesLayer({ ...conv, kernel: [3, 0] }, 'encoder[2].kernel[1] is 0, expected a positive integer.');
  const expected = 'expected a positive integer or a list [rows, columns].';
  refusesLayer({ ...conv, strides: 'two' }, `encoder[2].strides is "two", ${expected}`);
  refusesLayer({ ...conv, strides: [1, 2, 3] }, `encoder[2].strides is [1, 2, 3], ${expected}`);
  refusesLayer({ ...conv, strides: [] }, `encoder[2].strides is an empty list, ${expected}`);
});

test('shapes of input and reshape', () => {
  refusesModel({ input: [28, 28] }, 'input is [28, 28], expected a list [height, width, channels].');
  refusesModel({ input: 784 }, 'input is 784, expected a list [height, width, channels].');
  refusesModel({ input: [28, 28, 0] }, 'input[2] is 0, expected a positive integer.');
  refusesLayer(
    { type: 'reshape', shape: [4, 4] },
    'encoder[2].shape is [4, 4], expected a list [n] or [height, width, channels].',
  );
});

test('words that are not among the known ones', () => {
  const quoted = activationNames.map((name) => `"${name}"`);
  const activations = `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
  refusesLayer(
    { type: 'dense', units: 3, activation: 'softmax' },
    `encoder[2].activation is "softmax", expected ${activations}; leave it out for a linear layer (the sigmoid ` +
      'over the last logits is part of the likelihood).',
  );
  refusesLayer(
    { type: 'conv2d', filters: 3, kernel: 3, padding: 'SAME' },
    'encoder[2].padding is "SAME", expected "valid" or "same".',
  );
  refusesModel({ outputBias: 'mean' }, 'outputBias is "mean", expected "zeros" or "dataMean".');
  refusesModel(
    { training: { binarize: true } },
    'training.binarize is true, expected "threshold", "dynamic", "static" or "none".',
  );
});

test('training', () => {
  refusesModel({ training: { batchSize: 0 } }, 'training.batchSize is 0, expected a positive integer.');
  for (const [rate, found] of [
    [0, '0'],
    [-1e-3, '-0.001'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['1e-3', '"1e-3"'],
  ]) {
    refusesModel(
      { training: { learningRate: rate } },
      `training.learningRate is ${found}, expected a positive number.`,
    );
  }
});

test('names', () => {
  const expected = 'expected a name of 1 to 64 letters, digits, "_", "-" and ".", first a letter or digit.';
  for (const name of ['', '../up', 'a/b', '.hidden', 'with space', 'line\n']) {
    refusesModel({ name }, `name is ${JSON.stringify(name)}, ${expected}`);
  }
  refusesModel({ name: 'a'.repeat(65) }, `name is "${'a'.repeat(40)}…", ${expected}`);
  refusesLayer({ type: 'flatten', name: 7 }, `encoder[2].name is 7, ${expected}`);
  assert.equal(parseModelSpec({ ...valid, name: 'a'.repeat(64) }, source).name.length, 64);
});

test('empty and endless lists of layers', () => {
  refusesModel({ encoder: [] }, 'encoder is an empty list, expected a list of one or more layers.');
  refusesModel({ decoder: {} }, 'decoder is an object, expected a list of one or more layers.');
  const relus = (count: number) => Array.from({ length: count }, () => ({ type: 'relu' }));
  refusesModel(
    { decoder: relus(1001) },
    'decoder is a list of 1001, expected a list of at most 1000 layers.',
  );
  assert.equal(parseModelSpec({ ...valid, decoder: relus(1000) }, source).decoder.length, 1000);
});
