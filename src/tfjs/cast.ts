import { runnerOf } from './composition.js';
import { isPlain } from './identity.js';
import type { TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

/**
 * To the same dtype without a copy. To bool: stock TensorFlow.js keeps the lowest byte of the whole part, so
 * that 0.4 is false and −2 is 254.
 */
export const CAST: TrainingKernel = {
  kernelName: 'Cast',
  run({ tf, host, inputs: { x }, attrs: { dtype } }) {
    if (x === undefined || !isPlain(x.dtype)) return undefined;
    if (x.dtype === dtype) return host.reshaped(x, x.shape);
    if (dtype !== 'bool') return undefined;
    const run = runnerOf(tf);
    return tf.engine().tidy(() => {
      const zero = run('Fill', {}, { shape: [], value: 0, dtype: x.dtype });
      return run('NotEqual', { a: x, b: zero });
    }) as TensorInfo;
  },
};
