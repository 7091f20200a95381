import { type Address, addressOf } from '../kernels/address.js';
import type { WasmMemory } from '../kernels/webAssembly.js';
import { guardAllocation } from './checks/allocation.js';
import type { WasmBackend } from './tensorflow.js';

/** Alignment of what we allocate; tensors of TensorFlow.js are aligned to 8 bytes alone. */
const ALIGNMENT = 64;

/** Kernels read whole vectors, and up to this many bytes behind a tensor's end. */
const READABLE_SLACK = 256;

/**
 * The heap of TensorFlow.js's wasm backend. Any call that allocates may make the memory grow, which detaches
 * every typed array over it: take views anew after each, and hold addresses instead.
 */
export class Heap {
  readonly memory: WasmMemory;
  readonly #backend: WasmBackend;
  /** What `allocate` gave, and the block of the heap in which it lies. */
  readonly #blocks = new Map<number, number>();

  /** @throws Error where the backend is not TensorFlow.js's wasm backend as we know it. */
  constructor(backend: WasmBackend) {
    const memory = backend.wasm?.asm?.memory ?? backend.wasm?.wasmMemory;
    if (memory === undefined || typeof backend.wasm._malloc !== 'function') {
      throw new Error(
        "The backend 'wasm' of this TensorFlow.js does not show its memory where version 4.22 does. " +
          'Use @tensorflow/tfjs-backend-wasm 4.22.',
      );
    }
    this.memory = memory;
    this.#backend = backend;
    guardAllocation(backend.wasm);
  }

  get shared(): boolean {
    return typeof SharedArrayBuffer !== 'undefined' && this.memory.buffer instanceof SharedArrayBuffer;
  }

  /**
   * Address of at least so many bytes, aligned to a cache line; the content is undefined.
   * @throws Error when the memory is full (guardAllocation).
   */
  allocate(bytes: number): Address {
    const block = this.#malloc(bytes + ALIGNMENT);
    const address = addressOf(Math.ceil(block / ALIGNMENT) * ALIGNMENT);
    this.#blocks.set(address, block);
    return address;
  }

  /** Gives back what `allocate` gave. */
  free(address: Address): void {
    const block = this.#blocks.get(address);
    if (block === undefined) throw new Error(`Nothing was allocated at address ${address}.`);
    this.#blocks.delete(address);
    this.#backend.wasm._free(block);
  }

  /**
   * Makes the bytes behind `end` readable: where they lie beyond the memory's end, the heap grows. It never
   * shrinks, so this is rare.
   */
  reach(end: number): void {
    if (end + READABLE_SLACK <= this.memory.buffer.byteLength) return;
    const before = this.memory.buffer.byteLength;
    const blocks: number[] = [];
    // A block may still fit somewhere in the middle.
    while (this.memory.buffer.byteLength === before) blocks.push(this.#malloc(2 ** 16 + READABLE_SLACK));
    for (const block of blocks) this.#backend.wasm._free(block);
  }

  #malloc(bytes: number): number {
    return this.#backend.wasm._malloc(bytes) >>> 0;
  }
}
