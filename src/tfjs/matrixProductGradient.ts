// The gradient of tf.matMul where batches are broadcast: tfjs-core does not sum over them.

import { type MendedGradient, type Run, reshape, summedTo } from './composition.js';
import { sizeOf } from './host.js';
import type { TensorInfo } from './tensorflow.js';

/** The gradient of op(A) · op(B), [..., m, n]. */
export function matrixProductGradient(run: Run): MendedGradient {
  const multiply = (a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean) =>
    run('BatchMatMul', { a, b }, { transposeA, transposeB });
  return (dy, saved, attrs) => {
    const [a, b] = saved as [TensorInfo, TensorInfo];
    const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
    if (String(batchA) === String(batchB)) return undefined;
    const transposeA = attrs.transposeA === true;
    const transposeB = attrs.transposeB === true;
    return {
      a: () =>
        summedTo(
          run,
          transposeA ? multiply(b, dy, transposeB, true) : multiply(dy, b, false, !transposeB),
          a.shape,
        ),
      b: () => {
        // One B for all: the batches of A are rows of one matrix.
        const together = !transposeA && sizeOf(batchB) === 1;
        const [x, y] = together ? [asRows(run, a), asRows(run, dy)] : [a, dy];
        return summedTo(
          run,
          transposeB ? multiply(y, x, true, transposeA) : multiply(x, y, !transposeA, false),
          b.shape,
        );
      },
    };
  };
}

function asRows(run: Run, x: TensorInfo): TensorInfo {
  return reshape(run, x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);
}
