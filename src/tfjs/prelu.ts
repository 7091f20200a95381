import { product, runnerOf } from './composition.js';
import type { TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

/**
 * Slopes that are not one for each of the last axes: stock TensorFlow.js takes them in the order of memory.
 */
export const PRELU: TrainingKernel = {
  kernelName: 'Prelu',
  run({ tf, inputs: { x, alpha } }) {
    if (x?.dtype !== 'float32' || alpha?.dtype !== 'float32') return undefined;
    const first = alpha.shape.findIndex((size) => size !== 1);
    const own = first < 0 ? [] : alpha.shape.slice(first);
    const trailing = own.length === 0 ? [] : x.shape.slice(-own.length);
    if (String(own) === String(trailing)) return undefined;
    const run = runnerOf(tf);
    return tf.engine().tidy(() => {
      const negative = run('Less', { a: x, b: run('ZerosLike', { x }) });
      return run('Select', { condition: negative, t: product(run, x, alpha), e: x });
    }) as TensorInfo;
  },
};
