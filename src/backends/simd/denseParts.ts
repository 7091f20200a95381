import type { Arena } from '../../kernels/arena.js';
import type { CorrelationLayer, Layer } from '../../model/model.js';
import type { MicroKernels } from './microKernels.js';
import type { GradientSums } from './network.js';
import type { Tensor } from './tensor.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Rows of a dense layer's weights at a time: a multiple of both tiles' heights; blocks of all levels stay in the first-level cache. */
const BLOCK_ROWS = 12;

type InputRows = Pick<Tensor, 'activation' | 'imageStride'>;
type OutputRows = Pick<Tensor, 'gradient' | 'imageStride'>;

/** Buffers of one block: one for each level of the tree, and one for the shard at hand. */
export interface PartScratch {
  readonly levels: readonly number[];
  readonly current: number;
}

export function planPartScratch(arena: Arena, layers: readonly Layer[], parts: number): PartScratch {
  if (parts === 1) return { levels: [], current: 0 };
  const columns = layers.map((layer) => (layer.kind === 'correlation' ? layer.small[2] : 0));
  const block = BLOCK_ROWS * Math.max(...columns) + 8;
  return {
    levels: Array.from({ length: Math.log2(parts) }, () => arena.floats(block)),
    current: arena.floats(block),
  };
}

/**
 * A dense layer's gradients of several shards, summed by the tree of the all-reduce: block of weights by block, so that
 * only the sum leaves the first-level cache. The same bits as each shard's gradient in a slot of its own and treeReduce.
 */
export function addDenseParts(
  kernels: MicroKernels,
  layer: CorrelationLayer,
  { input, output }: { readonly input: InputRows; readonly output: OutputRows },
  sums: GradientSums,
  zeros: number,
  scratch: PartScratch,
): void {
  const inputs = layer.big[2];
  const columns = layer.small[2];
  const weights = sums.gradient + layer.weights.offset * FLOAT;
  for (let row = 0; row < inputs; row += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, inputs - row);
    const filterGradient = kernels.filterGradient(rows);
    const target = weights + row * columns * FLOAT;
    for (let part = 0; part < sums.parts; part++) {
      const first = sums.bounds[part]! * sums.scale;
      const count = sums.bounds[part + 1]! * sums.scale - first;
      filterGradient(
        rows,
        columns,
        placeOf(part, scratch),
        input.activation + first * input.imageStride + row * FLOAT,
        input.imageStride,
        0,
        output.gradient + first * output.imageStride,
        output.imageStride,
        0,
        count,
        1,
        zeros,
      );
      addUp(kernels, part, sums.parts, scratch, target, rows * columns);
    }
  }
  addBiasParts(kernels, layer, output, sums, scratch);
}

function addBiasParts(
  kernels: MicroKernels,
  layer: CorrelationLayer,
  output: OutputRows,
  sums: GradientSums,
  scratch: PartScratch,
): void {
  const columns = layer.small[2];
  const target = sums.gradient + layer.bias.offset * FLOAT;
  for (let part = 0; part < sums.parts; part++) {
    const first = sums.bounds[part]! * sums.scale;
    const count = sums.bounds[part + 1]! * sums.scale - first;
    const values = output.gradient + first * output.imageStride;
    kernels.kernels.columnSums(values, count, columns, placeOf(part, scratch), 0);
    addUp(kernels, part, sums.parts, scratch, target, columns);
  }
}

/** An even shard waits in level 0 for its neighbour. */
function placeOf(part: number, scratch: PartScratch): number {
  return part % 2 === 0 ? scratch.levels[0]! : scratch.current;
}

/** Like a binary counter: each trailing one of the shard's number is a neighbour that waits, and the sum moves up a level. */
function addUp(
  kernels: MicroKernels,
  part: number,
  parts: number,
  scratch: PartScratch,
  target: number,
  count: number,
): void {
  for (let level = 0; (part >> level) % 2 === 1; level++) {
    const root = 2 << level === parts;
    const waits = (part >> (level + 1)) % 2 === 0;
    const out = root ? target : waits ? scratch.levels[level + 1]! : scratch.current;
    kernels.kernels.addSpans(scratch.levels[level]!, scratch.current, out, count);
    if (root) return;
  }
}
