// The products' micro-kernels: on every tile, by lists, transposed, and the gradients of weights and biases.
import { NONE, plus } from '../address.js';
import type { Kernels } from '../kernels.js';
import { LIST_WIDTHS, TILE_NAMES, TRANSPOSED_TILE_NAMES } from '../tiles/tile.js';
import {
  A,
  B,
  COLUMNS,
  DEPTH,
  LISTS,
  OUT,
  ROWS,
  SHARDS,
  STACK,
  TABLES,
  type Trial,
  ZEROS,
} from './memory.js';

/**
 * The shape of a product by lists: more columns than each width, and no multiple of the wider one; two
 * products fill the output.
 */
const LISTED_ROWS = 2;
const LISTED_COLUMNS = 120;

/** Writes the lists that products by lists read, once before all passes. */
export function makeLists(kernels: Kernels): void {
  // Three groups a row, of which two join what waits.
  kernels.listGradients({
    rows: LISTED_ROWS,
    bigOffset: 0,
    shards: 3,
    table: SHARDS,
    bigPitch: DEPTH * 4,
    smallPitch: COLUMNS * 4,
    zeros: ZEROS,
    lists: LISTS,
    share: 1,
  });
}

export function runProducts(trial: Trial): void {
  runTiles(trial);
  runDots(trial);
  runTransposed(trial);
  runFilterGradients(trial);
  runLists(trial);
  trial.kernels.columnSums(A, DEPTH, COLUMNS, OUT, 0);
  trial.keep();
}

/** A product over two segments a row; `relu` is set by the calls below. */
const SEGMENTED = {
  rows: ROWS,
  columns: COLUMNS,
  a: A,
  aOffsets: TABLES,
  segments: 2,
  segmentTable: plus(TABLES, 2 * ROWS * 4),
  b: B,
  bias: B,
  out: OUT,
  outOffsets: plus(TABLES, ROWS * 4),
};

/** Records of arguments are made once, so that the time of the self-test goes into kernels. */
const BOTH = [0, 1].map((relu) => ({
  packed: { ...SEGMENTED, depth: DEPTH, relu },
  inPlace: { ...SEGMENTED, pitch: COLUMNS * 4, relu },
  // Each of the two segments is rounded up to four.
  dots: { ...SEGMENTED, depth: 64, relu },
}));

function runTiles({ kernels, keep }: Trial): void {
  for (const name of TILE_NAMES) {
    for (const { packed, inPlace } of BOTH) {
      kernels[`gemm${name}`](packed);
      keep();
      kernels[`gemmInPlace${name}`](inPlace);
      keep();
    }
    kernels[`treeGradient${name}`]({
      rows: ROWS,
      columns: COLUMNS,
      gradient: OUT,
      bigOffset: 0,
      shards: 3,
      table: SHARDS,
      bigPitch: DEPTH * 4,
      smallPitch: COLUMNS * 4,
      zeros: ZEROS,
      stack: STACK,
    });
    keep();
  }
}

function runDots({ kernels, keep }: Trial): void {
  for (const { dots } of BOTH) {
    kernels.gemmDot4(dots);
    keep();
  }
}

function runTransposed({ kernels, keep }: Trial): void {
  for (const name of TRANSPOSED_TILE_NAMES) {
    const pitch = DEPTH * 4;
    kernels[`gemmTransposed${name}`]({
      rows: ROWS,
      columns: COLUMNS,
      depth: DEPTH,
      a: A,
      aPitch: pitch,
      b: B,
      bPitch: pitch,
      out: OUT,
      outPitch: COLUMNS * 4,
    });
    keep();
  }
}

function runFilterGradients({ kernels, out, keep }: Trial): void {
  for (const name of TILE_NAMES) {
    out.fill(0.5);
    kernels[`filterGradient${name}`]({
      rows: ROWS,
      columns: COLUMNS,
      gradient: OUT,
      big: A,
      bigPixelStride: DEPTH * 4,
      bigLineStride: 0,
      small: B,
      smallPixelStride: COLUMNS * 4,
      smallLineStride: 0,
      pixels: DEPTH,
      lines: 1,
      zeros: NONE,
    });
    keep();
  }
}

function runLists({ kernels, keep }: Trial): void {
  for (const width of LIST_WIDTHS) {
    for (const relu of [0, 1]) {
      const target = plus(OUT, relu * LISTED_ROWS * LISTED_COLUMNS * 4);
      const pitch = LISTED_COLUMNS * 4;
      kernels[`sumRows${width}`]({
        rows: LISTED_ROWS,
        columns: LISTED_COLUMNS,
        lists: LISTS,
        out: target,
        outPitch: pitch,
        stack: STACK,
        relu,
      });
    }
    keep();
  }
}
