// Sums, means and extremes over any axes, in place: stock TensorFlow.js transposes what is not reduced over
// its last axes.

import { type Address, plus } from '../kernels/address.js';
import { axesOf, type Grouping, groupAxes, reducedShape } from './axes.js';
import { type Host, sizeOf } from './host.js';
import type { TrainingKernel } from './trainingKernel.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

type Reduce = (host: Host, x: Address, grouping: Grouping, out: Address, reduced: number) => void;

function reduction(kernelName: string, reduce: Reduce): TrainingKernel {
  return {
    kernelName,
    run({ host, inputs: { x }, attrs }) {
      if (x?.dtype !== 'float32') return undefined;
      const axes = axesOf(attrs.axis ?? attrs.reductionIndices, x.shape.length);
      const grouping = groupAxes(x.shape, axes);
      if (grouping === undefined) return undefined;
      const out = host.output(reducedShape(x.shape, axes, attrs.keepDims === true));
      const { repeats, outer, kept, inner, columns } = grouping;
      const results = kept * columns * FLOAT;
      const terms = results * outer * inner;
      const source = host.address(x);
      for (let i = 0; i < repeats; i++) {
        reduce(host, plus(source, i * terms), grouping, plus(out.address, i * results), outer * inner);
      }
      return out.tensor;
    },
  };
}

function sum(
  host: Host,
  x: Address,
  { outer, kept, inner, columns }: Grouping,
  out: Address,
  scale: number,
): void {
  host.kernels.reduceSum({ x, outer, kept, inner, columns, scale, out });
}

/** Stock TensorFlow.js writes outside of its memory where the axis is negative. */
const cumulativeSum: TrainingKernel = {
  kernelName: 'Cumsum',
  run({ host, inputs: { x }, attrs }) {
    if (x?.dtype !== 'float32') return undefined;
    const axis = axesOf(attrs.axis, x.shape.length)[0] ?? 0;
    const out = host.output(x.shape);
    host.kernels.cumulativeSum({
      x: host.address(x),
      outer: sizeOf(x.shape.slice(0, axis)),
      count: x.shape[axis] ?? 1,
      inner: sizeOf(x.shape.slice(axis + 1)),
      exclusive: Number(attrs.exclusive === true),
      reverse: Number(attrs.reverse === true),
      out: out.address,
    });
    return out.tensor;
  },
};

/** The product of nothing: stock TensorFlow.js divides by zero there. */
const cumulativeProduct: TrainingKernel = {
  kernelName: 'Cumprod',
  run({ host, inputs: { x } }) {
    return x !== undefined && sizeOf(x.shape) === 0 ? host.output(x.shape, x.dtype).tensor : undefined;
  },
};

export const REDUCTIONS: readonly TrainingKernel[] = [
  reduction('Sum', (host, x, grouping, out) => sum(host, x, grouping, out, 1)),
  reduction('Mean', (host, x, grouping, out, reduced) => sum(host, x, grouping, out, 1 / reduced)),
  reduction('Max', (host, x, { outer, kept, inner, columns }, out) =>
    host.kernels.reduceMax(x, outer, kept, inner, columns, out),
  ),
  reduction('Min', (host, x, { outer, kept, inner, columns }, out) =>
    host.kernels.reduceMin(x, outer, kept, inner, columns, out),
  ),
  cumulativeSum,
  cumulativeProduct,
];
