// Products whose left operand has many zeros, by lists of what is not zero (assembly/lists.ts): the pixels of
// an image are mostly black, and a ReLU leaves half of its units.
//
// The sums are those of the dense kernels, term by term, without the products with 0. These change no sum as
// long as the right operand is finite, so the bits are the same, but for the sign of a sum that is zero: of a
// bias of −0, or of products that are all zero.

import { type Address, NONE, plus } from '../kernels/address.js';
import { gradientListBytes, inputListBytes } from '../kernels/listRoom.js';
import {
  LEAST_LISTED_COLUMNS,
  LEAST_LISTED_PRODUCTS,
  LEAST_LISTED_ROWS,
  LISTING_SAMPLE_FLOATS,
  LISTING_SAMPLES,
  MOST_LISTED_DEPTH,
  MOST_LISTED_ROWS,
  PRODUCT_SHARE_WORTH_LISTING,
  UNCACHED_PART,
} from '../kernels/tuning.js';
import type { MatrixProduct } from './matrix.js';
import { collides } from './pitch.js';
import type { Workspace } from './workspace.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** Depths of blocks are multiples, as listInputs looks at so many floats at once. */
const DEPTH_UNIT = 16;

/** Words of a row's list of one group: before its first term; the address in that; of a term. */
const HEAD_WORDS = 2;
const ADDRESS_WORD = HEAD_WORDS + 1;
const TERM_WORDS = 2;

/** A table with one shard for listGradients: the addresses of A and B, and B's bytes. */
const TABLE_WORDS = 3;

/** For lists of one group: no sum waits. */
const NO_STACK = NONE;

/**
 * Computes the product by lists, and returns true; or false, `out` being undefined, where that would not pay
 * or not be right.
 */
export function multiplySparse(host: Workspace, product: MatrixProduct): boolean {
  const { a, m, k, transposeA, bias, transposeB } = product;
  if (transposeB || k === 0 || !isWorthListing(host, product, blockDepth(k))) return false;
  if (!transposeA) return sumRowLists(host, product);
  // Lists of columns begin with their first product: a bias has no place in them, nor the sums of an earlier
  // block.
  if (k <= MOST_LISTED_DEPTH && bias === NONE) return multiplyLines(host, product);
  const copy = host.heap.allocate(m * k * FLOAT);
  try {
    host.kernels.transposeTensor(a, k, m, copy);
    return sumRowLists(host, { ...product, a: copy, transposeA: false });
  } finally {
    host.heap.free(copy);
  }
}

/** A, [m, k] or [k, m], and B, [k, n]. */
export type SparseOperands = Pick<MatrixProduct, 'a' | 'b' | 'm' | 'n' | 'k'>;

/**
 * Whether lists would pay for A · B or Aᵀ · B and be right, as far as a few samples tell. Uses scratch
 * memory.
 * @param depth rows of B that a list refers to.
 */
export function isWorthListing(host: Workspace, operands: SparseOperands, depth: number): boolean {
  const { b, m, n, k } = operands;
  if (m < LEAST_LISTED_ROWS || n < Math.max(LEAST_LISTED_COLUMNS, host.microKernels.listWidth)) return false;
  if (m * n * k < LEAST_LISTED_PRODUCTS) return false;
  return looksSparse(host, operands, depth) && host.kernels.allFinite(b, k * n) !== 0;
}

function worthwhileShare({ microKernels: { listWidth } }: Workspace, columns: number, depth: number): number {
  const computed = Math.ceil(columns / listWidth) * listWidth;
  const part = collides(columns) || depth > MOST_LISTED_DEPTH ? UNCACHED_PART : 1;
  return PRODUCT_SHARE_WORTH_LISTING[listWidth] * part * (columns / computed);
}

/** By a few samples: a look at all of A would cost some percent of a dense product. */
function looksSparse(host: Workspace, { a, m, n, k }: SparseOperands, depth: number): boolean {
  const length = Math.min(LISTING_SAMPLE_FLOATS, Math.floor((m * k) / LISTING_SAMPLES));
  const pitch = Math.floor((m * k - length) / (LISTING_SAMPLES - 1)) * FLOAT;
  const lists = host.scratch(LISTING_SAMPLES * inputListBytes(length));
  const terms = host.kernels.listInputs({
    x: a,
    images: LISTING_SAMPLES,
    inputs: length,
    pitch,
    bias: NONE,
    weights: NONE,
    weightPitch: 0,
    lists,
    share: 1,
  });
  return terms <= worthwhileShare(host, n, depth) * LISTING_SAMPLES * length;
}

/**
 * A · B, in blocks of rows and of the depth. False as soon as there is more in A than the samples let expect.
 */
function sumRowLists(host: Workspace, product: MatrixProduct): boolean {
  const { m, n, k } = product;
  const depth = blockDepth(k);
  const step = Math.min(m, MOST_LISTED_ROWS);
  const zeros = host.zeros(n);
  const sumBytes = k > depth ? step * n * FLOAT : 0;
  const sums = host.scratch(sumBytes + step * inputListBytes(depth));
  const start = product.bias === NONE ? zeros : product.bias;
  const scratch = { sums, lists: plus(sums, sumBytes), depth };
  for (let row = 0; row < m; row += step) {
    const rows = Math.min(step, m - row);
    const a = plus(product.a, row * k * FLOAT);
    const out = plus(product.out, row * n * FLOAT);
    if (!sumBlocks(host, { ...product, a, out, m: rows, bias: start }, scratch)) return false;
  }
  return true;
}

/** Blocks of about the same depth, so that no last one is too short to be worth its start. */
function blockDepth(k: number): number {
  const blocks = Math.ceil(k / MOST_LISTED_DEPTH);
  return Math.ceil(k / blocks / DEPTH_UNIT) * DEPTH_UNIT;
}

/**
 * Each block of the depth starts from the sums of the one before: 1 · sum is the first term of its lists.
 * Blocks write to `out` and to `sums` in turn, since sumRows computes some columns twice.
 */
function sumBlocks(
  host: Workspace,
  { a, b, out, m, n, k, bias, relu }: MatrixProduct,
  { sums, lists, depth }: { readonly sums: Address; readonly lists: Address; readonly depth: number },
): boolean {
  const { kernels, microKernels } = host;
  const share = worthwhileShare(host, n, depth);
  const pitch = n * FLOAT;
  const blocks = Math.ceil(k / depth);
  let terms = 0;
  for (let block = 0; block < blocks; block++) {
    const first = block * depth;
    const end = Math.min(k, first + depth);
    terms += kernels.listInputs({
      x: plus(a, first * FLOAT),
      images: m,
      inputs: end - first,
      pitch: k * FLOAT,
      bias,
      weights: plus(b, first * pitch),
      weightPitch: pitch,
      lists,
      share: 1,
    });
    if (terms > share * m * end) return false;
    const isLast = block + 1 === blocks;
    const [from, to] = (blocks - block) % 2 === 1 ? [sums, out] : [out, sums];
    if (block > 0) startFrom(host, lists, m, from, pitch);
    microKernels.sumRows({
      rows: m,
      columns: n,
      lists,
      out: to,
      outPitch: pitch,
      stack: NO_STACK,
      relu: relu && isLast ? 1 : 0,
    });
  }
  return true;
}

/** Replaces the bias, the first term of each list, by a row of its own. */
function startFrom(host: Workspace, lists: Address, count: number, rows: Address, pitch: number): void {
  const words = host.allWords();
  let list = lists / WORD;
  for (let row = 0; row < count; row++) {
    words[list + ADDRESS_WORD] = rows + row * pitch;
    list += HEAD_WORDS + words[list]! * TERM_WORDS;
  }
}

/** Aᵀ · B of one block's depth. */
function multiplyLines(host: Workspace, { a, b, out, m, n, k, relu }: MatrixProduct): boolean {
  const pitch = n * FLOAT;
  const tableBytes = TABLE_WORDS * WORD;
  const zeros = host.zeros(n);
  const table = host.scratch(tableBytes + columnListBytes(m, 1, k));
  host.words(table, TABLE_WORDS).set([a, b, k * pitch]);
  const product = { m, n, k, shards: 1, table, out, relu, zeros };
  return sumColumnLists(host, { ...product, lists: plus(table, tableBytes), stack: NO_STACK });
}

/**
 * Aᵀ · B, [m, n], of A, [k, m], and B, [k, n], in shards: each one's sums are its own, and are added by the
 * tree of treeGradient.
 */
export interface ShardedProduct {
  readonly m: number;
  readonly n: number;
  /** In all shards. */
  readonly k: number;
  readonly shards: number;
  /** treeGradient's. */
  readonly table: Address;
  readonly stack: Address;
  /** Address of n zeros. */
  readonly zeros: Address;
  /** Room of columnListBytes. */
  readonly lists: Address;
  readonly out: Address;
  readonly relu: boolean;
}

export function columnListBytes(m: number, shards: number, k: number): number {
  return gradientListBytes(Math.min(m, MOST_LISTED_ROWS), shards, k);
}

/**
 * A is read in place. False, `out` being undefined, as soon as there is more in A than samples let expect.
 */
export function sumColumnLists(host: Workspace, product: ShardedProduct): boolean {
  const { m, n, k, shards, table, stack, zeros, lists, out, relu } = product;
  const { kernels, microKernels } = host;
  const share = worthwhileShare(host, n, k);
  const step = Math.min(m, MOST_LISTED_ROWS);
  const pitch = n * FLOAT;
  let terms = 0;
  for (let row = 0; row < m; row += step) {
    const rows = Math.min(step, m - row);
    terms += kernels.listGradients({
      rows,
      bigOffset: row * FLOAT,
      shards,
      table,
      bigPitch: m * FLOAT,
      smallPitch: pitch,
      zeros,
      lists,
      share: 1,
    });
    if (terms > share * (row + rows) * k) return false;
    microKernels.sumRows({
      rows,
      columns: n,
      lists,
      out: plus(out, row * pitch),
      outPitch: pitch,
      stack,
      relu: relu ? 1 : 0,
    });
  }
  return true;
}
