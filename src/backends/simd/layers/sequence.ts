import type { GatherPass } from '../../../products/gather.js';
import type { MicroKernels } from '../../../products/microKernels.js';
import type { GradientSums, LayerPass, OwnedLayer } from './link.js';

/** Passes one behind the other. */
export class Sequence implements LayerPass {
  readonly gathers: readonly GatherPass[];
  readonly weighted: readonly OwnedLayer[];
  readonly #passes: readonly LayerPass[];

  constructor(passes: readonly LayerPass[]) {
    this.#passes = passes;
    this.gathers = passes.flatMap((pass) => pass.gathers ?? []);
    this.weighted = passes.flatMap((pass) => pass.weighted ?? []);
  }

  forward(kernels: MicroKernels, images: number): void {
    for (const pass of this.#passes) pass.forward(kernels, images);
  }

  backward(kernels: MicroKernels, images: number, sums: GradientSums | undefined): void {
    for (let i = this.#passes.length - 1; i >= 0; i--) this.#passes[i]!.backward(kernels, images, sums);
  }
}
