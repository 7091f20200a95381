// One matrix product on the GEMM micro-kernels: which one, in which blocks, and what is packed for it.
//
// Every element is summed by itself, over k in order; where B has few columns, in four lanes. The sum begins
// with the bias, but where both what is transposed and the number of rows make it come last. So without a
// bias, or without transposes, a row has the same bits whatever other rows are computed with it.

import { type Address, NONE, plus } from '../kernels/address.js';
import { WIDEST_PANEL } from '../kernels/tiles/tile.js';
import {
  FEW_LINES,
  IN_PLACE_ROWS,
  LARGE_EXTENT,
  LINES_AT_ONCE,
  MOST_BLOCK_ROWS,
  MOST_COPIED_LINES,
  MOST_PACKED_BYTES,
  PACKED_BYTES,
  ROW_BLOCK_BYTES,
  TURNED_ROWS,
} from '../kernels/tuning.js';
import { isDot } from './gather.js';
import type { MatrixProduct } from './matrix.js';
import { collides } from './pitch.js';
import { multiplySparse } from './sparseProduct.js';
import type { Workspace } from './workspace.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Computes a product; may allocate scratch memory. */
export function multiply(host: Workspace, product: MatrixProduct): void {
  if (product.m === 0 || product.n === 0) return;
  if (multiplySparse(host, product)) return;
  multiplyDense(host, product);
}

function multiplyDense(host: Workspace, product: MatrixProduct): void {
  const { m, n, k, transposeA, transposeB } = product;
  if (k === 0) sumOuterProducts(host, product);
  else if (transposeA && transposeB) multiplyBothTransposed(host, product);
  else if (transposeA) multiplyLines(host, product);
  else if (isDot(n)) multiplyFewColumns(host, product);
  else if (transposeB && m < n && turns(m, host.panelWidth)) multiplyTurned(host, product);
  else if (transposeB || m > IN_PLACE_ROWS) multiplyPanels(host, product);
  else multiplyInPlace(host, product);
}

/** Whether there are few rows, and few columns of their last panel are computed for nothing. */
function turns(rows: number, width: number): boolean {
  const rest = rows % width;
  return rows < width || (rows <= TURNED_ROWS && (rest === 0 || rest >= width / 4));
}

/** The smaller operand is transposed first. */
function multiplyBothTransposed(host: Workspace, product: MatrixProduct): void {
  const { a, b, m, n, k } = product;
  const copy = host.heap.allocate(Math.min(m, n) * k * FLOAT);
  try {
    if (m < n) {
      host.kernels.transposeTensor(a, k, m, copy);
      multiply(host, { ...product, a: copy, transposeA: false });
    } else {
      host.kernels.transposeTensor(b, n, k, copy);
      multiply(host, { ...product, b: copy, transposeB: false });
    }
  } finally {
    host.heap.free(copy);
  }
}

/** Aᵀ B: both read in place, or copied where that is faster. */
function multiplyLines(host: Workspace, product: MatrixProduct): void {
  const { a, b, out, m, n, k, bias, relu } = product;
  if (gainsFromCopies(m, n, k)) {
    const copy = host.heap.allocate(m * k * FLOAT);
    try {
      host.kernels.transposeTensor(a, k, m, copy);
      multiplyPanels(host, { ...product, a: copy, transposeA: false });
    } finally {
      host.heap.free(copy);
    }
    return;
  }
  if (!isDot(n) || m <= n) {
    sumOuterProducts(host, product);
    return;
  }
  // A tile is wide: Bᵀ A, transposed.
  const turned = n === 1 ? out : host.scratch(m * n * FLOAT);
  sumOuterProducts(host, { ...product, a: b, b: a, m: n, n: m, out: turned, bias: NONE, relu: false });
  if (n > 1) host.kernels.transposeTensor(turned, n, m, out);
  finish(host, product, bias, relu);
}

function gainsFromCopies(m: number, n: number, k: number): boolean {
  if (Math.min(m, n) < LARGE_EXTENT || k <= FEW_LINES) return false;
  return collides(m) || collides(n) || (k >= LARGE_EXTENT && k <= MOST_COPIED_LINES);
}

/**
 * out = bias + Σ_k A[k]ᵀ B[k], A given as [k, m], B as [k, n], both read in place.
 * @param step lines of k at a time: the number changes no bit.
 */
export function sumOuterProducts(
  host: Workspace,
  { a, b, out, m, n, k, bias, relu }: Omit<MatrixProduct, 'transposeA' | 'transposeB'>,
  step = LINES_AT_ONCE,
): void {
  const { kernels } = host;
  const zeros = host.zeros(WIDEST_PANEL);
  if (bias !== NONE) kernels.fillRows(out, m, n, bias);
  else if (k === 0) kernels.zeroFloats(out, m * n);
  const filterGradient = host.microKernels.filterGradient(m);
  const [aPitch, bPitch] = [m * FLOAT, n * FLOAT];
  for (let line = 0; line < k; line += step) {
    const lines = Math.min(step, k - line);
    const start = line > 0 || bias !== NONE ? NONE : zeros;
    filterGradient({
      rows: m,
      columns: n,
      gradient: out,
      big: plus(a, line * aPitch),
      bigPixelStride: aPitch,
      bigLineStride: 0,
      small: plus(b, line * bPitch),
      smallPixelStride: bPitch,
      smallLineStride: 0,
      pixels: lines,
      lines: 1,
      zeros: start,
    });
  }
  finish(host, { out, m, n }, NONE, relu);
}

/** A · B for few rows: A's transpose is small, and B is read in place. */
function multiplyInPlace(host: Workspace, product: MatrixProduct): void {
  const { a, m, k } = product;
  if (m === 1) {
    sumOuterProducts(host, product);
    return;
  }
  const turned = host.scratch(m * k * FLOAT);
  host.kernels.transposeTensor(a, m, k, turned);
  sumOuterProducts(host, { ...product, a: turned });
}

/** A · Bᵀ = (B · Aᵀ)ᵀ: rows of B are read in place, and the smaller A is packed. */
function multiplyTurned(host: Workspace, product: MatrixProduct): void {
  const { a, b, out, m, n, bias, relu } = product;
  const turned = host.heap.allocate(m * n * FLOAT);
  try {
    multiplyPanels(host, { ...product, a: b, b: a, m: n, n: m, out: turned, bias: NONE, relu: false });
    host.kernels.transposeTensor(turned, n, m, out);
  } finally {
    host.heap.free(turned);
  }
  finish(host, product, bias, relu);
}

/** Dot products of A's rows with B's few columns. */
function multiplyFewColumns(host: Workspace, product: MatrixProduct): void {
  const { a, b, out, m, n, k, transposeB, bias, relu } = product;
  const strides = transposeB ? { inner: FLOAT, column: k * FLOAT } : { inner: n * FLOAT, column: FLOAT };
  const columns = packColumns(host, b, n, k, strides, host.scratch(n * packedColumnBytes(k)));
  dotProducts(host, { rows: a, count: m, depth: k, columns, width: n, out, bias, relu });
}

/** Bias and ReLU in a pass of their own. */
function finish(
  { kernels }: Workspace,
  { out, m, n }: Pick<MatrixProduct, 'out' | 'm' | 'n'>,
  bias: Address,
  relu: boolean,
): void {
  if (bias !== NONE) kernels.addRows(out, m, n, bias, 0, FLOAT);
  if (relu) kernels.activate(RELU, out, m * n, 0);
}

/** Code of assembly/epilogue.ts. */
const RELU = 1;

function packedColumnBytes(depth: number): number {
  return Math.ceil(depth / 4) * 4 * FLOAT;
}

/** Columns as gemmDot4 reads them, or the operand itself where it is so already. */
function packColumns(
  host: Workspace,
  source: Address,
  columns: number,
  depth: number,
  strides: { readonly inner: number; readonly column: number },
  target: Address,
): Address {
  if (strides.inner === FLOAT && depth % 4 === 0) return source;
  const { zero } = rowTables(host, depth, 1, 1);
  host.kernels.packColumns({
    source,
    segments: 1,
    tapsPerSegment: 1,
    tapOffsets: zero,
    inner: depth,
    innerStride: strides.inner,
    columns,
    columnStride: strides.column,
    destination: target,
  });
  return target;
}

/** out[r][c] = bias[c] + rows[r] · columns[c]. */
function dotProducts(
  host: Workspace,
  product: {
    readonly rows: Address;
    readonly count: number;
    readonly depth: number;
    /** Packed: each column's depth rounded up to four, zeros at its end. */
    readonly columns: Address;
    readonly width: number;
    readonly out: Address;
    readonly bias: Address;
    readonly relu: boolean;
  },
): void {
  const { rows, count, depth, columns, width, out, bias, relu } = product;
  const step = Math.min(count, rowBlock(depth));
  const { source, target, segment } = rowTables(host, depth, width, step);
  const packed = packedColumnBytes(depth) / FLOAT;
  for (let row = 0; row < count; row += step) {
    host.microKernels.dot({
      rows: Math.min(step, count - row),
      columns: width,
      depth: packed,
      a: plus(rows, row * depth * FLOAT),
      aOffsets: source,
      segments: 1,
      segmentTable: segment,
      b: columns,
      bias,
      out: plus(out, row * width * FLOAT),
      outOffsets: target,
      relu: relu ? 1 : 0,
    });
  }
}

/** A · B or A · Bᵀ with B packed in panels. */
function multiplyPanels(host: Workspace, product: MatrixProduct): void {
  const { a, b, out, m, n, k, transposeB, bias, relu } = product;
  const width = host.panelWidth;
  const rowStep = Math.min(m, rowBlock(k));
  const columnStep = Math.min(roundUp(n, width), columnBlock(k, width, rowStep < m));
  const packed = host.scratch(columnStep * k * FLOAT);
  const zeros = bias === NONE ? host.zeros(columnStep) : NONE;
  const { source, target, segment, zero } = rowTables(host, k, n, rowStep);
  const columnStride = transposeB ? k * FLOAT : FLOAT;
  for (let column = 0; column < n; column += columnStep) {
    const columns = Math.min(columnStep, n - column);
    const first = plus(b, column * columnStride);
    if (transposeB) {
      host.kernels.packPanels({
        source: first,
        taps: 1,
        tapOffsets: zero,
        inner: k,
        innerStride: FLOAT,
        columns,
        columnStride,
        width,
        from: 0,
        to: Math.ceil(columns / width),
        destination: packed,
      });
    } else {
      host.kernels.packRows(first, k, n * FLOAT, columns, width, packed);
    }
    for (let row = 0; row < m; row += rowStep) {
      const rows = Math.min(rowStep, m - row);
      host.microKernels.gemm({
        rows,
        columns,
        depth: k,
        a: plus(a, row * k * FLOAT),
        aOffsets: source,
        segments: 1,
        segmentTable: segment,
        b: packed,
        bias: bias === NONE ? zeros : plus(bias, column * FLOAT),
        out: plus(out, (row * n + column) * FLOAT),
        outOffsets: target,
        relu: relu ? 1 : 0,
      });
    }
  }
}

/**
 * Tables of the micro-kernels for contiguous rows: of `depth` floats in the source and `width` in the target.
 */
function rowTables(host: Workspace, depth: number, width: number, rows: number) {
  return host.plan(`rows ${depth} ${width} ${rows}`, (arena) => ({
    source: arena.table(offsets(rows, depth * FLOAT)),
    target: arena.table(offsets(rows, width * FLOAT)),
    segment: arena.table([0, depth]),
    zero: arena.table([0]),
  }));
}

function offsets(count: number, pitch: number): number[] {
  return Array.from({ length: count }, (_, i) => i * pitch);
}

/** A multiple of all tiles' heights. */
function rowBlock(depth: number): number {
  const rows = Math.floor(ROW_BLOCK_BYTES / (depth * FLOAT * 12)) * 12;
  return Math.max(24, Math.min(rows, MOST_BLOCK_ROWS));
}

function columnBlock(depth: number, width: number, severalRowBlocks: boolean): number {
  const bytes = severalRowBlocks ? MOST_PACKED_BYTES : PACKED_BYTES;
  return Math.max(1, Math.floor(bytes / (depth * FLOAT * width))) * width;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
