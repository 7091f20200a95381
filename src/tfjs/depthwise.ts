// Gradients of the depthwise convolution: x [batch, height, width, c], filter [height, width, c, m], dy
// [batch, height, width, c · m].

import type { Address } from '../kernels/address.js';
import type { Arena } from '../kernels/arena.js';
import { type Host, sizeOf } from './host.js';
import { explicitPadding } from './padding.js';
import type { Attributes, TensorFlow, WindowInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';
import { imageGeometry } from './windowGeometry.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

interface Plan {
  readonly geometry: Address;
  /**
   * Tables of the input gradient: for each input line, and each input column, the outputs and taps that meet
   * it.
   */
  readonly rows: Address;
  readonly columns: Address;
  readonly multiplier: number;
}

function planOf(
  tf: TensorFlow,
  host: Host,
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, dilations, pad, dimRoundingMode }: Attributes,
): Plan {
  const key = `depthwise ${inShape} ${filterShape} ${strides} ${dilations} ${JSON.stringify(pad)} ${dimRoundingMode}`;
  return host.plan(key, (arena) => {
    const { computeConv2DInfo } = tf.backend_util;
    const info = computeConv2DInfo(
      inShape,
      filterShape,
      strides,
      dilations,
      explicitPadding(pad),
      dimRoundingMode,
      true,
    );
    const channels = info.outChannels;
    const pixel = channels * FLOAT;
    return {
      geometry: arena.table(
        imageGeometry({ ...info, inChannels: channels }, [info.outHeight, info.outWidth]),
      ),
      rows: meetings(arena, heights(info), info.outWidth * pixel, info.filterWidth * pixel),
      columns: meetings(arena, widths(info), pixel, pixel),
      multiplier: channels / info.inChannels,
    };
  });
}

interface Line {
  readonly size: number;
  readonly outSize: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
}

function heights(info: WindowInfo): Line {
  return {
    size: info.inHeight,
    outSize: info.outHeight,
    taps: info.filterHeight,
    stride: info.strideHeight,
    dilation: info.dilationHeight,
    pad: info.padInfo.top,
  };
}

function widths(info: WindowInfo): Line {
  return {
    size: info.inWidth,
    outSize: info.outWidth,
    taps: info.filterWidth,
    stride: info.strideWidth,
    dilation: info.dilationWidth,
    pad: info.padInfo.left,
  };
}

/**
 * For each input position: (count, address of the pairs). The pairs are byte offsets of an output and of a
 * tap.
 */
function meetings(arena: Arena, line: Line, outPitch: number, tapPitch: number): Address {
  const index: number[] = [];
  for (let at = 0; at < line.size; at++) {
    const pairs: number[] = [];
    for (let tap = 0; tap < line.taps; tap++) {
      const shifted = at + line.pad - tap * line.dilation;
      const out = shifted / line.stride;
      if (shifted >= 0 && Number.isInteger(out) && out < line.outSize)
        pairs.push(out * outPitch, tap * tapPitch);
    }
    index.push(pairs.length / 2, arena.table(pairs));
  }
  return arena.table(index);
}

const inputGradient: TrainingKernel = {
  kernelName: 'DepthwiseConv2dNativeBackpropInput',
  run({ tf, host, inputs: { dy, filter }, attrs }) {
    if (dy?.dtype !== 'float32' || filter?.dtype !== 'float32') return undefined;
    const shape = attrs.inputShape as readonly number[];
    const { geometry, rows, columns, multiplier } = planOf(tf, host, shape, filter.shape, attrs);
    const out = host.output(shape);
    const { kernels } = host;
    const count = sizeOf(shape);
    const repeated = multiplier === 1 ? out.address : host.scratch(count * multiplier * FLOAT);
    kernels.depthwiseInputGradient(geometry, rows, columns, host.address(dy), host.address(filter), repeated);
    if (multiplier !== 1)
      kernels.reduceSum({
        x: repeated,
        outer: 1,
        kept: count,
        inner: multiplier,
        columns: 1,
        scale: 1,
        out: out.address,
      });
    return out.tensor;
  },
};

const filterGradient: TrainingKernel = {
  kernelName: 'DepthwiseConv2dNativeBackpropFilter',
  run({ tf, host, inputs: { x, dy }, attrs }) {
    if (x?.dtype !== 'float32' || dy?.dtype !== 'float32') return undefined;
    const shape = attrs.filterShape as readonly number[];
    const { geometry, multiplier } = planOf(tf, host, x.shape, shape, attrs);
    const out = host.output(shape);
    const { kernels } = host;
    let source = host.address(x);
    if (multiplier !== 1) {
      const count = sizeOf(x.shape);
      const repeated = host.scratch(count * multiplier * FLOAT);
      kernels.repeatElements(source, count, multiplier, repeated);
      source = repeated;
    }
    kernels.depthwiseFilterGradient(geometry, source, host.address(dy), out.address);
    return out.tensor;
  },
};

export const DEPTHWISE: readonly TrainingKernel[] = [inputGradient, filterGradient];
