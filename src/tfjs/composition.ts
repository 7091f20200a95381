// What gradients are composed of: kernels, run by their names.

import { sizeOf } from './host.js';
import type { GradientConfig, TensorFlow, TensorInfo } from './tensorflow.js';

export type Gradient = GradientConfig['gradFunc'];

/** A gradient of ours; undefined where tfjs-core's own is as good for this call. */
export type MendedGradient = (...call: Parameters<Gradient>) => ReturnType<Gradient> | undefined;

export type Run = (name: string, inputs: object, attrs?: object) => TensorInfo;

export function runnerOf(tf: TensorFlow): Run {
  return (name, inputs, attrs) => tf.engine().runKernel(name, inputs, attrs) as TensorInfo;
}

export function product(run: Run, a: TensorInfo, b: TensorInfo): TensorInfo {
  return run('Multiply', { a, b });
}

export function reshape(run: Run, x: TensorInfo, shape: readonly number[]): TensorInfo {
  return run('Reshape', { x }, { shape: [...shape] });
}

export function filled(run: Run, shape: readonly number[], value: number): TensorInfo {
  return run('Fill', {}, { shape: [...shape], value, dtype: 'float32' });
}

/** Sums over the axes along which a tensor of `shape` was broadcast. */
export function summedTo(run: Run, x: TensorInfo, shape: readonly number[]): TensorInfo {
  const lead = x.shape.length - shape.length;
  const axis = x.shape.flatMap((size, i) => (i < lead || (shape[i - lead] === 1 && size !== 1) ? [i] : []));
  const sum = axis.length === 0 ? x : run('Sum', { x }, { axis, keepDims: false });
  return reshape(run, sum, shape);
}

/**
 * The slices of x along an axis, each added to the position of an axis of `size` that stands for it.
 * @param positions one for each slice, all in [0, size).
 */
export function scatteredAlong(
  tf: TensorFlow,
  run: Run,
  x: TensorInfo,
  axis: number,
  positions: readonly number[],
  size: number,
): TensorInfo {
  const segmentIds = tf.tensor1d([...positions], 'int32');
  // The axis first, and back: the exchange of two axes is its own inverse.
  const perm = [...x.shape.keys()].map((i) => (i === 0 ? axis : i === axis ? 0 : i));
  const first = run('Transpose', { x }, { perm });
  const summed = run('UnsortedSegmentSum', { x: first, segmentIds }, { numSegments: size });
  return run('Transpose', { x: summed }, { perm });
}

/** The rows of x added into `count` rows: row i goes to row ids[i]. */
export function summedRows(run: Run, x: TensorInfo, ids: TensorInfo, count: number): TensorInfo {
  const rows = sizeOf(ids.shape);
  const flat = reshape(run, x, [rows, rows === 0 ? 0 : sizeOf(x.shape) / rows]);
  const segmentIds = reshape(run, ids, [rows]);
  return run('UnsortedSegmentSum', { x: flat, segmentIds }, { numSegments: count });
}
