import type { Address } from '../kernels/address.js';

/** out = op(A) · op(B) (+ bias), [m, n], contiguous, row by row. Addresses in bytes. */
export interface MatrixProduct {
  /** [m, k], or [k, m] where transposed. */
  readonly a: Address;
  /** [k, n], or [n, k] where transposed. */
  readonly b: Address;
  readonly out: Address;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** The address of n floats, or 0 for none. */
  readonly bias: Address;
  readonly relu: boolean;
}
