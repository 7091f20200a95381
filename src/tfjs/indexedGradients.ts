// Gradients of what picks or places by indices.

import { type MendedGradient, type Run, reshape, summedRows } from './composition.js';
import { sizeOf } from './host.js';
import type { GradientConfig, TensorFlow, TensorInfo } from './tensorflow.js';

/** tfjs-core's needs methods that not every package gives tensors, and knows one batch axis at most. */
export function batchedGatherGradient(run: Run): MendedGradient {
  return (dy, saved, attrs) => {
    const [x, indices] = saved as [TensorInfo, TensorInfo];
    const given = (attrs.batchDims as number | undefined) ?? 0;
    if (given === 0) return undefined;
    const batchAxes = given < 0 ? given + indices.shape.length : given;
    const axis = ((attrs.axis as number) + x.shape.length) % x.shape.length;
    // x: [batches, outer, extent, inner]; indices: [batches, picks].
    const batches = sizeOf(x.shape.slice(0, batchAxes));
    const outer = sizeOf(x.shape.slice(batchAxes, axis));
    const extent = x.shape[axis] ?? 1;
    const picks = sizeOf(indices.shape) / batches;
    return {
      x: () => {
        const starts = reshape(run, rowStarts(run, batches * outer, extent), [batches, outer, 1]);
        const ids = run('Add', { a: reshape(run, indices, [batches, 1, picks]), b: starts });
        return reshape(run, summedRows(run, dy, ids, batches * outer * extent), x.shape);
      },
      indices: () => indices,
    };
  };
}

/** The gradient of tf.gatherND: every slice goes back to where it was picked. */
export function gatherPointsGradient(tf: TensorFlow, run: Run): GradientConfig {
  return {
    kernelName: 'GatherNd',
    inputsToSave: ['params', 'indices'],
    gradFunc: (dy, saved) => {
      const [x, indices] = saved as [TensorInfo, TensorInfo];
      return {
        params: () => {
          const places = x.shape.slice(0, indices.shape.at(-1));
          const steps = places.map((_, i) => sizeOf(places.slice(i + 1)));
          const parts = run('Multiply', { a: indices, b: tf.tensor1d(steps, 'int32') });
          const ids = run('Sum', { x: parts }, { axis: [indices.shape.length - 1], keepDims: false });
          return reshape(run, summedRows(run, dy, ids, sizeOf(places)), x.shape);
        },
      };
    },
  };
}

/** The gradient of tf.scatterND, which adds up what goes to the same place. */
export function scatterPointsGradient(run: Run): GradientConfig {
  return {
    kernelName: 'ScatterNd',
    inputsToSave: ['indices'],
    gradFunc: (dy, [indices]) => ({ updates: () => run('GatherNd', { params: dy, indices }) }),
  };
}

/** The gradient of tf.topk: along the last axis, those of the values go back to where these stood. */
export function largestGradient(run: Run): GradientConfig {
  return {
    kernelName: 'TopK',
    inputsToSave: ['x'],
    outputsToSave: [false, true],
    gradFunc: (dys, saved) => {
      const [x, indices] = saved as [TensorInfo, TensorInfo];
      // An operation with several outputs has one for each.
      const [dy] = dys as unknown as [TensorInfo];
      return {
        x: () => {
          const extent = x.shape.at(-1) ?? 1;
          const rows = extent === 0 ? 0 : sizeOf(x.shape) / extent;
          const starts = reshape(run, rowStarts(run, rows, extent), [rows, 1]);
          const picks = indices.shape.at(-1) ?? 0;
          const ids = run('Add', { a: reshape(run, indices, [rows, picks]), b: starts });
          return reshape(run, summedRows(run, dy, ids, rows * extent), x.shape);
        },
      };
    },
  };
}

/** 0, extent, 2 · extent …: where each of `rows` rows begins. */
function rowStarts(run: Run, rows: number, extent: number): TensorInfo {
  return run('Range', {}, { start: 0, stop: rows * extent, step: extent, dtype: 'int32' });
}
