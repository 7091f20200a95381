import type { Address } from '../../kernels/address.js';
import type { Arena } from '../../kernels/arena.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { Tensor } from '../../products/tensor.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * A copy between two tensors of one size and different borders or rows, in runs that are contiguous in both.
 */
export interface Reshape {
  readonly table: Address;
  readonly pieces: number;
  readonly sourceStride: number;
  readonly targetStride: number;
}

export function planReshape(arena: Arena, source: Tensor, target: Tensor): Reshape {
  const entries: number[] = [];
  const sourceRow = source.width * source.channels;
  const targetRow = target.width * target.channels;
  for (let at = 0; at < source.size; ) {
    const length = Math.min(sourceRow - (at % sourceRow), targetRow - (at % targetRow));
    entries.push(byteOffset(source, at, sourceRow), byteOffset(target, at, targetRow), length * FLOAT);
    at += length;
  }
  return {
    table: arena.table(entries),
    pieces: entries.length / 3,
    sourceStride: source.imageStride,
    targetStride: target.imageStride,
  };
}

function byteOffset(tensor: Tensor, element: number, row: number): number {
  return tensor.offset(0, Math.floor(element / row), 0) + (element % row) * FLOAT;
}

export function reshape(
  kernels: Kernels,
  { table, pieces, sourceStride, targetStride }: Reshape,
  source: Address,
  target: Address,
  images: number,
): void {
  kernels.copyPieces({ table, pieces, source, target, images, sourceStride, targetStride });
}
