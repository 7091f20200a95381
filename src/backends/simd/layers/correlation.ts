// conv2d, conv2dTranspose and dense: gathered GEMMs, or dense passes that read the weights where they stand.
import { plus } from '../../../kernels/address.js';
import { sizeOf } from '../../../model/layout.js';
import type { CorrelationLayer } from '../../../model/model.js';
import {
  type DensePass,
  denseForward,
  denseInputGradient,
  planDense,
} from '../../../products/densePasses.js';
import { addFilterGradient } from '../../../products/filter.js';
import {
  bigBorder,
  type GatherPass,
  type GatherPlan,
  gather,
  isDot,
  planDown,
  planUp,
  smallBorder,
} from '../../../products/gather.js';
import type { MicroKernels } from '../../../products/microKernels.js';
import { Tensor } from '../../../products/tensor.js';
import type { Flow, GradientSums, LayerKind, LayerPass, Link, OwnedLayer, PassMemory } from './link.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export const correlation: LayerKind<CorrelationLayer> = {
  connect: (layer, input) => [correlationLink(layer, input)],
  floats: ({ output }) => sizeOf(output),
};

function correlationLink(layer: CorrelationLayer, input: Flow): Link {
  const tensor = Tensor.of(layer.output);
  let fusedRelu = false;
  const fuseRelu = () => {
    fusedRelu = true;
  };
  const { big, small } = mapsOf(layer, input.tensor, tensor);
  return {
    output: { tensor, kept: false, density: 1, gradient: true, fuseRelu },
    requireBorders: () => {
      big.require(bigBorder(layer));
      small.require(smallBorder(layer));
    },
    allocate: ({ arena, images }) => tensor.allocate(arena, images),
    plan: (memory) => new CorrelationPass(layer, input, tensor, fusedRelu, memory),
  };
}

function mapsOf(layer: CorrelationLayer, input: Tensor, output: Tensor): { big: Tensor; small: Tensor } {
  return layer.type === 'conv2dTranspose' ? { big: output, small: input } : { big: input, small: output };
}

/**
 * Which passes a layer goes by: `forward` and `backward` are empty where the dense pass does it, or nobody
 * asks for it.
 */
interface Passes {
  readonly forward: readonly GatherPass[];
  readonly backward: readonly GatherPass[];
  readonly dense: DensePass | undefined;
  readonly denseForward: boolean;
  readonly denseBackward: boolean;
}

class CorrelationPass implements LayerPass {
  readonly gathers: readonly GatherPass[];
  readonly weighted: readonly OwnedLayer[];
  readonly #layer: CorrelationLayer;
  readonly #input: Tensor;
  readonly #output: Tensor;
  /** The ReLU that follows is done in the epilogue. */
  readonly #fusedRelu: boolean;
  readonly #passes: Passes;
  readonly #memory: PassMemory;

  constructor(layer: CorrelationLayer, input: Flow, output: Tensor, fusedRelu: boolean, memory: PassMemory) {
    this.#layer = layer;
    this.#input = input.tensor;
    this.#output = output;
    this.#fusedRelu = fusedRelu;
    this.#memory = memory;
    this.#passes = planPasses(layer, input, output, memory);
    this.gathers = [...this.#passes.forward, ...this.#passes.backward];
    this.weighted = [{ layer, input: input.tensor, output, density: input.density }];
  }

  forward(kernels: MicroKernels, images: number): void {
    const { parameters, dense: scratch } = this.#memory;
    const { denseForward: isDense, dense, forward } = this.#passes;
    const bias = plus(parameters, this.#layer.bias.offset * FLOAT);
    if (isDense) denseForward(kernels, dense!, scratch!, images, bias, this.#fusedRelu);
    for (const pass of forward) {
      gather(kernels, pass, this.#input.activation, this.#output.activation, images, bias, this.#fusedRelu);
    }
  }

  backward(kernels: MicroKernels, images: number, sums: GradientSums | undefined): void {
    if (sums) this.#parameterGradients(kernels, images, sums);
    const { zeros, dense: scratch } = this.#memory;
    const { denseBackward, dense, backward } = this.#passes;
    if (denseBackward) denseInputGradient(kernels, dense!, scratch!, images, zeros);
    for (const pass of backward) {
      gather(kernels, pass, this.#output.gradient, this.#input.gradient, images, zeros, false);
    }
  }

  #parameterGradients(kernels: MicroKernels, images: number, { gradient, accumulate }: GradientSums): void {
    const [layer, input, output] = [this.#layer, this.#input, this.#output];
    const biasGradient = plus(gradient, layer.bias.offset * FLOAT);
    const pixels = output.span(images) / output.channels;
    kernels.kernels.columnSums(output.gradient, pixels, output.channels, biasGradient, accumulate ? 1 : 0);
    const transposed = layer.type === 'conv2dTranspose';
    const addresses = {
      big: transposed ? output.gradient : input.activation,
      small: transposed ? input.activation : output.gradient,
      gradient: plus(gradient, layer.weights.offset * FLOAT),
    };
    const maps = mapsOf(layer, input, output);
    addFilterGradient(kernels, layer, maps, addresses, images, accumulate, this.#memory.zeros);
  }
}

function planPasses(layer: CorrelationLayer, input: Flow, output: Tensor, memory: PassMemory): Passes {
  const { arena, packedArena, parameters, images, panelWidth, dense: scratch } = memory;
  const { tensor, gradient: inputGradient } = input;
  const transposed = layer.type === 'conv2dTranspose';
  const weights = plus(parameters, layer.weights.offset * FLOAT);
  const maps = mapsOf(layer, tensor, output);
  const plan: GatherPlan = { arena, packedArena, panelWidth, layer, images, weights, ...maps };
  // Few columns are dot products in both ways of a step, so that these have the same bits.
  const denseForward = scratch !== undefined && !isDot(layer.small[2]);
  const denseBackward = scratch !== undefined && inputGradient && !isDot(layer.big[2]);
  const data = !inputGradient;
  const dense =
    denseForward || denseBackward
      ? planDense({ arena, layer, input: tensor, output, weights, panelWidth, images, scratch, data })
      : undefined;
  const up = () => planUp(plan);
  const down = () => [planDown(plan)];
  return {
    dense,
    denseForward,
    denseBackward,
    forward: denseForward ? [] : transposed ? up() : down(),
    backward: denseBackward || !inputGradient ? [] : transposed ? down() : up(),
  };
}
