// A layer between its two tensors: first where they are, then what is done between them.
import type { Address } from '../../../kernels/address.js';
import type { Arena } from '../../../kernels/arena.js';
import type { CorrelationLayer, Layer } from '../../../model/model.js';
import type { DenseScratch } from '../../../products/densePasses.js';
import type { GatherPass } from '../../../products/gather.js';
import type { MicroKernels } from '../../../products/microKernels.js';
import type { Tensor } from '../../../products/tensor.js';

/** What stands between two layers. */
export interface Flow {
  readonly tensor: Tensor;
  /** Somebody reads it later: who comes next may not overwrite it. */
  readonly kept: boolean;
  /** Share of it that may be expected not to be zero: 1 unless it is data, or what a ReLU has left. */
  readonly density: number;
  /** Whether anybody asks for its gradient. */
  readonly gradient: boolean;
  /** Behind a GEMM, which can apply ReLU on its way to memory: asks it to. */
  readonly fuseRelu?: () => void;
}

/** Memory that tensors are placed in. */
export interface TensorMemory {
  readonly arena: Arena;
  /** Most images at a time. */
  readonly images: number;
}

/** All that passes are planned with. Tensors are in their places. */
export interface PassMemory extends TensorMemory {
  readonly packedArena: Arena;
  /** Address of the flat parameter buffer. */
  readonly parameters: Address;
  /** The panel width of the tile that the kernels will be used with. */
  readonly panelWidth: 8 | 16;
  /** Room for dense layers whose weights are read where they stand, as in owner-computes steps. */
  readonly dense: DenseScratch | undefined;
  /**
   * Address of as many zeros as a pass has columns, what a sum without a bias starts from: known once all
   * passes are planned.
   */
  zeros: Address;
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
  /** As in Flow. */
  readonly density: number;
}

/** Forward and backward over the first `images` images, without allocation. */
export interface LayerPass {
  /** Whose weights are packed; default none. */
  readonly gathers?: readonly GatherPass[];
  /** Default none. */
  readonly weighted?: readonly OwnedLayer[];
  forward(kernels: MicroKernels, images: number): void;
  /** @param sums absent where owners compute the parameters' gradients. */
  backward(kernels: MicroKernels, images: number, sums: GradientSums | undefined): void;
}

/** Called in the order of its methods, each for all links of a network before the next. */
export interface Link {
  readonly output: Flow;
  /** Tells its tensors what borders it needs around them. */
  requireBorders?(): void;
  /** Places its output, and what it needs besides, behind what is already there. */
  allocate(memory: TensorMemory): void;
  plan(memory: PassMemory): LayerPass;
}

/** Makes the links of layers one behind the other. */
export type Connect = (layers: readonly Layer[], input: Flow) => Link[];

/** What the simd backend does with one kind of layer. */
export interface LayerKind<L extends Layer> {
  /** @param inside connects layers that are inside of this one. */
  connect(layer: L, input: Flow, inside: Connect): Link[];
  /** Floats that it adds to an example's activations. */
  floats(layer: L): number;
}
