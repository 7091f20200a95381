// Pooling and morphological dilation: largest values and averages of windows, and their gradients.

import { type Address, NONE } from '../kernels/address.js';
import { sizeOf } from './host.js';
import { explicitPadding } from './padding.js';
import type { Attributes, TensorFlow, TensorInfo } from './tensorflow.js';
import type { KernelCall, TrainingKernel } from './trainingKernel.js';
import { imageGeometry, volumeGeometry } from './windowGeometry.js';

type Geometry = (
  tf: TensorFlow,
  shape: readonly number[],
  attrs: Attributes,
  out: readonly number[],
) => number[];

/**
 * The gradients' output shapes are taken from dy: TensorFlow.js does not tell them the rounding mode of
 * averages.
 */
const ofImages: Geometry = (
  tf,
  shape,
  { filterSize, strides, pad, dimRoundingMode },
  [, height = 0, width = 0],
) => {
  const info = tf.backend_util.computePool2DInfo(
    shape,
    filterSize,
    strides,
    1,
    explicitPadding(pad),
    dimRoundingMode,
  );
  return imageGeometry(info, [height, width]);
};

const ofVolumes: Geometry = (
  tf,
  shape,
  { filterSize, strides, pad, dimRoundingMode },
  [, depth = 0, height = 0, width = 0],
) => {
  const info = tf.backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  return volumeGeometry(info, [depth, height, width]);
};

/** Address of the table, made once for each geometry. */
function geometryOf(
  geometry: Geometry,
  { tf, host, attrs }: KernelCall,
  x: TensorInfo,
  out: readonly number[],
): Address {
  const key = `windows ${geometry === ofImages} ${x.shape} ${out} ${JSON.stringify(attrs)}`;
  return host.plan(key, (arena) => arena.table(geometry(tf, x.shape, attrs, out)));
}

function allFloat32(...tensors: (TensorInfo | undefined)[]): boolean {
  return tensors.every((tensor) => tensor?.dtype === 'float32');
}

function maximumGradient(kernelName: string, geometry: Geometry): TrainingKernel {
  return {
    kernelName,
    run(call) {
      const { host, inputs } = call;
      const { dy, input } = inputs;
      if (dy === undefined || input === undefined || !allFloat32(dy, input)) return undefined;
      const table = geometryOf(geometry, call, input, dy.shape);
      const out = host.output(input.shape);
      host.kernels.windowMaxInputGradient(table, host.address(input), NONE, host.address(dy), out.address);
      return out.tensor;
    },
  };
}

function averageGradient(kernelName: string, geometry: Geometry): TrainingKernel {
  return {
    kernelName,
    run(call) {
      const { host, inputs } = call;
      const { dy, input } = inputs;
      if (dy === undefined || input === undefined || !allFloat32(dy, input)) return undefined;
      const table = geometryOf(geometry, call, input, dy.shape);
      const out = host.output(input.shape);
      host.kernels.windowAverageGradient(table, host.address(dy), out.address);
      return out.tensor;
    },
  };
}

/** Stock TensorFlow.js takes zeros outside of the input for part of a window. */
const maximumOfVolumes: TrainingKernel = {
  kernelName: 'MaxPool3D',
  run(call) {
    const { tf, host, attrs, inputs } = call;
    const { x } = inputs;
    if (x?.dtype !== 'float32' || attrs.dataFormat === 'NCDHW') return undefined;
    const { filterSize, strides, pad, dimRoundingMode } = attrs;
    const info = tf.backend_util.computePool3DInfo(x.shape, filterSize, strides, 1, pad, dimRoundingMode);
    const shape = [info.batchSize, info.outDepth, info.outHeight, info.outWidth, info.inChannels];
    const table = geometryOf(ofVolumes, call, x, shape);
    const out = host.output(shape);
    host.kernels.windowMax(table, host.address(x), NONE, out.address);
    return out.tensor;
  },
};

/** The geometry of `Dilation2D`: out = max over the window of x + filter. */
function dilationGeometry({ tf, attrs }: KernelCall, x: TensorInfo, filter: TensorInfo) {
  const filterShape = [...filter.shape, x.shape[3]];
  const { strides, pad, dilations } = attrs;
  const info = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    dilations,
    explicitPadding(pad),
  );
  return { info, words: imageGeometry(info, [info.outHeight, info.outWidth]) };
}

function dilationTable(call: KernelCall, x: TensorInfo, filter: TensorInfo): Address {
  const key = `dilation ${x.shape} ${filter.shape} ${JSON.stringify(call.attrs)}`;
  return call.host.plan(key, (arena) => arena.table(dilationGeometry(call, x, filter).words));
}

/** Stock TensorFlow.js takes zeros outside of the input for part of a window. */
const dilation: TrainingKernel = {
  kernelName: 'Dilation2D',
  run(call) {
    const { host, inputs } = call;
    const { x, filter } = inputs;
    if (x === undefined || filter === undefined || !allFloat32(x, filter)) return undefined;
    const { info } = dilationGeometry(call, x, filter);
    const table = dilationTable(call, x, filter);
    const out = host.output([info.batchSize, info.outHeight, info.outWidth, info.inChannels]);
    host.kernels.windowMax(table, host.address(x), host.address(filter), out.address);
    return out.tensor;
  },
};

function dilationGradient(
  kernelName: string,
  name: 'windowMaxInputGradient' | 'windowMaxFilterGradient',
): TrainingKernel {
  return {
    kernelName,
    run(call) {
      const { host, inputs } = call;
      const { x, filter, dy } = inputs;
      if (x === undefined || filter === undefined || dy === undefined) return undefined;
      if (!allFloat32(x, filter, dy) || sizeOf(dy.shape) === 0) return undefined;
      const table = dilationTable(call, x, filter);
      const out = host.output(name === 'windowMaxInputGradient' ? x.shape : filter.shape);
      host.kernels[name](table, host.address(x), host.address(filter), host.address(dy), out.address);
      return out.tensor;
    },
  };
}

export const POOLING: readonly TrainingKernel[] = [
  maximumGradient('MaxPoolGrad', ofImages),
  maximumGradient('MaxPool3DGrad', ofVolumes),
  averageGradient('AvgPoolGrad', ofImages),
  averageGradient('AvgPool3DGrad', ofVolumes),
  maximumOfVolumes,
  dilation,
  dilationGradient('Dilation2DBackpropInput', 'windowMaxInputGradient'),
  dilationGradient('Dilation2DBackpropFilter', 'windowMaxFilterGradient'),
];
