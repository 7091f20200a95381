import type { Address } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Slice, SliceUpdate } from './optimizer.js';
import { createUpdate, type UpdateRule } from './updateRule.js';

/** An update that remembers whether all of an update was finite. */
export class CheckedUpdate implements SliceUpdate {
  readonly #optimizer: SliceUpdate;
  #finite = true;

  constructor(kernels: Kernels, rule: UpdateRule) {
    this.#optimizer = createUpdate(kernels, rule);
  }

  /** Whether all that has been written since `begin` is finite. */
  get isFinite(): boolean {
    return this.#finite;
  }

  begin(update: number, learningRate: number, scale: number): void {
    this.#finite = true;
    this.#optimizer.begin(update, learningRate, scale);
  }

  apply(slice: Slice, offset: number, gradient: Address, count: number): boolean {
    return this.#note(this.#optimizer.apply(slice, offset, gradient, count));
  }

  applySum(
    slice: Slice,
    offset: number,
    slots: Address,
    pitch: number,
    shards: number,
    count: number,
  ): boolean {
    return this.#note(this.#optimizer.applySum(slice, offset, slots, pitch, shards, count));
  }

  #note(finite: boolean): boolean {
    if (!finite) this.#finite = false;
    return finite;
  }
}
