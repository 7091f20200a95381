// Gradients of the convolution of volumes, which stock TensorFlow.js computes wrongly on several examples.

import type { TrainingKernel } from './trainingKernel.js';
import { volumeGeometry } from './windowGeometry.js';

const inputGradient: TrainingKernel = {
  kernelName: 'Conv3DBackpropInputV2',
  run({ tf, host, inputs: { dy, filter }, attrs: { inputShape, strides, pad, dilations } }) {
    if (dy?.dtype !== 'float32' || filter?.dtype !== 'float32') return undefined;
    const shape = inputShape as readonly number[];
    const table = host.plan(`volume ${shape} ${filter.shape} ${strides} ${pad} ${dilations}`, (arena) => {
      const info = tf.backend_util.computeConv3DInfo(shape, filter.shape, strides, dilations ?? 1, pad);
      return arena.table(volumeGeometry(info, [info.outDepth, info.outHeight, info.outWidth]));
    });
    const out = host.output(shape);
    host.kernels.volumeInputGradient(table, host.address(dy), host.address(filter), out.address);
    return out.tensor;
  },
};

const filterGradient: TrainingKernel = {
  kernelName: 'Conv3DBackpropFilterV2',
  run({ tf, host, inputs: { x, dy }, attrs: { filterShape, strides, pad, dilations } }) {
    if (x?.dtype !== 'float32' || dy?.dtype !== 'float32') return undefined;
    const shape = filterShape as readonly number[];
    const table = host.plan(`volume ${x.shape} ${shape} ${strides} ${pad} ${dilations}`, (arena) => {
      const info = tf.backend_util.computeConv3DInfo(x.shape, shape, strides, dilations ?? 1, pad);
      return arena.table(volumeGeometry(info, [info.outDepth, info.outHeight, info.outWidth]));
    });
    const out = host.output(shape);
    host.kernels.volumeFilterGradient(table, host.address(x), host.address(dy), out.address);
    return out.tensor;
  },
};

export const VOLUME_CONVOLUTION: readonly TrainingKernel[] = [inputGradient, filterGradient];
