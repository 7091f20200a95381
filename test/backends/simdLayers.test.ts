// Each layer of the simd engine, forward and backward, element by element against the float64 reference with the
// reference's worst-case rounding bound: sizes below, at and above the vector width and the tile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Network } from '#src/backends/simd/network.js';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { TILES, type TileName } from '#src/kernels/tiles/tile.js';
import type { CorrelationLayer, Layer } from '#src/model/model.js';
import { pack, packingUnits } from '#src/products/gather.js';
import { MicroKernels } from '#src/products/microKernels.js';
import { boundedLayerBackward, boundedLayerForward } from '../reference/boundedNetwork.js';
import { type Bounded, exact, float32 } from '../reference/rounding.js';
import { correlationLayer, correlationLayers, draw, layerTitle } from '../reference/smallModels.js';

const channels = [1, 3, 4, 5, 8, 9, 17];
const rows = 3;
const module = compileKernels('portable');

/** Every pair of channel counts around the tile's 4 rows and 8 columns, both directions, with borders and phases. */
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

for (const activation of ['relu', 'tanh'] as const) {
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
      // On the network's input, and one activation behind another: neither may overwrite what the gradient needs.
      checkLayers(
        [before, dense, after, { ...after, activation: 'tanh', name: 'second' }],
        [6],
        draw(size, 4),
        size,
      );
    });
  }
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

/** Runs the layers on `rows` examples through the engine and the reference, twice: the second time must not differ. */
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
