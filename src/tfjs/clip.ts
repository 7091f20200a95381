import { runnerOf } from './composition.js';
import type { TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

/** Clips whole numbers: stock TensorFlow.js takes their bits for those of float32. */
export const CLIP: TrainingKernel = {
  kernelName: 'ClipByValue',
  run({ tf, inputs: { x }, attrs }) {
    if (x?.dtype !== 'int32') return undefined;
    const run = runnerOf(tf);
    const limit = (value: unknown) =>
      run('Fill', {}, { shape: [], value: Math.trunc(value as number), dtype: 'int32' });
    return tf.engine().tidy(() => {
      const raised = run('Maximum', { a: x, b: limit(attrs.clipValueMin) });
      return run('Minimum', { a: raised, b: limit(attrs.clipValueMax) });
    }) as TensorInfo;
  },
};
