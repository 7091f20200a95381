// The input gradient of dense layers is computed in one of several ways, by the number of examples: one and
// the same sum.

import { test } from 'node:test';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { TILE_NAMES, TILES, type TileName } from '#src/kernels/tiles/tile.js';
import type { CorrelationLayer } from '#src/model/model.js';
import { resolveModel } from '#src/model/resolve.js';
import {
  type DensePlan,
  denseInputGradient,
  planDense,
  planDenseScratch,
} from '#src/products/densePasses.js';
import { MicroKernels } from '#src/products/microKernels.js';
import { Tensor } from '#src/products/tensor.js';
import { modes } from '../kernels/arithmeticMode.js';
import { sampleFloats } from '../kernels/float32.js';
import { type GemmCase, sequentialGemm } from '../kernels/gemmCase.js';
import { assertSameBits } from '../kernels/kernelHarness.js';

const OUTPUTS = 11;
/** Whole panels of 16, and all that can be left behind them. */
const MOST_EXAMPLES = 33;

function denseLayer(inputs: number): CorrelationLayer {
  const { encoder } = resolveModel({
    name: 'dense',
    input: [1, inputs, 1],
    latent: 3,
    encoder: [{ type: 'flatten' }, { type: 'dense', units: OUTPUTS }, { type: 'dense', units: 'posterior' }],
    decoder: [{ type: 'dense', units: 'pixels' }],
  });
  const layer = encoder.find(({ kind }) => kind === 'correlation');
  if (layer?.kind !== 'correlation') throw new Error('The model has no dense layer.');
  return layer;
}

const module = compileKernels('portable');

/**
 * Gradients of the layer's input, [examples, inputs], from [examples, outputs] and the weights, [inputs,
 * outputs].
 */
function inputGradient(
  tile: TileName,
  layer: CorrelationLayer,
  images: number,
  given: { readonly dOutput: Float32Array; readonly weights: Float32Array },
): Float32Array {
  const arena = new Arena(0);
  const [input, output] = [Tensor.of(layer.input), Tensor.of(layer.output)];
  input.allocate(arena, images);
  output.allocate(arena, images);
  const panelWidth = TILES[tile].columns;
  const weights = arena.floats(given.weights.length);
  const scratch = planDenseScratch({ arena, layers: [layer], images, panelWidth, dataInputs: 0 });
  const plan: DensePlan = { arena, layer, input, output, weights, panelWidth, images, scratch, data: false };
  const pass = planDense(plan);
  const zeros = arena.reserve(scratch.pitch);
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  arena.materialize(memory.buffer);
  const view = (address: number, count: number) => new Float32Array(memory.buffer, address, count);
  view(weights, given.weights.length).set(given.weights);
  view(output.gradient, given.dOutput.length).set(given.dOutput);
  const gradient = view(input.gradient, images * input.size).fill(Number.NaN);
  const kernels = new MicroKernels(bindKernels(module, memory), tile);
  denseInputGradient(kernels, pass, scratch, images, zeros);
  return gradient.slice();
}

// Fewer inputs than gemmTransposed takes, just as many, and no multiple of any tile.
for (const inputs of [15, 16, 37]) {
  test(`every number of examples on every tile, ${inputs} inputs: each element one sum over the outputs in order`, () => {
    const layer = denseLayer(inputs);
    const weights = sampleFloats(inputs, inputs * OUTPUTS);
    const turned = Float32Array.from(
      weights,
      (_, i) => weights[(i % inputs) * OUTPUTS + Math.floor(i / inputs)]!,
    );
    for (let images = 1; images <= MOST_EXAMPLES; images++) {
      const dOutput = sampleFloats(images, images * OUTPUTS);
      const shape = { rows: images, columns: inputs, segments: [OUTPUTS] };
      const gemm: GemmCase = { ...shape, bias: false, relu: false, seed: 0 };
      const expected = sequentialGemm(modes[0]!, gemm, { a: dOutput, b: turned, bias: undefined });
      for (const tile of TILE_NAMES) {
        const actual = inputGradient(tile, layer, images, { dOutput, weights });
        assertSameBits(actual, expected, `${tile}, ${images} examples`);
      }
    }
  });
}
