import { sliceUnits } from '../collective/parameterSlices.js';
import type { Address } from '../kernels/address.js';

/** Bytes of the squared norms of the units of so many parameters. */
export function squaredNormsBytes(parameters: number): number {
  return sliceUnits(parameters) * Float64Array.BYTES_PER_ELEMENT;
}

/** The squared norms of the units of a gradient, [units] float64: each rank writes those of its slice. */
export class SquaredNorms {
  readonly #norms: Float64Array;

  constructor(buffer: ArrayBufferLike, address: Address, parameters: number) {
    this.#norms = new Float64Array(buffer, address, sliceUnits(parameters));
  }

  /** The norm of the whole gradient: squares are added in the order of the units. */
  norm(): number {
    let sum = 0;
    for (const square of this.#norms) sum += square;
    return Math.sqrt(sum);
  }
}
