// Gradients that tfjs-core has wrong, or that throw: mended on the backend `wasm`.

import { axesOf } from './axes.js';
import { batchNormGradient } from './batchNormGradient.js';
import {
  type Gradient,
  type MendedGradient,
  product,
  type Run,
  runnerOf,
  scatteredAlong,
  summedTo,
} from './composition.js';
import { convolutionGradients } from './convolutionGradients.js';
import { matrixProductGradient } from './matrixProductGradient.js';
import { quotientGradient } from './quotientGradient.js';
import type { TensorFlow, TensorInfo } from './tensorflow.js';
import { floorDivisionGradient } from './zeroGradients.js';

/** By the kernel that they are gradients of. */
export function mendedGradients(tf: TensorFlow): Readonly<Record<string, MendedGradient>> {
  const run = runnerOf(tf);
  return {
    // tfjs-core does not sum over the axes along which an operand was broadcast.
    Maximum: extreme(run, 'GreaterEqual', 'Less'),
    Minimum: extreme(run, 'LessEqual', 'Greater'),
    SquaredDifference: (dy, saved) => {
      const [a, b] = saved as [TensorInfo, TensorInfo];
      const twice = (x: TensorInfo, y: TensorInfo) => {
        const difference = run('Sub', { a: x, b: y });
        return product(run, dy, run('Add', { a: difference, b: difference }));
      };
      return { a: () => summedTo(run, twice(a, b), a.shape), b: () => summedTo(run, twice(b, a), b.shape) };
    },
    // tfjs-core transposes a gradient that is in the right order already.
    Cumsum: (dy, _, { axis, exclusive, reverse }) => ({
      x: () => run('Cumsum', { x: dy }, { axis, exclusive, reverse: reverse !== true }),
    }),
    // tfjs-core calls methods that not every package gives tensors, and takes no negative axis.
    Prod: (dy, saved, { axis }) => ({ x: () => productGradient(run, dy, saved[0] as TensorInfo, axis) }),
    // tfjs-core slices and adds once for each repetition.
    Tile: (dy, saved, { reps }) => ({ x: () => tileGradient(run, dy, saved[0] as TensorInfo, reps) }),
    // tfjs-core refuses dilations, which our kernels take.
    DepthwiseConv2dNative: (dy, saved, attrs) => {
      const [x, filter] = saved as [TensorInfo, TensorInfo];
      const rest = { ...attrs, dilations: attrs.dilations ?? 1 };
      const back = (name: string) => `DepthwiseConv2dNativeBackprop${name}`;
      return {
        x: () => run(back('Input'), { dy, filter }, { ...rest, inputShape: x.shape }),
        filter: () => run(back('Filter'), { x, dy }, { ...rest, filterShape: filter.shape }),
      };
    },
    // tfjs-core drops what reaches the output through the mirrored border.
    MirrorPad: (dy, saved, attrs) => ({
      x: () => mirrorGradient(tf, run, dy, saved[0] as TensorInfo, attrs),
    }),
    BatchMatMul: matrixProductGradient(run),
    FusedBatchNorm: batchNormGradient(run),
    FloorDiv: floorDivisionGradient(run),
    RealDiv: quotientGradient(tf, run),
    ...convolutionGradients(tf, run),
  };
}

/** dy to the operand that won; to a where both are equal. */
function extreme(run: Run, toA: string, toB: string): Gradient {
  return (dy, saved) => {
    const [a, b] = saved as [TensorInfo, TensorInfo];
    const part = (comparison: string, operand: TensorInfo) => {
      const chosen = run('Cast', { x: run(comparison, { a, b }) }, { dtype: 'float32' });
      return summedTo(run, product(run, dy, chosen), operand.shape);
    };
    return { a: () => part(toA, a), b: () => part(toB, b) };
  };
}

/** dy · the product of all the others, which is the product of those before times that of those behind. */
function productGradient(run: Run, dy: TensorInfo, x: TensorInfo, axis: unknown): TensorInfo {
  const rank = x.shape.length;
  const axes = axesOf(axis, rank);
  // The reduced axes last, as one.
  const perm = [...x.shape.keys()].sort(
    (i, k) => Number(axes.includes(i)) - Number(axes.includes(k)) || i - k,
  );
  const moved = run('Transpose', { x }, { perm });
  const count = axes.reduce((size, i) => size * (x.shape[i] ?? 1), 1);
  const rows = x.shape.reduce((size, extent) => size * extent, 1) / count;
  const flat = run('Reshape', { x: moved }, { shape: [rows, count] });
  const others = (reverse: boolean) => run('Cumprod', { x: flat }, { axis: 1, exclusive: true, reverse });
  const column = run('Reshape', { x: dy }, { shape: [rows, 1] });
  const gradient = product(run, column, product(run, others(false), others(true)));
  const back = perm.map((_, i) => perm.indexOf(i));
  return run('Transpose', { x: run('Reshape', { x: gradient }, { shape: moved.shape }) }, { perm: back });
}

/** The sum over the repetitions: each axis becomes (repetition, position). */
function tileGradient(run: Run, dy: TensorInfo, x: TensorInfo, reps: unknown): TensorInfo {
  const times = reps as readonly number[];
  const shape = x.shape.flatMap((size, i) => [times[i] ?? 1, size]);
  const axis = x.shape.flatMap((_, i) => (times[i] === 1 ? [] : [2 * i]));
  const apart = run('Reshape', { x: dy }, { shape });
  const sum = axis.length === 0 ? apart : run('Sum', { x: apart }, { axis, keepDims: false });
  return run('Reshape', { x: sum }, { shape: [...x.shape] });
}

/** Each axis in turn: every output position adds to the input position that it was copied from. */
function mirrorGradient(
  tf: TensorFlow,
  run: Run,
  dy: TensorInfo,
  x: TensorInfo,
  { paddings, mode }: Readonly<Record<string, unknown>>,
): TensorInfo {
  let gradient = dy;
  (paddings as readonly (readonly [number, number])[]).forEach(([before, behind], axis) => {
    if (before === 0 && behind === 0) return;
    const size = x.shape[axis] ?? 1;
    const sources = Array.from({ length: before + size + behind }, (_, at) =>
      mirrored(at - before, size, mode === 'symmetric'),
    );
    gradient = scatteredAlong(tf, run, gradient, axis, sources, size);
  });
  return gradient;
}

/** The input position that an output position shows; a symmetric border shows the edge twice. */
function mirrored(at: number, size: number, symmetric: boolean): number {
  const inset = symmetric ? 1 : 0;
  if (at < 0) return -at - inset;
  return at < size ? at : 2 * (size - 1) - at + inset;
}
