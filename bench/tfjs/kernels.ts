// Nanoseconds per element of the tensor kernels, TensorFlow.js's own and ours, in one run. The whole
// operation is timed: its gradient tape aside, with what TensorFlow.js does around a kernel. Usage: node
// build/bench/tfjs/kernels.js [NAME]

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { registerTrainingKernels } from '#src/tfjs/index.js';
import { printTable } from '../printTable.js';
import { times, twoDecimals } from '../section.js';
import { medianCall } from './timing.js';

type Tensor = tf.Tensor;

/**
 * The shapes of a hidden layer (a batch of 128 rows of 784 numbers) and of images after a convolution (a
 * batch of 32).
 */
const MATRIX = [128, 784] as const;
const IMAGES = [32, 14, 14, 64] as const;

/** The length of one round. */
const MILLISECONDS = 8;

interface Case {
  readonly name: string;
  readonly elements: number;
  readonly run: () => Tensor | Tensor[];
}

function kernel(name: string, inputs: Record<string, Tensor>, attrs: Record<string, unknown> = {}): Tensor {
  return tf.engine().runKernel(name, inputs, attrs as never) as Tensor;
}

/** An operation of TensorFlow.js by its name. */
function operation<T>(name: string): (...tensors: Tensor[]) => T {
  return (tf as unknown as Record<string, (...tensors: Tensor[]) => T>)[name]!;
}

function matrixCases(): Case[] {
  const uniform = (low: number, high: number) => tf.randomUniform([...MATRIX], low, high);
  const [x, y, bits] = [uniform(0.1, 0.9), uniform(0.1, 2), tf.greater(uniform(0, 1), 0.5)];
  const row = tf.randomUniform([MATRIX[1]]);
  const rows = tf.range(0, MATRIX[0], 1, 'int32');
  const unary = [
    'relu',
    'exp',
    'log',
    'log1p',
    'expm1',
    'softplus',
    'tanh',
    'sqrt',
    'rsqrt',
    'reciprocal',
    'sin',
  ];
  const binary = ['add', 'mul', 'div', 'maximum', 'minimum', 'greater', 'equal'];
  const runs: Record<string, () => Tensor | Tensor[]> = {
    ...Object.fromEntries(unary.map((name) => [name, () => operation<Tensor>(name)(x)])),
    ...Object.fromEntries(binary.map((name) => [name, () => operation<Tensor>(name)(x, y)])),
    'add a row': () => tf.add(x, row),
    where: () => tf.where(bits, x, y),
    logicalAnd: () => tf.logicalAnd(bits, bits),
    clone: () => tf.clone(x),
    'sum of rows (a bias gradient)': () => tf.sum(x, 0),
    'sum of columns': () => tf.sum(x, 1),
    'mean of everything': () => tf.mean(x),
    'max of rows': () => tf.max(x, 0),
    'max of columns': () => tf.max(x, 1),
    logSoftmax: () => tf.logSoftmax(x),
    transpose: () => tf.transpose(x),
    'tile of a row': () => tf.tile(row, [MATRIX[0]]),
    'split in two': () => tf.split(x, 2, 1),
    reverse: () => tf.reverse(x, 1),
    'gather of rows': () => tf.gather(x, rows),
  };
  const elements = MATRIX[0] * MATRIX[1];
  return Object.entries(runs).map(([name, run]) => ({ name, elements, run }));
}

function imageCases(): Case[] {
  const images = tf.randomUniform([...IMAGES], -1, 1) as tf.Tensor4D;
  const [batch, height, width, channels] = IMAGES;
  const half = tf.ones([batch, height / 2, width / 2, channels]);
  const twice = tf.ones([batch, 2 * height, 2 * width, channels]);
  const channel = tf.ones([channels]) as tf.Tensor1D;
  const filter = tf.ones([3, 3, channels, 1]);
  const pool = { filterSize: 2, strides: 2, pad: 'same' };
  const depthwise = {
    strides: 1,
    dilations: 1,
    pad: 'same',
    inputShape: images.shape,
    filterShape: filter.shape,
  };
  const runs: Record<string, () => Tensor> = {
    'sum over all but the channels': () => tf.sum(images, [0, 1, 2]),
    'mean over the pixels': () => tf.mean(images, [1, 2]),
    batchNorm: () => tf.batchNorm(images, channel, channel, channel, channel),
    'moments over the batch': () => tf.moments(images, [0, 1, 2]).variance,
    MaxPoolGrad: () => kernel('MaxPoolGrad', { dy: half, input: images, output: half }, pool),
    AvgPoolGrad: () => kernel('AvgPoolGrad', { dy: half, input: images }, pool),
    ResizeNearestNeighbor: () => tf.image.resizeNearestNeighbor(images, [2 * height, 2 * width]),
    ResizeNearestNeighborGrad: () => kernel('ResizeNearestNeighborGrad', { dy: twice, images }),
    ResizeBilinearGrad: () => kernel('ResizeBilinearGrad', { dy: twice, images }),
    DepthwiseConv2dNativeBackpropInput: () =>
      kernel('DepthwiseConv2dNativeBackpropInput', { dy: images, filter }, depthwise),
    DepthwiseConv2dNativeBackpropFilter: () =>
      kernel('DepthwiseConv2dNativeBackpropFilter', { x: images, dy: images }, depthwise),
  };
  const elements = batch * height * width * channels;
  return Object.entries(runs).map(([name, run]) => ({ name, elements, run }));
}

/** Undefined where it throws. */
function nanoseconds({ elements, run }: Case): number | undefined {
  const once = () => tf.dispose(tf.tidy(run));
  try {
    for (let i = 0; i < 3; i++) once();
  } catch {
    return undefined;
  }
  return (medianCall(once, MILLISECONDS) * 1e6) / elements;
}

await tf.setBackend('wasm');
const wanted = process.argv[2];
const cases = [...matrixCases(), ...imageCases()].filter(
  ({ name }) => wanted === undefined || name.includes(wanted),
);
const stock = cases.map(nanoseconds);
registerTrainingKernels(tf, { revectorize: true });
const ours = cases.map(nanoseconds);
const rows = cases.map(({ name }, i) => {
  const [before, after] = [stock[i], ours[i] ?? Number.NaN];
  return before === undefined
    ? { name, stock: 'none', ours: after, ratio: '' }
    : { name, stock: before, ours: after, ratio: before / after };
});
console.log(
  printTable({
    title: `${process.version}: nanoseconds per element`,
    columns: [
      { key: 'name', heading: 'operation' },
      { key: 'stock', heading: 'stock', format: twoDecimals },
      { key: 'ours', heading: 'ours', format: twoDecimals },
      { key: 'ratio', heading: 'times', format: times },
    ],
    identity: ['name'],
    measure: { key: 'ours', better: 'lower' },
    rows,
  }),
);
