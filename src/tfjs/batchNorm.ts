import { NONE } from '../kernels/address.js';
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
    host.kernels.normalizeRows({
      x: host.address(x),
      rows: channels === 0 ? 0 : sizeOf(x.shape) / channels,
      channels,
      mean: host.address(mean),
      variance: host.address(variance),
      offset: offset ? host.address(offset) : NONE,
      scale: scale ? host.address(scale) : NONE,
      epsilon: (attrs.varianceEpsilon as number | undefined) ?? 0.001,
      factor,
      out: out.address,
    });
    return out.tensor;
  },
};
