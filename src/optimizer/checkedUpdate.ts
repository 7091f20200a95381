import { type Address, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Choice } from '../model/hyperparameter.js';
import type { Slice, SliceUpdate } from './optimizer.js';
import { type OptimizerName, optimizerOf } from './registry.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Floats that are updated before they are looked at: with the state they stay in the first cache. */
const PIECE = 2048;

/**
 * An optimizer that looks at what it has written, while that is still in the cache. A gradient that is NaN or
 * infinite leaves its mark there, and so does an update that overflows.
 */
export class CheckedUpdate implements SliceUpdate {
  readonly #kernels: Kernels;
  readonly #optimizer: SliceUpdate;
  /** Places of the state tensors that are looked at. */
  readonly #marks: readonly number[];
  #finite = true;

  constructor(kernels: Kernels, { name, values }: Choice<OptimizerName>) {
    const { state, marks, create } = optimizerOf({ name, values });
    this.#kernels = kernels;
    this.#optimizer = create(kernels, values);
    this.#marks = state(values).flatMap((tensor, i) => (marks.includes(tensor) ? [i] : []));
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
    for (const mark of this.#marks) {
      finite = allFinite(plus(state[mark]!, offset), count) !== 0 && finite;
    }
    if (!finite) this.#finite = false;
  }
}
