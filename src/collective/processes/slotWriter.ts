import { type Address, plus } from '../../kernels/address.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { Slice, SliceUpdate } from '../../optimizer/optimizer.js';

/**
 * An optimizer that updates nothing and leaves the gradient in a slot, where the sum over all shards is made
 * later.
 */
export class SlotWriter implements SliceUpdate {
  readonly #kernels: Pick<Kernels, 'copyFloats'>;
  readonly #slot: Address;

  constructor(kernels: Pick<Kernels, 'copyFloats'>, slot: Address) {
    this.#kernels = kernels;
    this.#slot = slot;
  }

  begin(): void {}

  apply(_: Slice, offset: number, gradient: Address, count: number): boolean {
    this.#kernels.copyFloats(gradient, plus(this.#slot, offset), count);
    return true;
  }

  applySum(): boolean {
    throw new Error('A slot is written with a gradient that is a sum already.');
  }
}
