import type { Address } from '../kernels/address.js';
import { Arena } from '../kernels/arena.js';
import { bindKernels, type Kernels } from '../kernels/kernels.js';
import type { RandomKey } from '../kernels/stream.js';
import { sharedMemory, type WasmModule } from '../kernels/webAssembly.js';
import type { RandomRows } from '../sampling/randomRows.js';

const PAGE = 65536;

/** Where the kernels write a row before it is copied out. */
interface Room {
  readonly kernels: Kernels;
  readonly scratch: Address;
  readonly row: Address;
  readonly values: Float32Array;
}

/** Rows of the kernels' counter-based generator, in a memory of its own that grows with the longest row. */
export class KernelRandom implements RandomRows {
  readonly #module: WasmModule;
  readonly #key: RandomKey;
  #room: Room | undefined;

  constructor(module: WasmModule, key: RandomKey) {
    this.#module = module;
    this.#key = key;
  }

  normal(target: Float32Array, position: number, step: number, purpose: number): void {
    const { kernels, scratch, row, values } = this.#roomFor(target.length);
    const key = { key0: this.#key.low, key1: this.#key.high };
    kernels.randomNormal({
      out: row,
      rows: 1,
      count: target.length,
      ...key,
      position,
      step,
      purpose,
      scratch,
    });
    target.set(values.subarray(0, target.length));
  }

  uniform(target: Float32Array, position: number, step: number, purpose: number): void {
    const { kernels, scratch, row, values } = this.#roomFor(target.length);
    const key = { key0: this.#key.low, key1: this.#key.high };
    const range = { low: 0, high: 1 };
    kernels.randomUniform({
      out: row,
      count: target.length,
      ...range,
      ...key,
      position,
      step,
      purpose,
      scratch,
    });
    target.set(values.subarray(0, target.length));
  }

  #roomFor(count: number): Room {
    if (this.#room === undefined || this.#room.values.length < count) {
      const arena = new Arena(0);
      const scratch = arena.reserve(64);
      const row = arena.floats(count);
      const memory = sharedMemory(Math.ceil(arena.end / PAGE));
      const kernels = bindKernels(this.#module, memory);
      this.#room = { kernels, scratch, row, values: new Float32Array(memory.buffer, row, count) };
    }
    return this.#room;
  }
}
