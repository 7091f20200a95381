// tf.maxPoolWithArgmax. Stock TensorFlow.js begins with the smallest positive number, and so takes that for
// the largest of negative ones.

import { sizeOf } from './host.js';
import type { WindowInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

interface Maps {
  readonly x: Float32Array;
  readonly largest: Float32Array;
  readonly positions: Int32Array;
}

/** For each number of the output the largest of its window, and where it stands in its image. */
function pool(info: WindowInfo, { x, largest, positions }: Maps, withBatch: boolean): void {
  const { inHeight, inWidth, inChannels: channels, outHeight, outWidth } = info;
  let out = 0;
  for (let image = 0; image < info.batchSize; image++) {
    const start = image * inHeight * inWidth * channels;
    for (let row = 0; row < outHeight; row++) {
      const top = row * info.strideHeight - info.padInfo.top;
      for (let column = 0; column < outWidth; column++) {
        const left = column * info.strideWidth - info.padInfo.left;
        for (let channel = 0; channel < channels; channel++, out++) {
          let best = -1;
          for (let y = Math.max(top, 0); y < Math.min(top + info.filterHeight, inHeight); y++) {
            for (let at = Math.max(left, 0); at < Math.min(left + info.filterWidth, inWidth); at++) {
              const place = (y * inWidth + at) * channels + channel;
              if (best < 0 || x[start + place]! > x[start + best]!) best = place;
            }
          }
          largest[out] = x[start + best]!;
          positions[out] = withBatch ? start + best : best;
        }
      }
    }
  }
}

export const POOLING_POSITIONS: TrainingKernel = {
  kernelName: 'MaxPoolWithArgmax',
  run({ tf, host, inputs: { x }, attrs }) {
    if (x?.dtype !== 'float32') return undefined;
    const { filterSize, strides, pad, includeBatchInIndex } = attrs;
    const info = tf.backend_util.computePool2DInfo(x.shape, filterSize, strides, 1, pad);
    const shape = [info.batchSize, info.outHeight, info.outWidth, info.inChannels];
    const [pooled, places] = [host.output(shape), host.output(shape, 'int32')];
    const count = sizeOf(shape);
    const input = host.address(x);
    const maps = {
      x: host.floats(input, sizeOf(x.shape)),
      largest: host.floats(pooled.address, count),
      positions: host.integers(places.tensor),
    };
    pool(info, maps, includeBatchInIndex === true);
    return [pooled.tensor, places.tensor];
  },
};
