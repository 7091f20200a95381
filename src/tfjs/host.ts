import { type Address, addressOf, NONE } from '../kernels/address.js';
import type { Arena } from '../kernels/arena.js';
import { bindKernels, type Kernels } from '../kernels/kernels.js';
import { type Platform, unsharedKernels } from '../kernels/platform.js';
import { MicroKernels } from '../products/microKernels.js';
import type { Workspace } from '../products/workspace.js';
import { Heap } from './heap.js';
import { PlanCache } from './planCache.js';
import type { TensorInfo, WasmBackend } from './tensorflow.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** A scratch region larger than this is given back after the call. */
const KEPT_SCRATCH = 32 * 2 ** 20;

/** A new tensor and the address of its data. */
export interface Output {
  readonly tensor: TensorInfo;
  readonly address: Address;
}

/**
 * Our kernels on the memory of one wasm backend of TensorFlow.js: each thread has its own backend, and so its
 * own host. Addresses stay valid when the memory grows; views over it do not (see `floats`).
 */
export class Host implements Workspace {
  readonly kernels: Kernels;
  /** The GEMM kernels with a tile chosen. */
  readonly microKernels: MicroKernels;
  /** Columns of a panel of packed weights. */
  readonly panelWidth: 8 | 16;
  readonly heap: Heap;
  readonly #backend: WasmBackend;
  readonly #plans: PlanCache;
  #scratch = { address: NONE, bytes: 0 };
  #zeros = { address: NONE, count: 0 };

  constructor(backend: WasmBackend, platform: Platform) {
    this.#backend = backend;
    this.heap = new Heap(backend);
    const module = this.heap.shared ? platform.module : unsharedKernels(platform);
    this.kernels = bindKernels(module, this.heap.memory);
    this.microKernels = new MicroKernels(this.kernels, platform.tile);
    this.panelWidth = this.microKernels.tile.columns;
    this.#plans = new PlanCache(this.heap);
  }

  /**
   * Address of a tensor's data. Aligned to 8 bytes alone; reading up to 256 bytes behind its end is safe, and
   * what is read there is anything. Writing there is not: it belongs to others.
   */
  address({ dataId, shape, dtype }: TensorInfo): Address {
    // Addresses above 2 GiB come out of the heap as negative numbers.
    const address = addressOf((this.#backend.dataIdMap.get(dataId).memoryOffset ?? 0) >>> 0);
    this.heap.reach(address + sizeOf(shape) * (dtype === 'bool' ? 1 : FLOAT));
    return address;
  }

  /** A new tensor; its content is undefined. The memory may grow. */
  output(shape: readonly number[], dtype = 'float32'): Output {
    const tensor = this.#backend.makeOutput([...shape], dtype);
    return { tensor, address: this.address(tensor) };
  }

  /** The same data under another shape: a tensor of its own, nothing copied. */
  reshaped({ dataId, dtype }: TensorInfo, shape: readonly number[]): TensorInfo {
    this.#backend.incRef(dataId);
    return { dataId, shape: [...shape], dtype };
  }

  /**
   * Whether no other tensor shares the data: then a variable that is about to be replaced may be overwritten.
   */
  isSoleOwner({ dataId }: TensorInfo): boolean {
    return this.#backend.refCount(dataId) === 1;
  }

  /** Releases a tensor that a kernel made for itself. */
  dispose({ dataId }: TensorInfo): void {
    this.#backend.disposeData(dataId);
  }

  /**
   * Address of scratch memory, aligned to a cache line, valid until the next call of `scratch`, and 256
   * readable bytes behind it: one call of a kernel asks once, and cuts it up with an Arena. The content is
   * undefined. The memory may grow.
   */
  scratch(bytes: number): Address {
    if (bytes > this.#scratch.bytes || (this.#scratch.bytes > KEPT_SCRATCH && bytes <= KEPT_SCRATCH)) {
      if (this.#scratch.bytes > 0) this.heap.free(this.#scratch.address);
      this.#scratch = { address: NONE, bytes: 0 };
      const address = this.heap.allocate(bytes);
      this.#scratch = { address, bytes };
      this.heap.reach(address + bytes);
    }
    return this.#scratch.address;
  }

  /** Address of at least so many float32 zeros, never to be written. The memory may grow. */
  zeros(count: number): Address {
    if (count > this.#zeros.count) {
      if (this.#zeros.count > 0) this.heap.free(this.#zeros.address);
      this.#zeros = { address: this.heap.allocate(count * FLOAT), count };
      this.floats(this.#zeros.address, count).fill(0);
    }
    return this.#zeros.address;
  }

  /**
   * The plan of a geometry: tables and numbers that depend on shapes and attributes alone, kept for the next
   * call.
   * @param key the kernel's name and everything that the plan depends on.
   * @param make places the plan's tables in the arena (Arena.table); called twice, so it must do nothing
   * else.
   */
  plan<Plan>(key: string, make: (arena: Arena) => Plan): Plan {
    return this.#plans.get(key, make);
  }

  /** A view, valid until something allocates. */
  floats(address: Address, count: number): Float32Array {
    return new Float32Array(this.heap.memory.buffer, address, count);
  }

  /** A view, valid until something allocates. */
  words(address: Address, count: number): Uint32Array {
    return new Uint32Array(this.heap.memory.buffer, address, count);
  }

  /** The numbers of a tensor of int32: a view, valid until something allocates. */
  integers(tensor: TensorInfo): Int32Array {
    return new Int32Array(this.heap.memory.buffer, this.address(tensor), sizeOf(tensor.shape));
  }

  /** The truths of a tensor of bool: a view, valid until something allocates. */
  bytes(tensor: TensorInfo): Uint8Array {
    return new Uint8Array(this.heap.memory.buffer, this.address(tensor), sizeOf(tensor.shape));
  }

  /** A view of the whole memory, valid until something allocates. */
  allWords(): Uint32Array {
    return new Uint32Array(this.heap.memory.buffer);
  }
}

export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}
