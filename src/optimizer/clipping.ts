// Clipping of the gradient by its global norm (Pascanu, Mikolov and Bengio 2013, algorithm 1).
import { type Address, NONE, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Slice, SliceUpdate } from './optimizer.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Where squared norms go, and of what. */
export interface NormPlaces {
  /** [units] float64, one for each unit of the parameters. */
  readonly norms: Address;
  /** Floats of a unit: slices begin at multiples of it. */
  readonly unit: number;
  /** Parameters of the model: behind them, slices may have padding. */
  readonly parameters: number;
}

/**
 * In place of an optimizer: leaves the sum of a slice's gradients in the first slot, and the squared norm of
 * each unit of it. The update by the sum follows when the norms of all slices are known.
 */
export class MeasuredGradient implements SliceUpdate {
  readonly #kernels: Pick<Kernels, 'treeReduce' | 'squaredNorms'>;
  readonly #places: NormPlaces;
  #slice: Slice = { parameters: NONE, state: [] };
  #offset = 0;
  #sum: Address = NONE;
  #count = 0;

  constructor(kernels: Pick<Kernels, 'treeReduce' | 'squaredNorms'>, places: NormPlaces) {
    this.#kernels = kernels;
    this.#places = places;
  }

  begin(): void {}

  apply(): boolean {
    throw new Error('What is measured is a sum in slots.');
  }

  applySum(
    slice: Slice,
    offset: number,
    slots: Address,
    pitch: number,
    shards: number,
    count: number,
  ): boolean {
    const { norms, unit, parameters } = this.#places;
    this.#kernels.treeReduce(slots, pitch, shards, count);
    const first = offset / FLOAT;
    const measured = Math.min(count, parameters - first);
    this.#kernels.squaredNorms(slots, measured, unit, plus(norms, (first / unit) * DOUBLE));
    this.#slice = slice;
    this.#offset = offset;
    this.#sum = slots;
    this.#count = count;
    return true;
  }

  /** Updates the slice by the sum that was measured, as the optimizer's `begin` has set. */
  update(optimizer: SliceUpdate): void {
    optimizer.applySum(this.#slice, this.#offset, this.#sum, 0, 1, this.#count);
  }
}

/**
 * What a gradient is multiplied by: clipNorm / norm where its norm is above clipNorm, else 1. A norm that is
 * NaN or infinite clips nothing, so that the update is not finite either, and is refused.
 */
export function clippingFactor(norm: number, clipNorm: number): number {
  return Number.isFinite(norm) && norm > clipNorm ? clipNorm / norm : 1;
}
