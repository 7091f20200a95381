import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import type { CorrelationLayer, MapShape } from '#src/model/model.js';
import { presetNames, presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import type { LayerSpec, ModelSpec } from '#src/model/spec.js';

const input: MapShape = [6, 8, 2];
const posterior: LayerSpec = { type: 'dense', units: 'posterior' };
const pixels: LayerSpec = { type: 'dense', units: 'pixels' };

/** The smallest model for `input`, changed. */
function model(changes: Partial<ModelSpec>): ModelSpec {
  return {
    name: 'small',
    latent: 3,
    encoder: [{ type: 'flatten' }, posterior],
    decoder: [pixels],
    ...changes,
  };
}

const withEncoder = (...encoder: LayerSpec[]) => model({ encoder });
const withDecoder = (...decoder: LayerSpec[]) => model({ decoder });

function refuses(spec: ModelSpec, message: string) {
  assert.throws(() => resolveModel(spec, { input }), new UsageError(message));
}

test('parameters lie end to end, encoder first, weights before bias', () => {
  for (const name of presetNames) {
    const resolved = resolveModel(presetSpec(name, [28, 28, 1]), { input: [28, 28, 1] });
    const { entries, size } = resolved.parameters;
    let offset = 0;
    for (const entry of entries) {
      assert.equal(entry.offset, offset, entry.name);
      assert.equal(
        entry.size,
        entry.shape.reduce((a, b) => a * b, 1),
        entry.name,
      );
      offset += entry.size;
    }
    assert.equal(size, offset);
    const ofLayers = [...resolved.encoder, ...resolved.decoder].flatMap((layer) =>
      layer.kind === 'correlation' ? [layer.weights, layer.bias] : [],
    );
    assert.deepEqual(ofLayers, entries);
    assert.equal(new Set(entries.map((entry) => entry.name)).size, entries.length);
  }
});

test("each layer's input is the output of the one before", () => {
  for (const name of presetNames) {
    const resolved = resolveModel(presetSpec(name, [28, 28, 1]), { input: [28, 28, 1] });
    for (const [layers, first] of [
      [resolved.encoder, [28, 28, 1]],
      [resolved.decoder, [resolved.latent]],
    ] as const) {
      let shape: readonly number[] = first;
      for (const layer of layers) {
        assert.deepEqual(layer.input, shape, layer.name);
        shape = layer.output;
      }
    }
  }
});

test('conv2d, conv2dTranspose and dense as correlations of a big and a small map', () => {
  const { encoder, decoder } = resolveModel(
    model({
      encoder: [
        { type: 'conv2d', filters: 5, kernel: [3, 2], strides: [2, 1], padding: 'same' },
        { type: 'flatten' },
        posterior,
      ],
      decoder: [
        { type: 'dense', units: 3 * 4 * 7 },
        { type: 'reshape', shape: [3, 4, 7] },
        { type: 'conv2dTranspose', filters: 'channels', kernel: [1, 4], strides: 2, padding: 'same' },
      ],
    }),
    { input },
  );
  const geometry = ({ type, big, small, kernel, strides, padding, weights, bias }: CorrelationLayer) => ({
    type,
    big,
    small,
    kernel,
    strides,
    padding,
    weights: weights.shape,
    bias: bias.shape,
    fans: weights.initializer,
  });
  assert.deepEqual(geometry(encoder[0] as CorrelationLayer), {
    type: 'conv2d',
    big: [6, 8, 2],
    small: [3, 8, 5],
    kernel: [3, 2],
    strides: [2, 1],
    padding: [0, 0],
    weights: [3, 2, 2, 5],
    bias: [5],
    fans: { kind: 'glorotUniform', fanIn: 3 * 2 * 2, fanOut: 3 * 2 * 5 },
  });
  assert.deepEqual(geometry(decoder[2] as CorrelationLayer), {
    type: 'conv2dTranspose',
    big: [6, 8, 2],
    small: [3, 4, 7],
    kernel: [1, 4],
    strides: [2, 2],
    padding: [0, 1],
    weights: [1, 4, 2, 7],
    bias: [2],
    // Keras reads [kh, kw, out, in] as [kh, kw, in, out]: the fans trade places, their sum stays.
    fans: { kind: 'glorotUniform', fanIn: 4 * 2, fanOut: 4 * 7 },
  });
  assert.deepEqual(geometry(encoder[2] as CorrelationLayer), {
    type: 'dense',
    big: [1, 1, 120],
    small: [1, 1, 6],
    kernel: [1, 1],
    strides: [1, 1],
    padding: [0, 0],
    weights: [120, 6],
    bias: [6],
    fans: { kind: 'glorotUniform', fanIn: 120, fanOut: 6 },
  });
});

test('latent may be overridden, and "posterior" follows it', () => {
  const resolved = resolveModel(model({}), { input, latent: 7 });
  assert.equal(resolved.latent, 7);
  assert.deepEqual(resolved.encoder.at(-1)!.output, [14]);
  assert.deepEqual(resolved.decoder[0]!.input, [7]);
  assert.throws(
    () => resolveModel(model({}), { input, latent: 1.5 }),
    new UsageError('resolveModel(): latent is 1.5, expected a positive integer.'),
  );
});

test('the input comes from the data or from the model, and they agree', () => {
  assert.deepEqual(resolveModel(model({ input })).input, input);
  assert.throws(
    () => resolveModel(model({})),
    new UsageError(
      'Model "small" does not say the shape of its input, and there is no data to take it from.' +
        ' Add "input": [height, width, channels] to the model.',
    ),
  );
  refuses(
    model({ input: [28, 28, 1] }),
    'Model "small" is made for examples of shape [28, 28, 1], but the data\'s are [6, 8, 2] (height, width, channels). ' +
      'Use other data, or leave "input" out of the model.',
  );
});

test('layers without a name are numbered as in Keras, passing over given names', () => {
  const { encoder } = resolveModel(
    withEncoder(
      { type: 'flatten' },
      { type: 'dense', units: 4, name: 'dense_1' },
      { type: 'dense', units: 4, activation: 'tanh' },
      { type: 'relu' },
      { type: 'tanh', name: 'squash' },
      { type: 'dense', units: 4 },
      posterior,
    ),
    { input },
  );
  assert.deepEqual(
    encoder.map(({ name }) => name),
    ['flatten', 'dense_1', 'dense', 'dense/tanh', 're_lu', 'squash', 'dense_2', 'dense_3'],
  );
});

test('two layers of one name', () => {
  refuses(
    withEncoder(
      { type: 'flatten' },
      { type: 'dense', units: 4, name: 'code' },
      { ...posterior, name: 'code' },
    ),
    'Model "small": the encoder has two layers named "code", at positions 1 and 2.',
  );
  // Names of the encoder and of the decoder do not meet.
  resolveModel(
    model({
      encoder: [{ type: 'flatten' }, { ...posterior, name: 'code' }],
      decoder: [{ ...pixels, name: 'code' }],
    }),
    { input },
  );
});

test('a dense layer on a map', () => {
  refuses(
    withEncoder(posterior),
    'Model "small": encoder[0] "dense" takes a vector, but its input is the map [6, 8, 2]; put a flatten layer ' +
      'before it, which makes it [96].',
  );
});

test('a convolution on a vector', () => {
  refuses(
    withDecoder({ type: 'conv2dTranspose', filters: 2, kernel: 3 }),
    'Model "small": decoder[0] "conv2d_transpose" takes a map [height, width, channels], but its input is [3]; ' +
      'put a reshape layer before it.',
  );
});

test('a kernel larger than the map', () => {
  const message =
    'Model "small": encoder[0] "conv2d" has a kernel of [7, 3] without padding, larger than its input ' +
    '[6, 8, 2]; use a smaller kernel, or padding "same".';
  refuses(withEncoder({ type: 'conv2d', filters: 2, kernel: [7, 3] }), message);
  refuses(
    withEncoder({ type: 'conv2d', filters: 2, kernel: [3, 9], strides: 5 }),
    message.replace('[7, 3]', '[3, 9]'),
  );
  const whole: LayerSpec = { type: 'conv2d', filters: 6, kernel: [6, 8] };
  assert.deepEqual(
    resolveModel(withEncoder(whole, { type: 'flatten' }), { input }).encoder[0]!.output,
    [1, 1, 6],
  );
  assert.deepEqual(
    resolveModel(withEncoder({ ...whole, kernel: 9, padding: 'same' }, { type: 'flatten' }, posterior), {
      input,
    }).encoder[0]!.output,
    [6, 8, 6],
  );
});

test('a reshape to another number of values', () => {
  refuses(
    withDecoder({ type: 'dense', units: 12 }, { type: 'reshape', shape: [2, 3, 3] }),
    'Model "small": decoder[1] "reshape" cannot give its input [12] (12 values) the shape [2, 3, 3] (18 values).',
  );
});

test('an encoder that does not end in the posterior', () => {
  const message = (found: string) =>
    `Model "small": the encoder ends in ${found}, expected [6]: mean and log-variance of 3 latent dimensions. ` +
    'End it in a dense layer of units "posterior".';
  refuses(withEncoder({ type: 'flatten' }, { type: 'dense', units: 3 }), message('[3]'));
  refuses(withEncoder({ type: 'conv2d', filters: 6, kernel: [6, 8] }), message('[1, 1, 6]'));
  // A map whose height happens to be 2·latent.
  refuses(withEncoder({ type: 'conv2d', filters: 1, kernel: 1 }), message('[6, 8, 1]'));
});

test("a decoder that does not end in an example's logits", () => {
  const message = (found: string) =>
    `Model "small": the decoder ends in ${found}, expected the logits of an example: [6, 8, 2] or [96]. End it in ` +
    'a dense layer of units "pixels", or in a convolution of filters "channels" on a 6×8 map.';
  refuses(withDecoder({ type: 'dense', units: 95 }), message('[95]'));
  // As many values, but rows and columns exchanged: the image would be scrambled.
  refuses(withDecoder(pixels, { type: 'reshape', shape: [8, 6, 2] }), message('[8, 6, 2]'));
  resolveModel(withDecoder(pixels, { type: 'reshape', shape: [6, 8, 2] }), { input });
});

test('nothing to train', () => {
  const nothing = (side: string) =>
    `Model "small": the ${side} has no layer with weights (conv2d, conv2dTranspose or dense), so there is nothing ` +
    'to train.';
  refuses(withEncoder({ type: 'flatten' }), nothing('encoder'));
  refuses(withDecoder({ type: 'relu' }), nothing('decoder'));
});

test('words for sizes on the wrong side', () => {
  refuses(
    withEncoder({ type: 'conv2d', filters: 'channels', kernel: 1 }),
    'Model "small": encoder[0] "conv2d" has filters "channels", which only a layer of the decoder can have.',
  );
  refuses(
    withEncoder({ type: 'flatten' }, pixels),
    'Model "small": encoder[1] "dense" has units "pixels", which only a layer of the decoder can have.',
  );
  refuses(
    withDecoder(posterior),
    'Model "small": decoder[0] "dense" has units "posterior", which only a layer of the encoder can have.',
  );
});

test('initialization fanInUniform: every tensor by the inputs of one of its outputs', () => {
  const { parameters } = resolveModel(
    model({
      initialization: 'fanInUniform',
      encoder: [
        { type: 'conv2d', filters: 5, kernel: [3, 2] },
        { type: 'flatten' },
        { type: 'dense', units: 'posterior' },
      ],
      decoder: [
        { type: 'dense', units: 96 },
        { type: 'reshape', shape: input },
        { type: 'conv2dTranspose', filters: 'channels', kernel: 1 },
      ],
      outputBias: 'zeros',
    }),
    { input },
  );
  const [height, width, channels] = input;
  const flat = 5 * (height - 2) * (width - 1);
  const convolution = { kind: 'fanInUniform', fanIn: 3 * 2 * channels };
  const posterior = { kind: 'fanInUniform', fanIn: flat };
  const latent = { kind: 'fanInUniform', fanIn: 3 };
  const transposed = { kind: 'fanInUniform', fanIn: channels };
  assert.deepEqual(
    parameters.entries.map(({ initializer }) => initializer),
    [convolution, convolution, posterior, posterior, latent, latent, transposed, { kind: 'zeros' }],
  );
});

test('outputBias dataMean: on the last bias of the decoder, if that has a value a pixel', () => {
  const outputBias = 'dataMean';
  const reshape: LayerSpec = { type: 'reshape', shape: input };
  const { parameters } = resolveModel(
    model({ outputBias, decoder: [{ type: 'dense', units: 96 }, pixels, reshape] }),
    { input },
  );
  assert.deepEqual(
    parameters.entries.filter(({ name }) => name.endsWith('bias')).map(({ initializer }) => initializer.kind),
    ['zeros', 'zeros', 'dataMeanLogit'],
  );
  refuses(
    model({ outputBias, decoder: [pixels, reshape, { type: 'conv2d', filters: 'channels', kernel: 1 }] }),
    'Model "small": outputBias "dataMean" needs one bias a pixel, 96 in all, but the bias of the decoder\'s last ' +
      'layer with weights, "conv2d", has shape [2]. End the decoder in a dense layer of units "pixels", or leave ' +
      'outputBias out.',
  );
  refuses(
    model({ outputBias, decoder: [{ type: 'dense', units: 'pixels', activation: 'tanh' }] }),
    'Model "small": outputBias "dataMean" sets the logits themselves, but "dense/tanh" follows the decoder\'s last ' +
      'layer with weights, "dense". Remove that activation, or leave outputBias out.',
  );
});

test('more parameters than the limit', () => {
  refuses(
    withEncoder({ type: 'flatten' }, { type: 'dense', units: 3_000_000 }, posterior),
    'Model "small": encoder/dense/weights of shape [96, 3000000] brings the parameters to 288000000 floats, more ' +
      'than the limit of 268435456. Use smaller layers.',
  );
  // Layers that fit singly, but not together: 96·2^20 + 2^20 + … + 2^20·200.
  refuses(
    withEncoder(
      { type: 'flatten' },
      { type: 'dense', units: 2 ** 20 },
      { type: 'dense', units: 200 },
      posterior,
    ),
    `Model "small": encoder/dense_1/weights of shape [1048576, 200] brings the parameters to ` +
      `${97 * 2 ** 20 + 200 * 2 ** 20} floats, more than the limit of 268435456. Use smaller layers.`,
  );
});

test('more activations than the limit, also where the sizes overflow', () => {
  const upsample = (strides: number): LayerSpec => ({
    type: 'conv2dTranspose',
    filters: 1,
    kernel: 1,
    strides,
  });
  refuses(
    withEncoder(upsample(4000), { type: 'flatten' }, posterior),
    'Model "small": encoder[0] "conv2d_transpose" of output [24000, 32000, 1] brings the activations of one example ' +
      'to 768000096 floats, more than the limit of 268435456. Use smaller layers.',
  );
  // Each output alone is below the limit; the third passes it.
  refuses(
    withEncoder(upsample(1500), { type: 'relu' }, { type: 'relu' }, { type: 'flatten' }, posterior),
    'Model "small": encoder[2] "re_lu_1" of output [9000, 12000, 1] brings the activations of one example to ' +
      `${96 + 3 * 9000 * 12000} floats, more than the limit of 268435456. Use smaller layers.`,
  );
  const huge = Number.MAX_SAFE_INTEGER;
  assert.throws(
    () =>
      resolveModel(withEncoder(upsample(huge), upsample(huge), { type: 'flatten' }, posterior), { input }),
    /^UsageError: Model "small": encoder\[0\] "conv2d_transpose" .* more than the limit of 268435456/,
  );
  assert.throws(
    () =>
      resolveModel(withEncoder({ type: 'conv2d', filters: huge, kernel: huge, padding: 'same' }), { input }),
    /^UsageError: Model "small": encoder\/conv2d\/weights .* more than the limit of 268435456/,
  );
});

test('a spec built in code is checked as one from a file', () => {
  refuses(
    withEncoder({ type: 'flatten' }, { type: 'dense', units: 2.5 }, posterior),
    'Model "small": encoder[1].units is 2.5, expected a positive integer, "posterior" or "pixels".',
  );
  refuses(
    model({ decoder: [] }),
    'Model "small": decoder is an empty list, expected a list of one or more layers.',
  );
});
