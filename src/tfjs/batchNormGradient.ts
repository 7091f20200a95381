// The gradient of tf.batchNorm where the statistics are no vector for the last axis: tfjs-core does not sum
// over the axes along which they were broadcast.

import { filled, type MendedGradient, product, type Run, summedTo } from './composition.js';
import type { TensorInfo } from './tensorflow.js';

/** y = (x − mean) · (variance + ε)^−½ · scale + offset. */
export function batchNormGradient(run: Run): MendedGradient {
  return (dy, saved, attrs) => {
    const [x, mean, variance, scale] = saved as [TensorInfo, TensorInfo, TensorInfo, TensorInfo?];
    if (mean.shape.length === 1) return undefined;
    const epsilon = filled(run, [], attrs.varianceEpsilon as number);
    const deviation = run('Rsqrt', { x: run('Add', { a: variance, b: epsilon }) });
    const centred = () => run('Sub', { a: x, b: mean });
    const scaled = () => (scale ? product(run, dy, scale) : dy);
    const dx = () => product(run, scaled(), deviation);
    return {
      x: dx,
      mean: () => summedTo(run, run('Neg', { x: dx() }), mean.shape),
      variance: () => {
        const cube = product(run, deviation, product(run, deviation, deviation));
        const slope = product(run, cube, filled(run, [], -0.5));
        return product(run, summedTo(run, product(run, scaled(), centred()), mean.shape), slope);
      },
      scale: () => summedTo(run, product(run, dy, product(run, centred(), deviation)), mean.shape),
      offset: () => summedTo(run, dy, mean.shape),
    };
  };
}
