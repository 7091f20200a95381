// Convolutions and pooling. XNNPACK, below TensorFlow.js's kernels, works out for itself how many windows
// there are, and writes so many: paddings are therefore given to it for each side, such that it agrees.

import type { Attributes, TensorInfo } from '../tensorflow.js';
import {
  type CheckedCall,
  type KernelCheck,
  type KernelChecks,
  listOf,
  rankedInput,
  refuse,
  show,
  sizesOf,
  wholeNumber,
  wholeNumbers,
} from './kernelCheck.js';

type Shape = readonly number[];

/** An axis along which a window moves. */
interface Line {
  readonly size: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
}

/** Zeros before and behind an axis. */
type Sides = readonly [number, number];

interface Windows {
  readonly lines: readonly Line[];
  /** For each axis; undefined where `pad` is a word. */
  readonly sides: readonly Sides[] | undefined;
  /** What is written, along each axis. */
  readonly outSizes: readonly number[];
}

const ROUNDINGS: Readonly<Record<string, (value: number) => number>> = {
  ceil: Math.ceil,
  floor: Math.floor,
  round: Math.round,
};

/** XNNPACK computes in 32 bits. */
const MOST_SPAN = 2 ** 30;

/** A window's extent with its dilation. */
function span({ taps, dilation }: Line): number {
  return (taps - 1) * dilation + 1;
}

/**
 * @param sizes of the input, without batch and channels.
 * @param taps of the window.
 */
function windowsOf(call: CheckedCall, sizes: Shape, taps: Shape): Windows {
  const { attrs } = call;
  const count = sizes.length;
  const strides = sizesOf(call, 'strides', attrs.strides, count);
  const dilations = sizesOf(call, 'dilations', attrs.dilations ?? 1, count);
  if (sizes.includes(0))
    refuse(call, `there is nothing under the window: 'x' has the extents ${show(sizes)}.`);
  const window = sizesOf(call, 'the size of the window', taps, count);
  const lines = sizes.map((size, i) => ({
    size,
    taps: window[i] ?? 1,
    stride: strides[i] ?? 1,
    dilation: dilations[i] ?? 1,
  }));
  const sides = sidesOf(call, count);
  const outSizes = lines.map((line, i) => {
    const out = outSize(call, line, sides?.[i]);
    if (span(line) > MOST_SPAN) refuse(call, `a window of ${span(line)} with its dilation is too large.`);
    if (out < 0)
      refuse(call, `a window of ${span(line)} is larger than the ${line.size} elements that it moves over.`);
    return out;
  });
  return { lines, sides, outSizes };
}

function sidesOf(call: CheckedCall, count: number): readonly Sides[] | undefined {
  const { pad, dimRoundingMode } = call.attrs;
  if (
    dimRoundingMode !== undefined &&
    dimRoundingMode !== null &&
    !Object.hasOwn(ROUNDINGS, String(dimRoundingMode))
  ) {
    refuse(call, `dimRoundingMode is ${show(dimRoundingMode)}, and must be 'ceil', 'floor' or 'round'.`);
  }
  if (pad === 'same' || pad === 'valid') return undefined;
  if (typeof pad === 'number') {
    const zeros = wholeNumber(call, 'pad', pad, 0);
    return new Array<Sides>(count).fill([zeros, zeros]);
  }
  if (!Array.isArray(pad))
    refuse(call, `pad is ${show(pad)}, and must be 'same', 'valid', a number or a list.`);
  const pairs = listOf(call, 'pad', pad, count + 2).map((pair, i) => {
    const [before = 0, behind = 0] = wholeNumbers(call, `pad[${i}]`, pair, 0, 2);
    return [before, behind] as const;
  });
  return pairs.slice(1, -1);
}

function outSize(call: CheckedCall, line: Line, sides: Sides | undefined): number {
  const { pad, dimRoundingMode } = call.attrs;
  if (pad === 'same') return Math.ceil(line.size / line.stride);
  // TensorFlow.js rounds words down whatever the mode.
  const round = sides === undefined ? undefined : ROUNDINGS[String(dimRoundingMode)];
  const [before, behind] = sides ?? [0, 0];
  const steps = (line.size + before + behind - span(line)) / line.stride + 1;
  return steps < 0 ? -1 : (round ?? Math.floor)(steps);
}

/** The same windows without a rounding mode, and with so many zeros that the last one is inside of them. */
function explicit({ attrs }: CheckedCall, { lines, sides, outSizes }: Windows): Attributes {
  if (sides === undefined) return attrs;
  const pairs = lines.map((line, i) => {
    const [before, behind] = sides[i] ?? [0, 0];
    const end = ((outSizes[i] ?? 0) - 1) * line.stride + span(line);
    return [before, Math.max(behind, end - line.size - before)];
  });
  const { dimRoundingMode: _, ...rest } = attrs;
  return { ...rest, pad: [[0, 0], ...pairs, [0, 0]] };
}

function inner(shape: Shape): Shape {
  return shape.slice(1, -1);
}

/** Windows over images may be given for each side; those over volumes are right as they are. */
function normalized(call: CheckedCall, windows: Windows): Attributes {
  return windows.lines.length === 2 ? explicit(call, windows) : call.attrs;
}

function pooling(axes: number): KernelCheck {
  return (call) => {
    const x = rankedInput(call, 'x', axes + 2);
    if (axes === 3) channelsLast(call);
    if (x.shape.at(-1) === 0) refuse(call, 'an input without channels cannot be pooled.');
    const windows = windowsOf(call, inner(x.shape), sizesOf(call, 'filterSize', call.attrs.filterSize, axes));
    holdInput(call, windows);
    return normalized(call, windows);
  };
}

/** XNNPACK is not told that there is nothing to do. */
function haveInput(call: CheckedCall, { lines, outSizes }: Windows): void {
  if (!outSizes.includes(0)) return;
  const sizes = lines.map(({ size }) => size);
  refuse(call, `a window of ${show(lines.map(span))} has no place in ${show(sizes)}.`);
}

/** Nothing is the largest of no numbers, nor their average. */
function holdInput(call: CheckedCall, windows: Windows): void {
  haveInput(call, windows);
  windows.lines.forEach((line, i) => {
    const out = windows.outSizes[i] ?? 0;
    const before = windows.sides === undefined ? zerosBefore(call, line, out) : (windows.sides[i]?.[0] ?? 0);
    if (!allHoldInput(line, out, before)) {
      refuse(
        call,
        `with this padding, a window of ${span(line)} over ${line.size} elements would hold padding alone.`,
      );
    }
  });
}

/** Zeros before the first line, where the padding is the word `pad`. */
function zerosBefore({ attrs: { pad } }: CheckedCall, line: Line, out: number): number {
  return pad === 'same' ? Math.floor(Math.max(0, (out - 1) * line.stride + span(line) - line.size) / 2) : 0;
}

function allHoldInput(line: Line, out: number, before: number): boolean {
  const { size, taps, stride, dilation } = line;
  // Without gaps between the taps, the windows at both ends decide.
  const places = dilation === 1 ? [0, out - 1] : Array.from({ length: out }, (_, i) => i);
  return places.every((place) => {
    const start = place * stride - before;
    const first = start >= 0 ? 0 : Math.ceil(-start / dilation);
    return first < taps && start + first * dilation < size;
  });
}

/** The rounding mode is not always told to a gradient: dy decides, within what the modes make. */
function poolingGradient(axes: number): KernelCheck {
  return (call) => {
    const { shape } = rankedInput(call, 'input', axes + 2);
    const { attrs } = call;
    const taps = sizesOf(call, 'filterSize', attrs.filterSize, axes);
    const [least, most] = ['floor', 'ceil'].map((dimRoundingMode) =>
      windowsOf({ ...call, attrs: { ...attrs, dimRoundingMode } }, inner(shape), taps),
    );
    const outSizes = fitsGradient(call, shape, [least!.outSizes, most!.outSizes], shape.at(-1));
    return normalized(call, { ...least!, outSizes });
  };
}

/**
 * What dy has along each axis.
 * @param sizes the least and the most that it may have.
 */
function fitsGradient(
  call: CheckedCall,
  big: Shape,
  sizes: readonly [Shape, Shape],
  channels: number | undefined,
): Shape {
  const { shape } = rankedInput(call, 'dy', big.length);
  const outSizes = inner(shape);
  const fits = outSizes.every((size, i) => size >= (sizes[0][i] ?? 0) && size <= (sizes[1][i] ?? 0));
  if (!fits || shape[0] !== big[0] || shape.at(-1) !== channels) {
    const expected = [big[0], ...sizes[0], channels];
    refuse(call, `'dy' has the shape ${show(shape)}, and must have ${show(expected)}.`);
  }
  return outSizes;
}

/** A convolution: filter [...window, in, out], or [...window, in, multiplier] of a depthwise one. */
interface Operands {
  readonly x: Shape;
  readonly filter: Shape;
}

type Kind = 'whole' | 'depthwise';

function outChannels(kind: Kind, { filter }: Operands): number {
  const [inputs = 0, outputs = 0] = filter.slice(-2);
  return kind === 'depthwise' ? inputs * outputs : outputs;
}

function convolutionWindows(call: CheckedCall, { x, filter }: Operands): Windows {
  if (filter.length !== x.length) {
    refuse(call, `a filter of shape ${show(filter)} does not fit an input of shape ${show(x)}.`);
  }
  if (x.at(-1) !== filter.at(-2)) {
    refuse(
      call,
      `a filter of shape ${show(filter)} takes ${filter.at(-2)} channels, and the input has ${x.at(-1)}.`,
    );
  }
  if (filter.includes(0)) refuse(call, `a filter of shape ${show(filter)} is empty.`);
  return windowsOf(call, inner(x), filter.slice(0, -2));
}

/** @param byXnnpack whether XNNPACK computes it, which goes astray where there is no window. */
function channelsLast(call: CheckedCall): void {
  const { dataFormat } = call.attrs;
  if (dataFormat !== undefined && dataFormat !== null && dataFormat !== 'NHWC' && dataFormat !== 'NDHWC') {
    refuse(call, `the backend 'wasm' takes channels last alone, and dataFormat is ${show(dataFormat)}.`);
  }
}

function convolution(axes: number, byXnnpack: boolean): KernelCheck {
  return (call) => {
    channelsLast(call);
    const operands = {
      x: rankedInput(call, 'x', axes + 2).shape,
      filter: rankedInput(call, 'filter', axes + 2).shape,
    };
    const windows = convolutionWindows(call, operands);
    if (byXnnpack) haveInput(call, windows);
    return normalized(call, windows);
  };
}

/** @param operand of which the shape is an attribute. */
function convolutionGradient(axes: number, kind: Kind, operand: 'x' | 'filter'): KernelCheck {
  return (call) => {
    channelsLast(call);
    const name = operand === 'x' ? 'inputShape' : 'filterShape';
    const shape = wholeNumbers(call, name, call.attrs[name], 0, axes + 2);
    const other = rankedInput(call, operand === 'x' ? 'filter' : 'x', axes + 2).shape;
    const operands = operand === 'x' ? { x: shape, filter: other } : { x: other, filter: shape };
    const windows = convolutionWindows(call, operands);
    const most = windowsOf(
      { ...call, attrs: { ...call.attrs, dimRoundingMode: 'ceil' } },
      inner(operands.x),
      operands.filter.slice(0, -2),
    );
    const sizes = [windows.outSizes, most.outSizes] as const;
    const outSizes = fitsGradient(call, operands.x, sizes, outChannels(kind, operands));
    return normalized(call, { ...windows, outSizes });
  };
}

/** Morphological dilation: a filter [height, width, channels]. */
function dilation(gradient: boolean): KernelCheck {
  return (call) => {
    const x = rankedInput(call, 'x', 4).shape;
    const filter: TensorInfo = rankedInput(call, 'filter', 3);
    if (filter.shape[2] !== x[3]) {
      refuse(call, `a filter of shape ${show(filter.shape)} does not fit an input of shape ${show(x)}.`);
    }
    const windows = windowsOf(call, inner(x), filter.shape.slice(0, -1));
    holdInput(call, windows);
    if (gradient) fitsGradient(call, x, [windows.outSizes, windows.outSizes], x[3]);
    return normalized(call, windows);
  };
}

export const WINDOW_CHECKS: KernelChecks = {
  AvgPool: pooling(2),
  MaxPool: pooling(2),
  MaxPoolWithArgmax: pooling(2),
  AvgPool3D: pooling(3),
  MaxPool3D: pooling(3),
  AvgPoolGrad: poolingGradient(2),
  MaxPoolGrad: poolingGradient(2),
  AvgPool3DGrad: poolingGradient(3),
  MaxPool3DGrad: poolingGradient(3),
  Conv2D: convolution(2, false),
  FusedConv2D: convolution(2, false),
  DepthwiseConv2dNative: convolution(2, true),
  FusedDepthwiseConv2D: convolution(2, true),
  Conv3D: convolution(3, false),
  Conv2DBackpropInput: convolutionGradient(2, 'whole', 'x'),
  Conv2DBackpropFilter: convolutionGradient(2, 'whole', 'filter'),
  Conv3DBackpropInputV2: convolutionGradient(3, 'whole', 'x'),
  Conv3DBackpropFilterV2: convolutionGradient(3, 'whole', 'filter'),
  DepthwiseConv2dNativeBackpropInput: convolutionGradient(2, 'depthwise', 'x'),
  DepthwiseConv2dNativeBackpropFilter: convolutionGradient(2, 'depthwise', 'filter'),
  Dilation2D: dilation(false),
  Dilation2DBackpropInput: dilation(true),
  Dilation2DBackpropFilter: dilation(true),
};
