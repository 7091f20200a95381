// Weight and bias gradients of a dense layer for several shards at once, as a kernel of TensorFlow.js's
// backend wasm.

import { type Address, NONE, plus } from '../../kernels/address.js';
import { Arena } from '../../kernels/arena.js';
import { GRADIENT_BLOCK_ROWS, UNIT_ROWS } from '../../kernels/tuning.js';
import type { CorrelationLayer } from '../../model/model.js';
import { sumOuterProducts } from '../../products/matrixProduct.js';
import {
  placeShard,
  reserveShardTable,
  type ShardedOperands,
  shardedBiasGradient,
  shardedWeightGradient,
  slotBytes,
  treeStackBytes,
} from '../../products/shardedGradient.js';
import { columnListBytes, isWorthListing, sumColumnLists } from '../../products/sparseProduct.js';
import type { Host } from '../../tfjs/host.js';
import type { KernelArguments, TensorFlow, TensorInfo } from '../../tfjs/tensorflow.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export const DENSE_GRADIENTS = 'LowerboundDenseGradients';

/** Where the shards begin, and the last one ends, in rows. */
export interface DenseGradientsAttributes {
  readonly layer: CorrelationLayer;
  readonly bounds: readonly number[];
}

/**
 * Registers the kernel: input [1, rows, in] and dOutput [1, rows, out] to [1, in, out] and [out]. Each
 * shard's sums are its own, and are added by the tree of the all-reduce, so that the bits are those of one
 * shard after the other.
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

function denseGradients(
  host: Host,
  layer: CorrelationLayer,
  input: TensorInfo,
  dOutput: TensorInfo,
  bounds: readonly number[],
): TensorInfo[] {
  const shards = bounds.length - 1;
  const [inputs, columns] = [layer.big[2], layer.small[2]];
  const weights = host.output([1, inputs, columns]);
  const bias = host.output([columns]);
  const zeros = host.zeros(Math.max(host.panelWidth, columns));
  const rows = bounds[shards]!;
  const product = { a: host.address(input), b: host.address(dOutput), m: inputs, n: columns, k: rows };
  const sparse = isWorthListing(host, product, rows);
  const listBytes = sparse ? columnListBytes(inputs, shards, rows) : 0;
  const place = (arena: Arena) => placeScratch(arena, host, columns, shards, listBytes);
  const size = new Arena(0);
  place(size);
  const { slots, lists, ...scratch } = place(new Arena(host.scratch(size.end)));
  const [bigPitch, smallPitch] = [inputs * FLOAT, columns * FLOAT];
  const operands = { ...scratch, shards, columns, bigPitch, smallPitch, zeros };
  placeShards(host, operands, product, bounds);
  const slotPitch = slotBytes(columns);
  shardedBiasGradient(host.microKernels, host.allWords(), operands, slots, slotPitch);
  host.floats(bias.address, columns).set(host.floats(slots, columns));
  const out = weights.address;
  const outputs = [weights.tensor, bias.tensor];
  if (sparse && sumColumnLists(host, { ...operands, ...product, lists, out, relu: false })) return outputs;
  if (shards > 1) weightGradient(host, operands, inputs, out);
  else sumOuterProducts(host, { ...product, out, bias: NONE, relu: false }, GRADIENT_BLOCK_ROWS);
  return outputs;
}

/**
 * Scratch of one call: the shards' table, the tree's stack, the shards' sums of a bias, and lists of
 * nonzeros.
 */
function placeScratch(arena: Arena, host: Host, columns: number, shards: number, listBytes: number) {
  return {
    table: reserveShardTable(arena, shards),
    stack: arena.reserve(treeStackBytes(shards, host.microKernels.tile)),
    slots: arena.reserve(shards * slotBytes(columns)),
    lists: arena.reserve(listBytes),
  };
}

function placeShards(
  host: Host,
  operands: ShardedOperands,
  { a, b }: { readonly a: Address; readonly b: Address },
  bounds: readonly number[],
): void {
  const words = host.allWords();
  for (let shard = 0; shard < operands.shards; shard++) {
    const first = bounds[shard]!;
    placeShard(words, operands, shard, {
      input: plus(a, first * operands.bigPitch),
      dOutput: plus(b, first * operands.smallPitch),
      examples: bounds[shard + 1]! - first,
    });
  }
}

function weightGradient(host: Host, operands: ShardedOperands, inputs: number, out: Address): void {
  for (let row = 0; row < inputs; row += UNIT_ROWS) {
    const rows = Math.min(UNIT_ROWS, inputs - row);
    shardedWeightGradient(host.microKernels, operands, { row, rows }, plus(out, row * operands.smallPitch));
  }
}
