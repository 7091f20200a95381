// Random numbers, and pixels drawn by them.
import { A, COLUMNS, OUT, ROWS, SCRATCH, SIZE, TABLES, type Trial } from './memory.js';

const STREAM = { key0: 1, key1: 2, step: 3, purpose: 4 };
const ROW = { ...STREAM, position: 5 };

/** Grey as it is, threshold, drawn (src/worker/rank.ts). */
const BINARIZE_MODES = [0, 1, 2];

export function runDraws({ kernels, keep }: Trial): void {
  kernels.randomBits({ ...ROW, out: OUT, count: SIZE });
  keep();
  kernels.randomUniform({ ...ROW, out: OUT, count: SIZE, low: -0.3, high: 0.7, scratch: SCRATCH });
  keep();
  kernels.randomNormal({ ...ROW, out: OUT, rows: ROWS, count: COLUMNS, scratch: SCRATCH });
  keep();
  for (const mode of BINARIZE_MODES) {
    kernels.binarize({
      ...STREAM,
      mode,
      pixels: A,
      // The first word of the tables is 0: one row, of the first image.
      places: TABLES,
      order: TABLES,
      rows: 1,
      dimensions: SIZE,
      out: OUT,
      scratch: SCRATCH,
    });
    keep();
  }
}
