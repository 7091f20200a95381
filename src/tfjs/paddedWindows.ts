// Forward passes that stay TensorFlow.js's own, called with paddings that they get right.

import { explicitPadding, paddingOf } from './padding.js';
import type { Attributes } from './tensorflow.js';
import type { KernelCall, TrainingKernel } from './trainingKernel.js';

/** The kernel that was there, with paddings given as a number spelt out for each axis. */
function padded(kernelName: string, paddingFor: (call: KernelCall) => unknown): TrainingKernel {
  return {
    kernelName,
    run(call) {
      const pad = paddingFor(call);
      return pad === call.attrs.pad ? undefined : call.stock({ ...call.attrs, pad });
    },
  };
}

/** Stock TensorFlow.js computes zeros for `same` padding where a stride skips input. */
function ofDepthwise({ tf, inputs: { x, filter }, attrs }: KernelCall): unknown {
  const { strides, dilations, pad } = attrs;
  if (pad !== 'same' || x === undefined || filter === undefined) return explicitPadding(pad);
  if ([strides].flat().every((stride) => stride === 1)) return pad;
  const info = tf.backend_util.computeConv2DInfo(x.shape, filter.shape, strides, dilations ?? 1, pad);
  const reach = (taps: number, dilation: number) => (taps - 1) * dilation + 1;
  const skips =
    reach(info.filterHeight, info.dilationHeight) < info.strideHeight ||
    reach(info.filterWidth, info.dilationWidth) < info.strideWidth;
  const { top, bottom, left, right } = info.padInfo;
  return skips ? paddingOf(top, bottom, left, right) : pad;
}

const ofPooling = ({ attrs }: { readonly attrs: Attributes }) => explicitPadding(attrs.pad);

export const PADDED_WINDOWS: readonly TrainingKernel[] = [
  padded('AvgPool', ofPooling),
  padded('MaxPool', ofPooling),
  padded('DepthwiseConv2dNative', ofDepthwise),
  padded('FusedDepthwiseConv2D', ofDepthwise),
];
