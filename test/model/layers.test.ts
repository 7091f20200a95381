// Activations, pools, upsampling and residual blocks: what their JSON becomes, and every refusal to its
// words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { activationNames } from '#src/model/activations/registry.js';
import { describeModel, forwardMultiplyAdds } from '#src/model/describe.js';
import { everyLayer, weightedLayers } from '#src/model/layers/kinds.js';
import { layerTypeNames } from '#src/model/layers/registry.js';
import type { Layer, MapShape } from '#src/model/model.js';
import { resolveModel } from '#src/model/resolve.js';
import type { LayerSpec, ModelSpec } from '#src/model/spec.js';

const input: MapShape = [6, 9, 2];
const flatten: LayerSpec = { type: 'flatten' };
const posterior: LayerSpec = { type: 'dense', units: 'posterior' };

function modelOf(encoder: readonly LayerSpec[], changes: Partial<ModelSpec> = {}): ModelSpec {
  return { name: 'm', input, latent: 2, encoder, decoder: [{ type: 'dense', units: 'pixels' }], ...changes };
}

/** The layer that `spec` becomes at the beginning of an encoder. */
function resolved(spec: LayerSpec): Layer {
  return resolveModel(modelOf([spec, flatten, posterior])).encoder[0]!;
}

function refuses(spec: ModelSpec, message: string) {
  assert.throws(() => resolveModel(spec), new UsageError(`Model "m": ${message}`));
}

const refusesLayer = (layer: unknown, message: string) =>
  assert.throws(
    () => resolveModel(modelOf([layer as LayerSpec, flatten, posterior])),
    new UsageError(`Model "m": encoder[0]${message}`),
  );

test('every activation is a layer, and stands behind a layer with weights', () => {
  for (const activation of activationNames) {
    const alone = resolved({ type: activation });
    assert.ok(alone.kind === 'activation' && alone.activation === activation);
    assert.deepEqual([alone.input, alone.output], [input, input]);
    for (const given of [activation, { type: activation }] as const) {
      const { encoder } = resolveModel(
        modelOf([flatten, { type: 'dense', units: 3, activation: given }, posterior]),
      );
      const { name, ...behind } = encoder[2]!;
      assert.equal(name, `dense/${activation}`);
      assert.deepEqual(behind, { ...behind, kind: 'activation', activation, input: [3], output: [3] });
    }
  }
});

test('leakyRelu has a slope, 0.3 unless the spec says otherwise', () => {
  const settingsOf = (layer: Layer) => layer.kind === 'activation' && layer.settings;
  assert.deepEqual(settingsOf(resolved({ type: 'leakyRelu' })), { slope: 0.3 });
  assert.deepEqual(settingsOf(resolved({ type: 'leakyRelu', slope: 0.2 })), { slope: 0.2 });
  const activation = { type: 'leakyRelu', slope: 0.1 } as const;
  const { encoder } = resolveModel(modelOf([flatten, { type: 'dense', units: 3, activation }, posterior]));
  assert.deepEqual(settingsOf(encoder[2]!), { slope: 0.1 });
  assert.deepEqual(settingsOf(resolved({ type: 'relu' })), undefined);
});

test('settings that are no settings', () => {
  const expected = 'expected a number above 0 and at most 1.';
  for (const [slope, found] of [
    [0, '0'],
    [-0.1, '-0.1'],
    [1.5, '1.5'],
    ['0.2', '"0.2"'],
    [Number.NaN, 'NaN'],
  ] as const) {
    refusesLayer({ type: 'leakyRelu', slope }, `.slope is ${found}, ${expected}`);
    const activation = { type: 'leakyRelu', slope };
    refusesLayer({ type: 'dense', units: 3, activation }, `.activation.slope is ${found}, ${expected}`);
  }
  refusesLayer({ type: 'gelu', slope: 0.2 }, ' has an unknown key "slope"; keys are type, name.');
  const activation = { type: 'gelu', slope: 0.2 };
  refusesLayer(
    { type: 'dense', units: 3, activation },
    '.activation has an unknown key "slope"; keys are type.',
  );
});

test('pools: windows, strides as large as they are, and sizes as in Keras', () => {
  const geometry = (spec: LayerSpec) => {
    const layer = resolved(spec);
    assert.ok(layer.kind === 'resample');
    return [layer.output, layer.size, layer.strides, layer.padding];
  };
  for (const type of ['maxPool', 'avgPool'] as const) {
    assert.deepEqual(geometry({ type, size: 2 }), [
      [3, 4, 2],
      [2, 2],
      [2, 2],
      [0, 0],
    ]);
    assert.deepEqual(geometry({ type, size: 2, padding: 'same' }), [
      [3, 5, 2],
      [2, 2],
      [2, 2],
      [0, 0],
    ]);
    assert.deepEqual(geometry({ type, size: [3, 1], strides: [2, 4] }), [
      [2, 3, 2],
      [3, 1],
      [2, 4],
      [0, 0],
    ]);
    assert.deepEqual(geometry({ type, size: 5, strides: 1, padding: 'same' }), [
      [6, 9, 2],
      [5, 5],
      [1, 1],
      [2, 2],
    ]);
    refusesLayer(
      { type, size: 7 },
      ` "${type === 'maxPool' ? 'max' : 'average'}_pooling2d" has windows of [7, 7] without padding, larger than its ` +
        'input [6, 9, 2]; use a smaller size, or padding "same".',
    );
    refusesLayer(
      { type, size: 1, name: 'none' },
      ' "none" has windows of one pixel, which leave nothing to pool; give it a larger size.',
    );
  }
});

test('upsample: a block for each pixel', () => {
  const layer = resolved({ type: 'upsample', size: [2, 3] });
  assert.ok(layer.kind === 'resample');
  assert.deepEqual([layer.name, layer.output, layer.strides], ['up_sampling2d', [12, 27, 2], [2, 3]]);
  refusesLayer(
    { type: 'upsample', size: 1 },
    ' "up_sampling2d" has a size of one pixel, which enlarges nothing; give it a larger size.',
  );
});

test('pools and upsampling take maps', () => {
  for (const [layer, name] of [
    [{ type: 'maxPool', size: 2 }, 'max_pooling2d'],
    [{ type: 'upsample', size: 2 }, 'up_sampling2d'],
  ] as const) {
    refuses(
      modelOf([flatten, layer, posterior]),
      `encoder[1] "${name}" takes a map [height, width, channels], but its input is [108]; put a reshape layer before it.`,
    );
  }
});

const block: LayerSpec = {
  type: 'residual',
  layers: [
    { type: 'dense', units: 5, activation: 'gelu' },
    { type: 'dense', units: 4 },
  ],
};

test('a residual block: names, parameters and what inspect prints', () => {
  const model = resolveModel(modelOf([flatten, { type: 'dense', units: 4 }, block, block, posterior]));
  assert.deepEqual(
    everyLayer(model.encoder).map(({ name }) => name),
    [
      ...['flatten', 'dense'],
      ...['residual/dense', 'residual/dense/gelu', 'residual/dense_1', 'residual'],
      ...['residual_1/dense', 'residual_1/dense/gelu', 'residual_1/dense_1', 'residual_1', 'dense_1'],
    ],
  );
  assert.deepEqual(
    model.parameters.entries.slice(2, 7).map(({ name, shape }) => `${name} ${shape}`),
    [
      'encoder/residual/dense/weights 4,5',
      'encoder/residual/dense/bias 5',
      'encoder/residual/dense_1/weights 5,4',
      'encoder/residual/dense_1/bias 4',
      'encoder/residual_1/dense/weights 4,5',
    ],
  );
  assert.equal(weightedLayers(model.encoder).length, 6);
  assert.equal(forwardMultiplyAdds(model), 108 * 4 + 4 * (4 * 5) + 4 * 4 + 2 * 108);
  // A block stands above what is inside of it, as an activation stands below its layer.
  const table = describeModel(model).split('\n');
  assert.deepEqual(table.slice(table.indexOf('encoder'), table.indexOf('decoder')), [
    'encoder',
    '  flatten     reshape   [108]',
    '  dense       dense     [4]            436   432',
    '  residual    residual  [4]',
    '    dense     dense     [5]             25    20',
    '      gelu              [5]',
    '    dense_1   dense     [4]             24    20',
    '  residual_1  residual  [4]',
    '    dense     dense     [5]             25    20',
    '      gelu              [5]',
    '    dense_1   dense     [4]             24    20',
    '  dense_1     dense     [4]             20    16',
  ]);
});

test('what inspect prints of pools, upsampling and settings', () => {
  const text = describeModel(
    resolveModel(
      modelOf([
        { type: 'maxPool', size: 2, strides: [1, 2] },
        { type: 'upsample', size: [1, 2] },
        { type: 'leakyRelu', slope: 0.2 },
        ...[flatten, posterior],
      ]),
    ),
  );
  for (const line of [
    /^ {2}max_pooling2d +maxPool 2x2 \/1x2 +\[5,4,2\]$/m,
    /^ {2}up_sampling2d +upsample 1x2 +\[5,8,2\]$/m,
    /^ {2}leaky_re_lu +leakyRelu 0\.2 +\[5,8,2\]$/m,
  ]) {
    assert.match(text, line);
  }
});

test('residual blocks that do not fit', () => {
  refuses(
    modelOf([flatten, { type: 'residual', layers: [{ type: 'dense', units: 4 }] }, posterior]),
    'encoder[1] "residual" adds its input [108] to what its layers make of it, but they end in [4]; make them end in ' +
      'the shape that they begin with.',
  );
  const twice: LayerSpec = {
    type: 'residual',
    layers: [
      { type: 'relu', name: 'a' },
      { type: 'tanh', name: 'a' },
    ],
  };
  refuses(
    modelOf([flatten, twice, posterior]),
    'encoder[1].layers has two layers named "a", at positions 0 and 1.',
  );
  refuses(
    modelOf([flatten, { type: 'residual', layers: [{ type: 'maxPool', size: 2 }] }, posterior]),
    'encoder[1].layers[0] "residual/max_pooling2d" takes a map [height, width, channels], but its input is [108]; put a ' +
      'reshape layer before it.',
  );
  refusesLayer({ type: 'residual' }, '.layers is missing.');
  refusesLayer(
    { type: 'residual', layers: [] },
    '.layers is an empty list, expected a list of one or more layers.',
  );
  refusesLayer(
    { type: 'residual', layers: [{ type: 'maxpool', size: 2 }] },
    '.layers[0].type is "maxpool", expected one of ' +
      `${layerTypeNames.join(', ')} (did you mean "maxPool"?).`,
  );
});

test('blocks inside of blocks: fifteen, and not one more', () => {
  const nested = (levels: number): LayerSpec =>
    levels === 0 ? { type: 'tanh' } : { type: 'residual', layers: [nested(levels - 1)] };
  assert.equal(everyLayer([resolved(nested(15))]).length, 16);
  const place = `encoder[0]${'.layers[0]'.repeat(15)}.layers`;
  refuses(modelOf([nested(16), flatten, posterior]), `${place} is a list inside of 16 others, more than 15.`);
  assert.throws(() => resolveModel(modelOf([nested(5000)])), UsageError);
});

test('weights inside of a block are enough to train, and its last bias is the last one', () => {
  const dense: LayerSpec = { type: 'dense', units: 108 };
  const inside: LayerSpec = { type: 'residual', layers: [{ type: 'dense', units: 5 }, dense] };
  const decoder: LayerSpec[] = [{ type: 'dense', units: 'pixels' }, inside];
  const model = resolveModel(
    modelOf([flatten, posterior], { decoder, outputBias: 'zeros', initialization: 'fanInUniform' }),
  );
  assert.deepEqual(
    model.parameters.entries
      .filter(({ initializer }) => initializer.kind === 'zeros')
      .map(({ name }) => name),
    ['decoder/residual/dense_1/bias'],
  );
  refuses(
    modelOf([flatten, posterior], { decoder, outputBias: 'dataMean' }),
    'outputBias "dataMean" sets the logits themselves, but "residual" follows the decoder\'s last layer with weights, ' +
      '"residual/dense_1". Remove that layer, or leave outputBias out.',
  );
});
