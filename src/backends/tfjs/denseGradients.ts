// Weight and bias gradients of a dense layer for several shards at once, as a kernel of TensorFlow.js's backend wasm.

import { Arena } from '../../kernels/arena.js';
import type { CorrelationLayer } from '../../model/model.js';
import type { Host } from '../../tfjs/host.js';
import type { KernelArguments, TensorFlow, TensorInfo } from '../../tfjs/tensorflow.js';
import { addDenseParts, type PartScratch, planPartScratch } from '../simd/denseParts.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export const DENSE_GRADIENTS = 'LowerboundDenseGradients';

/** Kernels start their sums from as many zeros: a tile's columns. */
const WIDEST_TILE = 16;

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
  const scratches = new Map<string, PartScratch>();
  const scratchOf = (layer: CorrelationLayer, parts: number): PartScratch => {
    const key = `${layer.small[2]} ${parts}`;
    let scratch = scratches.get(key);
    if (scratch === undefined) {
      const bytes = new Arena(0);
      planPartScratch(bytes, [layer], parts);
      scratch = planPartScratch(new Arena(host.heap.allocate(bytes.end)), [layer], parts);
      scratches.set(key, scratch);
    }
    return scratch;
  };
  tf.registerKernel({
    kernelName: DENSE_GRADIENTS,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }: KernelArguments) => {
      const { layer, bounds } = attrs as unknown as DenseGradientsAttributes;
      return denseGradients(host, layer, inputs.input!, inputs.dOutput!, bounds, (parts) =>
        scratchOf(layer, parts),
      );
    },
  });
}

function denseGradients(
  host: Host,
  layer: CorrelationLayer,
  input: TensorInfo,
  dOutput: TensorInfo,
  bounds: readonly number[],
  scratchOf: (parts: number) => PartScratch,
): TensorInfo[] {
  const parts = bounds.length - 1;
  const [inputs, columns] = [layer.big[2], layer.small[2]];
  const weights = host.output([1, inputs, columns]);
  const bias = host.output([columns]);
  const scratch = scratchOf(parts);
  const zeros = host.zeros(WIDEST_TILE);
  // After all that may make the memory grow.
  const [from, d] = [host.address(input), host.address(dOutput)];
  if (parts > 1) {
    addDenseParts(
      host.microKernels,
      // Its parameters are tensors of their own here.
      {
        ...layer,
        weights: { ...layer.weights, offset: 0 },
        bias: { ...layer.bias, offset: (bias.address - weights.address) / FLOAT },
      },
      {
        input: { activation: from, imageStride: inputs * FLOAT },
        output: { gradient: d, imageStride: columns * FLOAT },
      },
      { gradient: weights.address, accumulate: false, parts, bounds: Int32Array.from(bounds), scale: 1 },
      zeros,
      scratch,
    );
  } else {
    const rows = bounds[1]!;
    const [fromPitch, dPitch] = [inputs * FLOAT, columns * FLOAT];
    const filterGradient = host.microKernels.filterGradient(inputs);
    for (let row = 0; row < rows; row += BLOCK_ROWS) {
      filterGradient(
        inputs,
        columns,
        weights.address,
        from + row * fromPitch,
        fromPitch,
        0,
        d + row * dPitch,
        dPitch,
        0,
        Math.min(BLOCK_ROWS, rows - row),
        1,
        row === 0 ? zeros : 0,
      );
    }
    host.microKernels.kernels.columnSums(d, rows, columns, bias.address, 0);
  }
  return [weights.tensor, bias.tensor];
}
