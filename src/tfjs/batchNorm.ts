import { sizeOf } from './host.js';
import type { TrainingKernel } from './trainingKernel.js';

/** Statistics for each channel; others are left to the kernel that was there. */
export const BATCH_NORM: TrainingKernel = {
  kernelName: 'FusedBatchNorm',
  run({ host, inputs: { x, mean, variance, offset, scale }, attrs }) {
    const channels = x?.shape.at(-1);
    if (x?.dtype !== 'float32' || channels === undefined || mean === undefined || variance === undefined) {
      return undefined;
    }
    for (const each of [mean, variance, offset, scale]) {
      if (each && (each.dtype !== 'float32' || each.shape.length !== 1 || sizeOf(each.shape) !== channels)) {
        return undefined;
      }
    }
    const out = host.output(x.shape);
    const factor = host.scratch((channels + 4) * Float32Array.BYTES_PER_ELEMENT);
    host.kernels.normalizeRows(
      host.address(x),
      channels === 0 ? 0 : sizeOf(x.shape) / channels,
      channels,
      host.address(mean),
      host.address(variance),
      offset ? host.address(offset) : 0,
      scale ? host.address(scale) : 0,
      (attrs.varianceEpsilon as number | undefined) ?? 0.001,
      factor,
      out.address,
    );
    return out.tensor;
  },
};
