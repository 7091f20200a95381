// A memory with the kernels bound to it, in which one case after the other places its arrays.

import type { Address } from '#src/kernels/address.js';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels, type Kernels } from '#src/kernels/kernels.js';
import { TILES, type TileName } from '#src/kernels/tiles/tile.js';
import { MicroKernels } from '#src/products/microKernels.js';

const PAGE = 65536;
const MEBIBYTE = 2 ** 20;

export interface WorkbenchOptions {
  readonly module: WebAssembly.Module;
  readonly tile: TileName;
  readonly mebibytes?: number;
  /** Puts something between the cases and the kernels: a test's recorder or saboteur. */
  readonly wrap?: (kernels: Kernels, memory: WebAssembly.Memory) => Kernels;
}

export class Workbench {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  readonly microKernels: MicroKernels;
  readonly panelWidth: 8 | 16;
  #arena = new Arena(0);

  constructor({ module, tile, mebibytes = 128, wrap = (kernels) => kernels }: WorkbenchOptions) {
    const pages = Math.ceil((mebibytes * MEBIBYTE) / PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.kernels = wrap(bindKernels(module, this.memory), this.memory);
    this.microKernels = new MicroKernels(this.kernels, tile);
    this.panelWidth = TILES[tile].columns;
  }

  /** Where the arrays of the case at hand go. */
  get arena(): Arena {
    return this.#arena;
  }

  /** Forgets all arrays: zeros everywhere. */
  clear(): void {
    new Uint8Array(this.memory.buffer, 0, this.#arena.end).fill(0);
    this.#arena = new Arena(0);
  }

  /** Views of what has been reserved; the kernels and the views see the same memory. */
  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, count);
  }

  doubles(address: number, count: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, count);
  }

  words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, count);
  }

  bytes(address: number, count: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, count);
  }

  /** Reserves and fills. */
  place(values: Float32Array): Address {
    const address = this.#arena.floats(values.length);
    this.floats(address, values.length).set(values);
    return address;
  }
}
