// Each layer of the simd engine, forward and backward, element by element against the float64 reference with
// the reference's worst-case rounding bound: sizes below, at and above the vector width and the tile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Network } from '#src/backends/simd/network.js';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { TILES, type TileName } from '#src/kernels/tiles/tile.js';
import { activationNames, activationSettings } from '#src/model/activations/registry.js';
import type { CorrelationLayer, Layer, MapShape, ResampleLayer } from '#src/model/model.js';
import { pack, packingUnits } from '#src/products/gather.js';
import { MicroKernels } from '#src/products/microKernels.js';
import { boundedLayerBackward, boundedLayerForward } from '../reference/boundedNetwork.js';
import { type Bounded, exact, float32 } from '../reference/rounding.js';
import { correlationLayer, correlationLayers, draw, layerTitle } from '../reference/smallModels.js';

const channels = [1, 3, 4, 5, 8, 9, 17];
const rows = 3;
const none = new Float64Array(0);
const module = compileKernels('portable');

/**
 * Every pair of channel counts around the tile's 4 rows and 8 columns, both directions, with borders and
 * phases.
 */
const sizes: CorrelationLayer[] = channels.flatMap((bigChannels) =>
  channels.flatMap((smallChannels) =>
    (['conv2d', 'conv2dTranspose', 'dense'] as const).map((type) => {
      const dense = type === 'dense';
      return correlationLayer({
        type,
        big: dense ? [1, 1, bigChannels] : [5, 4, bigChannels],
        small: dense ? [1, 1, smallChannels] : [3, 2, smallChannels],
        kernel: dense ? [1, 1] : [3, 3],
        strides: dense ? [1, 1] : [2, 2],
        padding: dense ? [0, 0] : [1, 1],
      });
    }),
  ),
);

for (const layer of [...correlationLayers, ...sizes]) {
  test(`${layerTitle(layer)}: forward, input gradient, weight and bias gradient`, () => {
    const size = layer.weights.size + layer.bias.size;
    checkLayers([layer], layer.input, draw(size, 7, 1 / 2), size);
  });
}

for (const activation of activationNames) {
  for (const length of [1, 3, 4, 5, 17]) {
    test(`${activation} of ${length}: forward and backward, after a dense layer and on its own`, () => {
      const dense = correlationLayer({
        type: 'dense',
        big: [1, 1, 6],
        small: [1, 1, length],
        kernel: [1, 1],
        strides: [1, 1],
        padding: [0, 0],
      });
      const size = dense.weights.size + dense.bias.size;
      const after: Layer = {
        kind: 'activation',
        name: activation,
        activation,
        settings: activationSettings({ type: activation }) ?? {},
        input: [length],
        output: [length],
      };
      const before: Layer = {
        kind: 'activation',
        name: 'first',
        activation: 'tanh',
        input: [6],
        output: [6],
      };
      checkLayers([dense, after], [6], draw(size, 3), size);
      // On the network's input, and one activation behind another: neither may overwrite what the gradient
      // needs.
      checkLayers(
        [before, dense, after, { ...after, activation: 'tanh', name: 'second' }],
        [6],
        draw(size, 4),
        size,
      );
    });
  }
}

/** A convolution that wants a border around its input and its output. */
function bordered(channels: number, offset: number): CorrelationLayer {
  const layer = correlationLayer({
    type: 'conv2d',
    big: [4, 5, channels],
    small: [4, 5, channels],
    kernel: [3, 3],
    strides: [1, 1],
    padding: [1, 1],
  });
  const { weights, bias } = layer;
  return {
    ...layer,
    weights: { ...weights, offset: weights.offset + offset },
    bias: { ...bias, offset: bias.offset + offset },
  };
}

for (const activation of activationNames) {
  test(`${activation} between maps with borders, which stay zero, and twice in a row`, () => {
    for (const channels of [1, 3, 4]) {
      const first = bordered(channels, 0);
      const size = first.weights.size + first.bias.size;
      const shape: MapShape = [4, 5, channels];
      const between = (name: string): Layer => ({
        kind: 'activation',
        name,
        activation,
        settings: activationSettings({ type: activation }) ?? {},
        input: shape,
        output: shape,
      });
      const layers = [first, between('first'), between('second'), bordered(channels, size)];
      checkLayers(layers, shape, draw(2 * size, 21, 1 / 2), 2 * size);
    }
  });
}

test('an activation behind a reshape overwrites nothing that the one before it needs', () => {
  const shapes = { input: [12], output: [12] };
  const tanh = (name: string, shape: readonly number[]): Layer => ({
    ...{ kind: 'activation', name, activation: 'tanh', input: shape, output: shape },
  });
  const reshape: Layer = { kind: 'reshape', name: 'reshape', input: [12], output: [2, 3, 2] };
  checkLayers([tanh('first', [12]), reshape, tanh('second', [2, 3, 2])], shapes.input, none, 0);
  checkLayers([reshape, tanh('on the input', [2, 3, 2])], shapes.input, none, 0);
});

const windows: readonly (readonly [
  string,
  Pick<ResampleLayer, 'type' | 'size' | 'strides' | 'padding'>,
  MapShape,
  MapShape,
])[] = (['maxPool', 'avgPool'] as const).flatMap((type) => [
  ['whole windows', { type, size: [2, 2], strides: [2, 2], padding: [0, 0] }, [4, 6, 1], [2, 3, 1]],
  [
    'a rest that is in no window',
    { type, size: [2, 3], strides: [2, 3], padding: [0, 0] },
    [5, 8, 1],
    [2, 2, 1],
  ],
  ['overlaps', { type, size: [3, 2], strides: [1, 1], padding: [0, 0] }, [5, 4, 1], [3, 3, 1]],
  ['gaps', { type, size: [1, 2], strides: [3, 3], padding: [0, 0] }, [5, 5, 1], [2, 2, 1]],
  [
    'windows that reach over the border',
    { type, size: [3, 3], strides: [2, 2], padding: [1, 1] },
    [5, 5, 1],
    [3, 3, 1],
  ],
]);

for (const [title, geometry, big, small] of windows) {
  test(`${geometry.type}: ${title}: forward and backward, on maps with borders and without`, () => {
    for (const channels of [1, 3, 4, 5, 8]) {
      const [input, output]: [MapShape, MapShape] = [
        [big[0], big[1], channels],
        [small[0], small[1], channels],
      ];
      const layer: ResampleLayer = { kind: 'resample', name: 'window', ...geometry, input, output };
      checkLayers([layer], input, none, 0);
      checkBetweenBorders(layer, channels);
      // Zeros that a ReLU leaves are all the largest: the first of them gets the gradient.
      const relu: Layer = { kind: 'activation', name: 'relu', activation: 'relu', input, output: input };
      checkLayers([relu, layer], input, none, 0);
    }
  });
}

test('upsample: forward and backward, on maps with borders and without', () => {
  for (const channels of [1, 3, 4, 5, 8]) {
    for (const size of [
      [2, 2],
      [1, 3],
      [3, 1],
    ] as const) {
      const input: MapShape = [3, 2, channels];
      const output: MapShape = [3 * size[0], 2 * size[1], channels];
      const geometry = { size, strides: size, padding: [0, 0] } as const;
      const layer: ResampleLayer = {
        kind: 'resample',
        type: 'upsample',
        name: 'up',
        ...geometry,
        input,
        output,
      };
      checkLayers([layer], input, none, 0);
      checkBetweenBorders(layer, channels);
    }
  }
});

/** A transposed convolution before the layer, and one behind it, both with borders. */
function checkBetweenBorders(layer: ResampleLayer, channels: number): void {
  const around = (shape: MapShape, offset: number): CorrelationLayer => {
    const same = bordered(channels, offset);
    return { ...same, input: shape, output: shape, big: shape, small: shape };
  };
  const { size: weights } = bordered(channels, 0).weights;
  const size = weights + channels;
  const layers = [around(layer.input, 0), layer, around(layer.output, size)];
  checkLayers(layers, layer.input, draw(2 * size, 23, 1 / 2), 2 * size);
}

for (const channels of [1, 4, 5]) {
  test(`residual blocks of ${channels} channels, between borders, one inside of another, and of activations alone`, () => {
    const shape: MapShape = [4, 5, channels];
    const size = bordered(channels, 0).weights.size + channels;
    const block = (name: string, ...layers: Layer[]): Layer => ({
      ...{ kind: 'residual', name, input: shape, output: shape, layers },
    });
    const activation = (name: string, of: 'relu' | 'tanh' | 'gelu' | 'sigmoid'): Layer => ({
      ...{ kind: 'activation', name, activation: of, input: shape, output: shape },
    });
    const inner = block(
      'inner',
      activation('b', 'sigmoid'),
      bordered(channels, size),
      activation('c', 'tanh'),
    );
    const layers = [
      bordered(channels, 0),
      activation('fused', 'relu'),
      block('outer', activation('a', 'relu'), inner, activation('d', 'gelu'), bordered(channels, 2 * size)),
      activation('e', 'tanh'),
      block('plain', activation('f', 'tanh'), activation('g', 'relu')),
      bordered(channels, 3 * size),
    ];
    checkLayers(layers, shape, draw(4 * size, 25, 1 / 4), 4 * size);
    checkLayers([block('first', activation('h', 'tanh'))], shape, none, 0);
  });
}

test('reshape between a vector and a map with a border', () => {
  const transposed = correlationLayer({
    type: 'conv2dTranspose',
    big: [6, 8, 2],
    small: [3, 4, 5],
    kernel: [3, 3],
    strides: [2, 2],
    padding: [0, 0],
  });
  const size = transposed.weights.size + transposed.bias.size;
  const reshape: Layer = { kind: 'reshape', name: 'reshape', input: [60], output: [3, 4, 5] };
  checkLayers([reshape, transposed], [60], draw(size, 5), size);
});

/**
 * Runs the layers on `rows` examples through the engine and the reference, twice: the second time must not
 * differ.
 */
function checkLayers(
  layers: readonly Layer[],
  inputShape: readonly number[],
  parameters: Float64Array,
  size: number,
): void {
  const inputSize = inputShape.reduce((product, n) => product * n, 1);
  const input = draw(rows * inputSize, 11);
  const outputSize = layers.at(-1)!.output.reduce((product, n) => product * n, 1);
  const dOutput = draw(rows * outputSize, 13);
  const expected = referencePass(layers, parameters, input, dOutput);
  for (const tile of ['4x8', '6x16'] as const) {
    const engine = runEngine(tile, layers, inputShape, parameters, input, dOutput, size);
    assertWithin(engine.output, expected.output, 'output');
    assertWithin(engine.dInput, expected.dInput, 'input gradient');
    assertWithin(engine.gradient, expected.gradient, 'parameter gradient');
    assert.deepEqual(engine.repeated, engine.gradient, 'a second pass has the same bits');
  }
}

function referencePass(
  layers: readonly Layer[],
  parameters: Float64Array,
  input: Float64Array,
  dOutput: Float64Array,
) {
  const inputs: Bounded[] = [];
  let value = exact(input);
  for (const layer of layers) {
    inputs.push(value);
    value = boundedLayerForward(layer, rows, parameters, value, float32);
  }
  const gradient = exact(new Float64Array(parameters.length));
  let d = exact(dOutput);
  for (let i = layers.length - 1; i >= 0; i--) {
    d = boundedLayerBackward(layers[i]!, rows, parameters, inputs[i]!, d, gradient, float32);
  }
  return { output: value, dInput: d, gradient };
}

function runEngine(
  tile: TileName,
  layers: readonly Layer[],
  inputShape: readonly number[],
  parameters: Float64Array,
  input: Float64Array,
  dOutput: Float64Array,
  size: number,
) {
  const arena = new Arena(0);
  const packedArena = new Arena(2 ** 22);
  const place = { parameters: arena.floats(size), gradient: arena.floats(size) };
  const network = new Network({
    arena,
    packedArena,
    parameters: place.parameters,
    layers,
    inputShape,
    images: rows,
    inputGradient: true,
    panelWidth: TILES[tile].columns,
    owned: false,
  });
  const memory = new WebAssembly.Memory({ initial: 128, maximum: 128, shared: true });
  const kernels = new MicroKernels(bindKernels(module, memory), tile);
  arena.materialize(memory.buffer);
  const view = (address: number, count: number) => new Float32Array(memory.buffer, address, count);
  view(place.parameters, size).set(parameters);
  // Gradients are set, not added to: what stands there before does not matter.
  view(place.gradient, size).fill(Number.NaN);
  for (const pass of network.passes) pack(kernels.kernels, pass, 0, packingUnits(pass));
  const pass = () => {
    view(network.input.activation, input.length).set(input);
    network.forward(kernels, rows);
    const output = view(network.output.activation, dOutput.length).slice();
    view(network.output.gradient, dOutput.length).set(dOutput);
    network.backward(kernels, rows, {
      gradient: place.gradient,
      accumulate: false,
    });
    return { output, gradient: view(place.gradient, size).slice() };
  };
  const first = pass();
  const dInput = view(network.input.gradient, input.length).slice();
  return { ...first, dInput, repeated: pass().gradient };
}

function assertWithin(actual: Float32Array, { value, bound }: Bounded, what: string): void {
  assert.equal(actual.length, value.length, what);
  for (let i = 0; i < value.length; i++) {
    const error = Math.abs(actual[i]! - value[i]!);
    assert.ok(error <= bound[i]!, `${what}[${i}] is ${actual[i]}, expected ${value[i]} ± ${bound[i]}`);
  }
}
