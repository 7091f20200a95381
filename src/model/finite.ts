import { NotFiniteError } from '../errors.js';

/** Index of the first value that is NaN or infinite, or -1. */
export function firstNotFinite(values: Float32Array | Float64Array): number {
  // Not findIndex: a call for each of millions of values.
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/**
 * @param values rows of `width` values, one after the other.
 * @param what each row is, e.g. `The decoded image of latent point`; its number follows, from `firstRow` up.
 * @throws NotFiniteError naming the first row with a value that is NaN or infinite.
 */
export function requireFiniteRows(
  values: Float32Array | Float64Array,
  width: number,
  what: string,
  firstRow = 0,
): void {
  const bad = firstNotFinite(values);
  if (bad < 0) return;
  throw new NotFiniteError(
    `${what} ${firstRow + Math.floor(bad / width)} is not finite (${values[bad]}): training has diverged. Use an earlier ` +
      'checkpoint, or train anew with a smaller learning rate.',
  );
}
