// What stands where in the self-test's memory: inputs that no kernel writes, tables, and room for results.
import { addressOf, plus } from '../address.js';
import type { Kernels } from '../kernels.js';

/** One pass over kernels: they write to OUT, and `keep` notes what stands there. */
export interface Trial {
  readonly kernels: Kernels;
  /** [ROWS * COLUMNS], at OUT: what `keep` notes. */
  readonly out: Float32Array;
  keep(): void;
}

export const ROWS = 13;
export const COLUMNS = 37;
export const DEPTH = 61;
const SPLIT = 23;

/** Floats of a result. */
export const SIZE = ROWS * COLUMNS;

/** Bytes. */
export const A = addressOf(0);
export const B = addressOf(65536);
export const OUT = addressOf(2 * 65536);
/** Room for what is written beside a result, as long as one. */
export const ELSEWHERE = plus(OUT, 4096);
export const SCRATCH = plus(ELSEWHERE, 4096);
export const TABLES = addressOf(3 * 65536);
/** A table of three windows (assembly/borderedWindows.ts), of which the first and the last overlap. */
export const WINDOWS = plus(TABLES, 2048);
const WINDOW_TABLE: readonly number[] = [0, 3, 0, 148, 444, 148, 1, 592, 296, 2, 148, 740];
export const SHARDS = plus(TABLES, 4096);
export const ZEROS = plus(TABLES, 8192);
export const STACK = plus(TABLES, 12_288);
export const LISTS = plus(TABLES, 16_384);

/** Numbers of both signs and many magnitudes, so that orders and roundings show. */
export function fillInputs(buffer: ArrayBufferLike): void {
  const floats = new Float32Array(buffer, 0, OUT / 4);
  let state = 1;
  for (let i = 0; i < floats.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    floats[i] = (state / 2 ** 31 - 1) * 2 ** ((state >>> 8) % 5);
  }
  const tables = new Uint32Array(buffer, TABLES, 2 * ROWS + 4);
  for (let row = 0; row < ROWS; row++) {
    tables[row] = row * DEPTH * 4;
    tables[ROWS + row] = row * COLUMNS * 4;
  }
  // Two segments: SPLIT floats, then the others.
  tables.set([0, SPLIT, SPLIT * 4, DEPTH - SPLIT], 2 * ROWS);
  new Uint32Array(buffer, WINDOWS, WINDOW_TABLE.length).set(WINDOW_TABLE);
  const bounds = [0, SPLIT, SPLIT + 1, DEPTH];
  const places = bounds.slice(0, 3).map((first, i) => ({ first, examples: bounds[i + 1]! - first }));
  const shards = places.flatMap(({ first, examples }) => [
    A + first * DEPTH * 4,
    B + first * COLUMNS * 4,
    examples * COLUMNS * 4,
  ]);
  new Uint32Array(buffer, SHARDS, shards.length).set(shards);
}
