/** out = op(A) · op(B) (+ bias), [m, n], contiguous, row by row. Addresses in bytes. */
export interface MatrixProduct {
  /** [m, k], or [k, m] where transposed. */
  readonly a: number;
  /** [k, n], or [n, k] where transposed. */
  readonly b: number;
  readonly out: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Of n floats, 0 for none. */
  readonly bias: number;
  readonly relu: boolean;
}
