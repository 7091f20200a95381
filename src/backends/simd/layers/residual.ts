// A residual block: its input, and added to it what its layers make of it.
import { sizeOf } from '../../../model/layout.js';
import type { ResidualLayer } from '../../../model/model.js';
import type { MicroKernels } from '../../../products/microKernels.js';
import { Tensor } from '../../../products/tensor.js';
import { planReshape, type Reshape, reshape } from '../reshape.js';
import type { Connect, Flow, GradientSums, LayerKind, LayerPass, Link, PassMemory } from './link.js';
import { Sequence } from './sequence.js';

export const residual: LayerKind<ResidualLayer> = {
  connect: (layer, input, inside) => [residualLink(layer, input, inside)],
  // The sum, and the branch's gradient of the input. The layers inside are counted by themselves.
  floats: ({ output }) => 2 * sizeOf(output),
};

/** Tensors of one shape. All but `end` have one border, so that one addition passes over all images. */
interface Block {
  readonly input: Tensor;
  /** Where the branch begins: the input's activation, with a gradient of its own. */
  readonly start: Tensor;
  /** Where it ends. */
  readonly end: Tensor;
  readonly sum: Tensor;
  /** Whether anybody asks for the gradients of the input and of the branch's end. */
  readonly inputGradient: boolean;
  readonly branchGradient: boolean;
}

function residualLink(layer: ResidualLayer, input: Flow, inside: Connect): Link {
  const x = input.tensor;
  const [start, sum] = [new Tensor(x.shape, x.border), new Tensor(x.shape, x.border)];
  // Kept, as the sum still needs it.
  const branch = inside(layer.layers, { ...withoutFusion(input), tensor: start, kept: true });
  const { tensor: end, gradient: branchGradient } = branch.at(-1)!.output;
  const block: Block = { input: x, start, end, sum, inputGradient: input.gradient, branchGradient };
  return {
    output: { tensor: sum, kept: false, density: 1, gradient: branchGradient },
    requireBorders: () => {
      for (const link of branch) link.requireBorders?.();
    },
    allocate: (memory) => {
      start.shareActivation(x, memory.arena, memory.images);
      for (const link of branch) link.allocate(memory);
      sum.allocate(memory.arena, memory.images);
    },
    plan: (memory) => new ResidualPass(block, new Sequence(branch.map((link) => link.plan(memory))), memory),
  };
}

/**
 * What a layer before the block has computed is read by the sum, too: nothing in the branch may change it.
 */
function withoutFusion({ density, gradient }: Flow): Pick<Flow, 'density' | 'gradient'> {
  return { density, gradient };
}

class ResidualPass implements LayerPass {
  readonly gathers;
  readonly weighted;
  readonly #block: Block;
  readonly #branch: Sequence;
  /** Between the branch's end and the sum. */
  readonly #there: Reshape;
  readonly #back: Reshape;

  constructor(block: Block, branch: Sequence, { arena }: PassMemory) {
    this.#block = block;
    this.#branch = branch;
    this.#there = planReshape(arena, block.end, block.sum);
    this.#back = planReshape(arena, block.sum, block.end);
    this.gathers = branch.gathers;
    this.weighted = branch.weighted;
  }

  forward(kernels: MicroKernels, images: number): void {
    const { input, end, sum } = this.#block;
    this.#branch.forward(kernels, images);
    const count = sum.span(images);
    if (sameStrides(end, sum)) {
      kernels.kernels.addFloats(input.activation, end.activation, sum.activation, count);
    } else {
      reshape(kernels.kernels, this.#there, end.activation, sum.activation, images);
      kernels.kernels.addFloats(input.activation, sum.activation, sum.activation, count);
    }
  }

  /**
   * The sum's gradient is that of the branch's end, which the branch overwrites, and of the input, where the
   * branch's is added.
   */
  backward(kernels: MicroKernels, images: number, sums: GradientSums | undefined): void {
    const { input, start, end, sum, inputGradient, branchGradient } = this.#block;
    if (branchGradient) {
      reshape(kernels.kernels, this.#back, sum.gradient, end.gradient, images);
      this.#branch.backward(kernels, images, sums);
    }
    if (inputGradient) {
      kernels.kernels.addFloats(sum.gradient, start.gradient, input.gradient, sum.span(images));
    }
  }
}

function sameStrides(a: Tensor, b: Tensor): boolean {
  return a.rowStride === b.rowStride && a.imageStride === b.imageStride;
}
