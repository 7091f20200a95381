// Transpositions that exchange two groups of neighbouring axes: [a, r, c, d] to [a, c, r, d].

import { plus } from '../kernels/address.js';
import { sizeOf } from './host.js';
import type { TrainingKernel } from './trainingKernel.js';

const WORD = Int32Array.BYTES_PER_ELEMENT;

interface Exchange {
  readonly outer: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

/** Undefined where the permutation is another than the exchange of two groups. */
function exchangeOf(shape: readonly number[], perm: readonly number[]): Exchange | undefined {
  // Axes of one element may stand anywhere.
  const axes = perm.filter((axis) => shape[axis] !== 1);
  const sorted = [...axes].sort((a, b) => a - b);
  let from = 0;
  while (from < axes.length && axes[from] === sorted[from]) from++;
  let end = axes.length;
  while (end > from && axes[end - 1] === sorted[end - 1]) end--;
  const size = (list: readonly number[]) => sizeOf(list.map((axis) => shape[axis] ?? 1));
  const moved = axes.slice(from, end);
  const cut = moved.indexOf(sorted[from] ?? -1);
  const inOrder = cut <= 0 ? moved : [...moved.slice(cut), ...moved.slice(0, cut)];
  if (inOrder.some((axis, i) => axis !== sorted[from + i])) return undefined;
  return {
    outer: size(axes.slice(0, from)),
    rows: size(moved.slice(Math.max(cut, 0))),
    columns: size(moved.slice(0, Math.max(cut, 0))),
    inner: size(axes.slice(end)),
  };
}

const transpose: TrainingKernel = {
  kernelName: 'Transpose',
  run({ host, inputs: { x }, attrs }) {
    if (x === undefined || (x.dtype !== 'float32' && x.dtype !== 'int32')) return undefined;
    const perm = attrs.perm as readonly number[];
    // Stock TensorFlow.js divides by zero there.
    if (sizeOf(x.shape) === 0)
      return host.output(
        perm.map((axis) => x.shape[axis] ?? 1),
        x.dtype,
      ).tensor;
    const exchange = exchangeOf(x.shape, perm);
    if (exchange === undefined) return undefined;
    const { outer, rows, columns, inner } = exchange;
    const out = host.output(
      perm.map((axis) => x.shape[axis] ?? 1),
      x.dtype,
    );
    const { kernels } = host;
    const from = host.address(x);
    if (inner > 1) {
      kernels.exchangeSlices(from, outer, rows, columns, inner * WORD, out.address);
    } else {
      const bytes = rows * columns * WORD;
      for (let i = 0; i < outer; i++) {
        kernels.transposeTensor(plus(from, i * bytes), rows, columns, plus(out.address, i * bytes));
      }
    }
    return out.tensor;
  },
};

export const TRANSPOSITION: readonly TrainingKernel[] = [transpose];
