import { type Address, NONE } from '../../kernels/address.js';
import type { Arena } from '../../kernels/arena.js';
import { WIDEST_PANEL } from '../../kernels/tiles/tile.js';
import { DATA_DENSITY } from '../../kernels/tuning.js';
import { weightedLayers } from '../../model/layers/kinds.js';
import { sizeOf } from '../../model/layout.js';
import type { Layer, Shape } from '../../model/model.js';
import { type DenseScratch, planDenseScratch } from '../../products/densePasses.js';
import type { GatherPass } from '../../products/gather.js';
import type { MicroKernels } from '../../products/microKernels.js';
import { Tensor } from '../../products/tensor.js';
import { copyTo } from './layers/copy.js';
import type { Flow, GradientSums, Link, OwnedLayer, PassMemory } from './layers/link.js';
import { connectLayers } from './layers/registry.js';
import { Sequence } from './layers/sequence.js';

export type { GradientSums, OwnedLayer } from './layers/link.js';

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
  /** The panel width of the tile that the kernels will be used with. */
  readonly panelWidth: 8 | 16;
  /** Leaves the parameters' gradients to their owners (ownerUpdate.ts): all layers with weights are dense. */
  readonly owned: boolean;
}

/**
 * The encoder or the decoder with its memory and its passes planned: forward and backward over up to `images`
 * examples at a time, without allocation. The input and the output are vectors without borders.
 */
export class Network {
  readonly input: Tensor;
  readonly output: Tensor;
  readonly passes: readonly GatherPass[];
  readonly #sequence: Sequence;

  constructor(plan: NetworkPlan) {
    // Both ends are flat, so that examples, z, logits and their gradients are plain matrices to the outside.
    this.input = new Tensor([1, 1, sizeOf(plan.inputShape)]);
    const links = connectFlat(plan, this.input);
    this.output = links.at(-1)!.output.tensor;
    for (const link of links) link.requireBorders?.();
    this.input.allocate(plan.arena, plan.images);
    for (const link of links) link.allocate(plan);
    const memory: PassMemory = { ...plan, dense: plan.owned ? denseScratch(plan) : undefined, zeros: NONE };
    this.#sequence = new Sequence(links.map((link) => link.plan(memory)));
    this.passes = this.#sequence.gathers;
    const columns = Math.max(0, ...this.passes.map((pass) => pass.columns), plan.owned ? plan.images : 0);
    memory.zeros = plan.arena.floats(Math.ceil(columns / WIDEST_PANEL) * WIDEST_PANEL);
  }

  /** Layers with weights. */
  get weighted(): readonly OwnedLayer[] {
    return this.#sequence.weighted;
  }

  /** `input.activation` → `output.activation` for the first `images` examples. */
  forward(kernels: MicroKernels, images: number): void {
    this.#sequence.forward(kernels, images);
  }

  /**
   * `output.gradient` → parameter gradients, unless their owners compute them (`sums` is not given), and
   * `input.gradient` where the plan asked for it.
   */
  backward(kernels: MicroKernels, images: number, sums: GradientSums | undefined): void {
    this.#sequence.backward(kernels, images, sums);
  }
}

/** The layers between two copies, which cost nothing where the first and the last map have no border. */
function connectFlat({ layers, inputShape, inputGradient }: NetworkPlan, tensor: Tensor): Link[] {
  const flow: Flow = {
    tensor,
    // The outside may read it, z for instance.
    kept: true,
    density: inputGradient ? 1 : DATA_DENSITY,
    gradient: inputGradient,
  };
  const first = copyTo(Tensor.of(inputShape), flow);
  const links = [first, ...connectLayers(layers, first.output)];
  const last = links.at(-1)!.output;
  return [...links, copyTo(new Tensor([1, 1, last.tensor.size]), last)];
}

function denseScratch({ arena, layers, images, panelWidth, inputGradient }: NetworkPlan): DenseScratch {
  const weighted = weightedLayers(layers);
  const dataInputs = inputGradient ? 0 : weighted[0]!.big[2];
  return planDenseScratch({ arena, layers: weighted, images, panelWidth, dataInputs });
}
