import type { Address } from '../kernels/address.js';
import type { Arena } from '../kernels/arena.js';
import type { Kernels } from '../kernels/kernels.js';
import type { MicroKernels } from './microKernels.js';

/**
 * What a product of any shape needs of the memory that it works on: kernels, and room that is given while the
 * program runs. Addresses stay valid when the memory grows; views do not.
 */
export interface Workspace {
  readonly kernels: Kernels;
  readonly microKernels: MicroKernels;
  /** Columns of a panel of packed weights. */
  readonly panelWidth: 8 | 16;
  readonly heap: {
    /**
     * Address of at least so many bytes, aligned to a cache line; the content is undefined. The memory may
     * grow.
     */
    allocate(bytes: number): Address;
    /** Gives back what `allocate` gave. */
    free(address: Address): void;
  };
  /** Address of scratch memory, aligned to a cache line, valid until the next call. The memory may grow. */
  scratch(bytes: number): Address;
  /** Address of at least so many float32 zeros, never to be written. The memory may grow. */
  zeros(count: number): Address;
  /**
   * What depends on a geometry alone, with its tables, kept for the next call.
   * @param key the product's name and everything that the plan depends on.
   * @param make places tables in the arena; called twice, so it must do nothing else.
   */
  plan<Plan>(key: string, make: (arena: Arena) => Plan): Plan;
  /** A view, valid until something allocates. */
  floats(address: Address, count: number): Float32Array;
  /** A view, valid until something allocates. */
  words(address: Address, count: number): Uint32Array;
  /** A view of the whole memory, valid until something allocates. */
  allWords(): Uint32Array;
}
