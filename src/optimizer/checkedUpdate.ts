import { type Address, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Slice, SliceUpdate } from './optimizer.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Floats that are updated before they are looked at: with the optimizer's state they stay in the first cache. */
const PIECE = 2048;

/**
 * An optimizer that looks at what it has written, while that is still in the cache. A gradient that is NaN or
 * infinite leaves its mark there, and so does an update that overflows.
 */
export class CheckedUpdate implements SliceUpdate {
  readonly #kernels: Kernels;
  readonly #optimizer: SliceUpdate;
  #finite = true;

  constructor(kernels: Kernels, optimizer: SliceUpdate) {
    this.#kernels = kernels;
    this.#optimizer = optimizer;
  }

  /** Whether all that has been written since `begin` is finite. */
  get isFinite(): boolean {
    return this.#finite;
  }

  begin(update: number, learningRate: number, scale: number): void {
    this.#finite = true;
    this.#optimizer.begin(update, learningRate, scale);
  }

  apply(slice: Slice, offset: number, gradient: Address, count: number): void {
    this.#optimizer.apply(slice, offset, gradient, count);
    this.#look(slice, offset, count);
  }

  applySum(slice: Slice, offset: number, slots: Address, pitch: number, shards: number, count: number): void {
    for (let first = 0; first < count; first += PIECE) {
      const floats = Math.min(PIECE, count - first);
      const bytes = first * FLOAT;
      this.#optimizer.applySum(slice, offset + bytes, plus(slots, bytes), pitch, shards, floats);
      this.#look(slice, offset + bytes, floats);
    }
  }

  #look({ parameters, state }: Slice, offset: number, count: number): void {
    const { allFinite } = this.#kernels;
    let finite = allFinite(plus(parameters, offset), count) !== 0;
    for (const tensor of state) finite = allFinite(plus(tensor, offset), count) !== 0 && finite;
    if (!finite) this.#finite = false;
  }
}
