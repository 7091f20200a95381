import { type Address, plus } from '../../kernels/address.js';
import type { Arena } from '../../kernels/arena.js';
import { WIDEST_PANEL } from '../../kernels/tiles/tile.js';
import { DATA_DENSITY, RELU_DENSITY } from '../../kernels/tuning.js';
import type { CorrelationLayer, Layer, Shape } from '../../model/model.js';
import {
  type DensePass,
  type DenseScratch,
  denseForward,
  denseInputGradient,
  planDense,
  planDenseScratch,
} from '../../products/densePasses.js';
import { addFilterGradient } from '../../products/filter.js';
import {
  bigBorder,
  type GatherPass,
  type GatherPlan,
  gather,
  isDot,
  planDown,
  planUp,
  smallBorder,
} from '../../products/gather.js';
import type { MicroKernels } from '../../products/microKernels.js';
import { Tensor } from '../../products/tensor.js';
import { planReshape, type Reshape, reshape } from './reshape.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

type Step = CorrelationStep | ActivationStep | ReshapeStep;

interface CorrelationStep {
  readonly kind: 'correlation';
  readonly layer: CorrelationLayer;
  readonly input: Tensor;
  readonly output: Tensor;
  /** As in OwnedLayer. */
  readonly density: number;
  /** By the dense pass instead, or, empty, where nobody asks for the gradient of the network's input. */
  readonly forward: readonly GatherPass[];
  readonly backward: readonly GatherPass[];
  readonly dense: DensePass | undefined;
  readonly denseForward: boolean;
  readonly denseBackward: boolean;
  /** The ReLU that follows is done in the epilogue. */
  readonly fusedRelu: boolean;
}

/** In place. */
interface ActivationStep {
  readonly kind: 'activation';
  readonly activation: 'relu' | 'tanh';
  readonly tensor: Tensor;
  readonly fused: boolean;
}

interface ReshapeStep {
  readonly kind: 'reshape';
  readonly input: Tensor;
  readonly output: Tensor;
  /** Absent where the two share their memory. */
  readonly copy: { readonly forward: Reshape; readonly backward: Reshape } | undefined;
}

export interface NetworkPlan {
  readonly arena: Arena;
  readonly packedArena: Arena;
  /** Address of the flat parameter buffer. */
  readonly parameters: Address;
  readonly layers: readonly Layer[];
  readonly inputShape: Shape;
  /** Most images at a time. */
  readonly images: number;
  readonly inputGradient: boolean;
  /** Of the tile that the kernels will be used with. */
  readonly panelWidth: 8 | 16;
  /** Leaves the parameters' gradients to their owners (ownerUpdate.ts): all layers with weights are dense. */
  readonly owned: boolean;
}

/** Where parameter gradients go. */
export interface GradientSums {
  /** Address, in the parameters' layout. */
  readonly gradient: Address;
  /** Whether to go on from what stands there. */
  readonly accumulate: boolean;
}

/** A layer whose gradient its owners compute: from the input's activation and the output's gradient. */
export interface OwnedLayer {
  readonly layer: CorrelationLayer;
  readonly input: Tensor;
  readonly output: Tensor;
  /** Share of the input that may be expected not to be zero: 1 unless it is data, or what a ReLU has left. */
  readonly density: number;
}

/**
 * The encoder or the decoder with its memory and its passes planned: forward and backward over up to `images`
 * examples at a time, without allocation. The input and the output are vectors without borders.
 */
export class Network {
  readonly input: Tensor;
  readonly output: Tensor;
  readonly passes: readonly GatherPass[];
  readonly #steps: readonly Step[];
  readonly #parameters: Address;
  /** Address of as many zeros as a pass has columns: what a sum without a bias starts from. */
  readonly #zeros: Address;
  readonly #scratch: DenseScratch | undefined;

  constructor(plan: NetworkPlan) {
    const chain = buildChain(plan.layers, plan.inputShape);
    for (const link of chain.links) requireBorders(link);
    const tensors = allocate(chain, plan);
    this.#parameters = plan.parameters;
    this.#scratch = plan.owned ? denseScratch(plan) : undefined;
    this.#steps = planSteps(chain.links, plan, this.#scratch);
    this.input = tensors.input;
    this.output = tensors.output;
    this.passes = this.#steps.flatMap((step) =>
      step.kind === 'correlation' ? [...step.forward, ...step.backward] : [],
    );
    const columns = Math.max(0, ...this.passes.map((pass) => pass.columns), plan.owned ? plan.images : 0);
    this.#zeros = plan.arena.floats(Math.ceil(columns / WIDEST_PANEL) * WIDEST_PANEL);
  }

  /** Layers with weights. */
  get weighted(): OwnedLayer[] {
    return this.#steps.filter((step) => step.kind === 'correlation');
  }

  /** `input.activation` → `output.activation` for the first `images` examples. */
  forward(kernels: MicroKernels, images: number): void {
    for (const step of this.#steps) {
      switch (step.kind) {
        case 'correlation':
          this.#correlationForward(kernels, step, images);
          break;
        case 'activation':
          activationForward(kernels, step, images);
          break;
        case 'reshape':
          if (step.copy) {
            reshape(
              kernels.kernels,
              step.copy.forward,
              step.input.activation,
              step.output.activation,
              images,
            );
          }
      }
    }
  }

  #correlationForward(kernels: MicroKernels, step: CorrelationStep, images: number): void {
    const bias = plus(this.#parameters, step.layer.bias.offset * FLOAT);
    const { input, output, dense, fusedRelu } = step;
    if (step.denseForward) denseForward(kernels, dense!, this.#scratch!, images, bias, fusedRelu);
    for (const pass of step.forward) {
      gather(kernels, pass, input.activation, output.activation, images, bias, fusedRelu);
    }
  }

  #inputGradient(kernels: MicroKernels, step: CorrelationStep, images: number): void {
    const { input, output, dense } = step;
    if (step.denseBackward) denseInputGradient(kernels, dense!, this.#scratch!, images, this.#zeros);
    for (const pass of step.backward) {
      gather(kernels, pass, output.gradient, input.gradient, images, this.#zeros, false);
    }
  }

  /**
   * `output.gradient` → parameter gradients, unless their owners compute them (`sums` is not given), and `input.gradient` where
   * the plan asked for it.
   */
  backward(kernels: MicroKernels, images: number, sums: GradientSums | undefined): void {
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const step = this.#steps[i]!;
      switch (step.kind) {
        case 'correlation':
          if (sums) parameterGradients(kernels, step, images, sums, this.#zeros);
          this.#inputGradient(kernels, step, images);
          break;
        case 'activation':
          activationBackward(kernels, step, images);
          break;
        case 'reshape':
          if (step.copy) {
            reshape(kernels.kernels, step.copy.backward, step.output.gradient, step.input.gradient, images);
          }
      }
    }
  }
}

function denseScratch({ arena, layers, images, panelWidth, inputGradient }: NetworkPlan): DenseScratch {
  const weighted = layers.filter((layer) => layer.kind === 'correlation');
  const dataInputs = inputGradient ? 0 : weighted[0]!.big[2];
  return planDenseScratch({ arena, layers: weighted, images, panelWidth, dataInputs });
}

function parameterGradients(
  kernels: MicroKernels,
  { layer, input, output }: CorrelationStep,
  images: number,
  { gradient, accumulate }: GradientSums,
  zeros: Address,
): void {
  const biasGradient = plus(gradient, layer.bias.offset * FLOAT);
  const pixels = output.span(images) / output.channels;
  kernels.kernels.columnSums(output.gradient, pixels, output.channels, biasGradient, accumulate ? 1 : 0);
  const transposed = layer.type === 'conv2dTranspose';
  const maps = transposed ? { big: output, small: input } : { big: input, small: output };
  const addresses = {
    big: transposed ? output.gradient : input.activation,
    small: transposed ? input.activation : output.gradient,
    gradient: plus(gradient, layer.weights.offset * FLOAT),
  };
  addFilterGradient(kernels, layer, maps, addresses, images, accumulate, zeros);
}

function activationForward(kernels: MicroKernels, step: ActivationStep, images: number): void {
  if (step.fused) return;
  const count = step.tensor.span(images);
  if (step.activation === 'relu') kernels.kernels.reluForward(step.tensor.activation, count);
  else kernels.kernels.tanhForward(step.tensor.activation, count);
}

function activationBackward(
  kernels: MicroKernels,
  { activation, tensor }: ActivationStep,
  images: number,
): void {
  const count = tensor.span(images);
  if (activation === 'relu') kernels.kernels.reluBackward(tensor.activation, tensor.gradient, count);
  else kernels.kernels.tanhBackward(tensor.activation, tensor.gradient, count);
}

/** A layer between its two tensors, before memory is placed. */
interface Link {
  readonly layer: Layer | 'flatten';
  readonly input: Tensor;
  readonly output: Tensor;
  /** A reshape that must not share its memory: the next layer overwrites in place what another still needs. */
  readonly separate: boolean;
}

interface Chain {
  readonly links: readonly Link[];
}

function buildChain(layers: readonly Layer[], inputShape: Shape): Chain {
  const links: Link[] = [];
  const size = inputShape.reduce((product, n) => product * n, 1);
  // Both ends are flat, so that examples, z, logits and their gradients are plain matrices to the outside.
  let current = new Tensor([1, 1, size]);
  const append = (layer: Link['layer'], output: Tensor, separate = false) => {
    links.push({ layer, input: current, output, separate });
    current = output;
  };
  append('flatten', Tensor.of(inputShape));
  for (const layer of layers) {
    if (layer.kind === 'activation') {
      // In place, unless there is nothing of our own to overwrite: the input itself, or another activation's
      // output, which that activation's gradient needs.
      const previous = links[links.length - 1]!.layer;
      const overwrites = previous === 'flatten' || previous.kind === 'activation';
      if (overwrites) append('flatten', new Tensor(current.shape), true);
      append(layer, current);
    } else {
      append(layer, Tensor.of(layer.output));
    }
  }
  append('flatten', new Tensor([1, 1, current.size]));
  return { links };
}

function requireBorders({ layer, input, output }: Link): void {
  if (layer === 'flatten' || layer.kind !== 'correlation') return;
  const transposed = layer.type === 'conv2dTranspose';
  const big = transposed ? output : input;
  const small = transposed ? input : output;
  big.require(bigBorder(layer));
  small.require(smallBorder(layer));
}

function allocate({ links }: Chain, { arena, images }: NetworkPlan): { input: Tensor; output: Tensor } {
  const input = links[0]!.input;
  input.allocate(arena, images);
  for (const link of links) {
    if (link.output === link.input) continue;
    if (sharesMemory(link)) link.output.alias(link.input);
    else link.output.allocate(arena, images);
  }
  return { input, output: links[links.length - 1]!.output };
}

function isReshape(layer: Link['layer']): boolean {
  return layer === 'flatten' || layer.kind === 'reshape';
}

function isRelu(layer: Link['layer'] | undefined): boolean {
  return typeof layer === 'object' && layer.kind === 'activation' && layer.activation === 'relu';
}

function sharesMemory({ layer, input, output, separate }: Link): boolean {
  return isReshape(layer) && !separate && !input.bordered && !output.bordered;
}

function planSteps(links: readonly Link[], plan: NetworkPlan, scratch: DenseScratch | undefined): Step[] {
  // The input's gradient flows through the first steps only if somebody asks for it.
  const firstWeighted = links.findIndex(({ layer }) => layer !== 'flatten' && layer.kind === 'correlation');
  return links.map((link, i): Step => {
    const { layer, input, output } = link;
    if (layer === 'flatten' || layer.kind === 'reshape') return planReshapeStep(link, plan.arena);
    if (layer.kind === 'activation') {
      const producer = links[i - 1]!.layer;
      const fused = producer !== 'flatten' && producer.kind === 'correlation' && layer.activation === 'relu';
      return { kind: 'activation', activation: layer.activation, tensor: output, fused };
    }
    const inputGradient = plan.inputGradient || i > firstWeighted;
    return {
      kind: 'correlation',
      layer,
      input,
      output,
      density: inputGradient ? (followsRelu(links, i) ? RELU_DENSITY : 1) : DATA_DENSITY,
      fusedRelu: isRelu(links[i + 1]?.layer),
      ...planPasses(layer, input, output, plan, scratch, inputGradient),
    };
  });
}

function followsRelu(links: readonly Link[], index: number): boolean {
  return isRelu(links.slice(0, index).findLast(({ layer }) => !isReshape(layer))?.layer);
}

function planReshapeStep(link: Link, arena: Arena): ReshapeStep {
  const { input, output } = link;
  const copy = sharesMemory(link)
    ? undefined
    : { forward: planReshape(arena, input, output), backward: planReshape(arena, output, input) };
  return { kind: 'reshape', input, output, copy };
}

function planPasses(
  layer: CorrelationLayer,
  input: Tensor,
  output: Tensor,
  { arena, packedArena, parameters, images, panelWidth }: NetworkPlan,
  scratch: DenseScratch | undefined,
  inputGradient: boolean,
): Pick<CorrelationStep, 'forward' | 'backward' | 'dense' | 'denseForward' | 'denseBackward'> {
  const transposed = layer.type === 'conv2dTranspose';
  const weights = plus(parameters, layer.weights.offset * FLOAT);
  const plan: GatherPlan = {
    arena,
    packedArena,
    panelWidth,
    layer,
    images,
    weights,
    big: transposed ? output : input,
    small: transposed ? input : output,
  };
  // Few columns are dot products in both ways of a step, so that these have the same bits.
  const denseForward = scratch !== undefined && !isDot(layer.small[2]);
  const denseBackward = scratch !== undefined && inputGradient && !isDot(layer.big[2]);
  const dense =
    denseForward || denseBackward
      ? planDense({ arena, layer, input, output, weights, panelWidth, images, scratch, data: !inputGradient })
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
