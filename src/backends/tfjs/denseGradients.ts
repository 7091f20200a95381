// Weight and bias gradients of a dense layer for several shards at once, as a kernel of TensorFlow.js's backend wasm.

import { Arena } from '../../kernels/arena.js';
import type { CorrelationLayer } from '../../model/model.js';
import type { Host } from '../../tfjs/host.js';
import { columnListBytes, isWorthListing, sumColumnLists } from '../../tfjs/sparseProduct.js';
import type { KernelArguments, TensorFlow, TensorInfo } from '../../tfjs/tensorflow.js';
import { UNIT_ROWS } from '../simd/ownedUnits.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const WORD = Uint32Array.BYTES_PER_ELEMENT;

export const DENSE_GRADIENTS = 'LowerboundDenseGradients';

/** Kernels start their sums from as many zeros: a tile's columns. */
const WIDEST_TILE = 16;

/** Floats of a tile of six by sixteen. */
const LARGEST_TILE = 96;

/** Rows of a block: they stay in the first-level cache while all tiles of the gradient pass over them. */
const BLOCK_ROWS = 64;

/** Where the shards begin, and the last one ends, in rows. */
export interface DenseGradientsAttributes {
  readonly layer: CorrelationLayer;
  readonly bounds: readonly number[];
}

/**
 * Registers the kernel: input [1, rows, in] and dOutput [1, rows, out] to [1, in, out] and [out]. Each shard's sums are its
 * own, and are added by the tree of the all-reduce, so that the bits are those of one shard after the other.
 */
export function registerDenseGradients(tf: TensorFlow, host: Host): void {
  if (tf.getKernel(DENSE_GRADIENTS, 'wasm')) tf.unregisterKernel(DENSE_GRADIENTS, 'wasm');
  tf.registerKernel({
    kernelName: DENSE_GRADIENTS,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }: KernelArguments) => {
      const { layer, bounds } = attrs as unknown as DenseGradientsAttributes;
      return denseGradients(host, layer, inputs.input!, inputs.dOutput!, bounds);
    },
  });
}

/** Both sides of a dense layer, and where its gradients go. */
interface DenseOperands {
  readonly inputs: number;
  readonly columns: number;
  readonly input: number;
  readonly dOutput: number;
  readonly weights: number;
  readonly bias: number;
  readonly zeros: number;
}

function denseGradients(
  host: Host,
  layer: CorrelationLayer,
  input: TensorInfo,
  dOutput: TensorInfo,
  bounds: readonly number[],
): TensorInfo[] {
  const parts = bounds.length - 1;
  const [inputs, columns] = [layer.big[2], layer.small[2]];
  const weights = host.output([1, inputs, columns]);
  const bias = host.output([columns]);
  const zeros = host.zeros(Math.max(WIDEST_TILE, columns));
  const addresses = { input: host.address(input), dOutput: host.address(dOutput) };
  const operands = { ...addresses, inputs, columns, weights: weights.address, bias: bias.address, zeros };
  const rows = bounds[parts]!;
  const listed = { a: addresses.input, b: addresses.dOutput, m: inputs, n: columns, k: rows };
  const sparse = isWorthListing(host, listed, rows);
  const listBytes = sparse ? columnListBytes(inputs, parts, rows) : 0;
  const size = new TreeScratch(0, columns, parts, listBytes).end;
  const scratch = new TreeScratch(host.scratch(size), columns, parts, listBytes);
  placeParts(host, operands, bounds, scratch);
  biasGradient(host, operands, bounds, scratch);
  if (sparse && listedWeightGradient(host, operands, bounds, scratch)) return [weights.tensor, bias.tensor];
  if (parts > 1) weightGradientOfParts(host, operands, parts, scratch);
  else weightGradientOfOne(host, operands, rows);
  return [weights.tensor, bias.tensor];
}

/** Scratch of one call: the kernel's table and stack, the shards' sums of a bias, and lists of nonzeros. */
class TreeScratch {
  readonly table: number;
  readonly stack: number;
  readonly slots: number;
  readonly slotPitch: number;
  readonly lists: number;
  readonly end: number;

  constructor(start: number, columns: number, parts: number, listBytes: number) {
    const arena = new Arena(start);
    this.table = arena.reserve(parts * 3 * WORD);
    this.stack = arena.floats((Math.ceil(Math.log2(parts)) + 1) * LARGEST_TILE);
    this.slotPitch = Math.ceil(columns / WIDEST_TILE) * WIDEST_TILE * FLOAT;
    this.slots = arena.reserve(parts * this.slotPitch);
    this.lists = arena.reserve(listBytes);
    this.end = arena.end;
  }
}

/** Fills the table: where each shard's rows stand. */
function placeParts(
  host: Host,
  { inputs, columns, input, dOutput }: DenseOperands,
  bounds: readonly number[],
  { table }: TreeScratch,
): void {
  const [inputPitch, outputPitch] = [inputs * FLOAT, columns * FLOAT];
  const parts = bounds.length - 1;
  const words = host.words(table, parts * 3);
  for (let part = 0; part < parts; part++) {
    const first = bounds[part]!;
    const bytes = (bounds[part + 1]! - first) * outputPitch;
    words.set([input + first * inputPitch, dOutput + first * outputPitch, bytes], part * 3);
  }
}

function biasGradient(
  host: Host,
  { columns, dOutput, bias }: DenseOperands,
  bounds: readonly number[],
  { slots, slotPitch }: TreeScratch,
): void {
  const { kernels } = host;
  const parts = bounds.length - 1;
  for (let part = 0; part < parts; part++) {
    const first = bounds[part]!;
    const rows = bounds[part + 1]! - first;
    const values = dOutput + first * columns * FLOAT;
    kernels.columnSums(values, rows, columns, slots + part * slotPitch, 0);
  }
  kernels.treeReduce(slots, slotPitch, parts, columns);
  host.floats(bias, columns).set(host.floats(slots, columns));
}

/** False, and the weights' gradient undefined, where lists do not pay after all. */
function listedWeightGradient(
  host: Host,
  { inputs: m, columns: n, weights: out, zeros }: DenseOperands,
  bounds: readonly number[],
  { table, stack, lists }: TreeScratch,
): boolean {
  const shards = bounds.length - 1;
  const k = bounds[shards]!;
  return sumColumnLists(host, { m, n, k, shards, table, stack, zeros, lists, out, relu: false });
}

function weightGradientOfParts(
  host: Host,
  { inputs, columns, weights, zeros }: DenseOperands,
  parts: number,
  { table, stack }: TreeScratch,
): void {
  const [inputPitch, outputPitch] = [inputs * FLOAT, columns * FLOAT];
  for (let row = 0; row < inputs; row += UNIT_ROWS) {
    const rows = Math.min(UNIT_ROWS, inputs - row);
    const treeGradient = host.microKernels.treeGradient(rows);
    const target = weights + row * outputPitch;
    treeGradient(rows, columns, target, row * FLOAT, parts, table, inputPitch, outputPitch, zeros, stack);
  }
}

function weightGradientOfOne(
  host: Host,
  { inputs, columns, input, dOutput, weights, zeros }: DenseOperands,
  rows: number,
): void {
  const [inputPitch, outputPitch] = [inputs * FLOAT, columns * FLOAT];
  const filterGradient = host.microKernels.filterGradient(inputs);
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    filterGradient(
      inputs,
      columns,
      weights,
      input + row * inputPitch,
      inputPitch,
      0,
      dOutput + row * outputPitch,
      outputPitch,
      0,
      Math.min(BLOCK_ROWS, rows - row),
      1,
      row === 0 ? zeros : 0,
    );
  }
}
