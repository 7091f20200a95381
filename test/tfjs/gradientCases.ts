// At least one case for every gradient that tfjs-core registers and a float32 model can reach: what
// docs/tfjs-wasm-kernels.md was made from, and what gradients.test.ts walks.

import type * as TensorFlow from '@tensorflow/tfjs-core';

export type Tf = typeof TensorFlow;
type Tensor = TensorFlow.Tensor;

/** Uniform in [low, high); with `integers` rounded down and of dtype int32; with `truth` of dtype bool. */
export interface InputSpec {
  readonly shape: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly kind: 'real' | 'integers' | 'truth';
}

export interface GradientCase {
  /** The kernel whose gradient it is. */
  readonly kernel: string;
  readonly name: string;
  /** Differentiated: float32. */
  readonly inputs: readonly InputSpec[];
  /** Not differentiated. */
  readonly constants: readonly InputSpec[];
  run(tf: Tf, inputs: Tensor[], constants: Tensor[]): Tensor;
}

export function real(shape: readonly number[], low = -2, high = 2): InputSpec {
  return { shape, low, high, kind: 'real' };
}

function integers(shape: readonly number[], high: number, low = 0): InputSpec {
  return { shape, low, high, kind: 'integers' };
}

function truth(shape: readonly number[]): InputSpec {
  return { shape, low: 0, high: 2, kind: 'truth' };
}

const cases: GradientCase[] = [];

function add(
  kernel: string,
  name: string,
  inputs: readonly InputSpec[],
  run: GradientCase['run'],
  constants: readonly InputSpec[] = [],
): void {
  cases.push({ kernel, name, inputs, constants, run });
}

function unary(kernel: string, run: (tf: Tf, x: Tensor) => Tensor, low = -2, high = 2): void {
  add(kernel, kernel[0]?.toLowerCase() + kernel.slice(1), [real([5, 7], low, high)], (tf, [x]) =>
    run(tf, x as Tensor),
  );
}

function binary(kernel: string, run: (tf: Tf, a: Tensor, b: Tensor) => Tensor, low = -2, high = 2): void {
  for (const [name, a, b] of [
    ['equal shapes', [4, 9], [4, 9]],
    ['a row', [4, 9], [9]],
    ['a column', [4, 1], [4, 9]],
    ['a scalar', [2, 3, 3], []],
  ] as const) {
    const inputs = [real(a, low, high), real(b, low, high)];
    add(kernel, `${kernel.toLowerCase()} of ${name}`, inputs, (tf, [x, y]) =>
      run(tf, x as Tensor, y as Tensor),
    );
  }
}

// Elementwise, one operand
unary('Abs', (tf, x) => tf.abs(x));
unary('Acos', (tf, x) => tf.acos(x), -0.9, 0.9);
unary('Acosh', (tf, x) => tf.acosh(x), 1.1, 3);
unary('Asin', (tf, x) => tf.asin(x), -0.9, 0.9);
unary('Asinh', (tf, x) => tf.asinh(x));
unary('Atan', (tf, x) => tf.atan(x));
unary('Atanh', (tf, x) => tf.atanh(x), -0.9, 0.9);
unary('Cast', (tf, x) => tf.cast(x, 'float32'));
unary('Ceil', (tf, x) => tf.ceil(x));
unary('ClipByValue', (tf, x) => tf.clipByValue(x, -0.7, 1.1));
unary('Cos', (tf, x) => tf.cos(x));
unary('Cosh', (tf, x) => tf.cosh(x));
unary('Elu', (tf, x) => tf.elu(x));
unary('Erf', (tf, x) => tf.erf(x));
unary('Exp', (tf, x) => tf.exp(x));
unary('Expm1', (tf, x) => tf.expm1(x));
unary('Floor', (tf, x) => tf.floor(x));
unary('Identity', (tf, x) => tf.clone(x));
unary('IsFinite', (tf, x) => tf.isFinite(x));
unary('IsInf', (tf, x) => tf.isInf(x));
unary('IsNan', (tf, x) => tf.isNaN(x));
unary('LeakyRelu', (tf, x) => tf.leakyRelu(x, 0.3));
unary('Log', (tf, x) => tf.log(x), 0.1, 4);
unary('Log1p', (tf, x) => tf.log1p(x), -0.9, 4);
unary('Neg', (tf, x) => tf.neg(x));
unary('OnesLike', (tf, x) => tf.onesLike(x));
unary('Reciprocal', (tf, x) => tf.reciprocal(x), 0.2, 3);
unary('Relu', (tf, x) => tf.relu(x));
unary('Relu6', (tf, x) => tf.relu6(x), -3, 9);
unary('Round', (tf, x) => tf.round(x));
unary('Rsqrt', (tf, x) => tf.rsqrt(x), 0.2, 3);
unary('Selu', (tf, x) => tf.selu(x));
unary('Sigmoid', (tf, x) => tf.sigmoid(x));
unary('Sign', (tf, x) => tf.sign(x));
unary('Sin', (tf, x) => tf.sin(x));
unary('Sinh', (tf, x) => tf.sinh(x));
unary('Softplus', (tf, x) => tf.softplus(x), -20, 20);
unary('Sqrt', (tf, x) => tf.sqrt(x), 0.2, 3);
unary('Square', (tf, x) => tf.square(x));
unary('Step', (tf, x) => tf.step(x));
unary('Tan', (tf, x) => tf.tan(x), -1.2, 1.2);
unary('Tanh', (tf, x) => tf.tanh(x));
unary('ZerosLike', (tf, x) => tf.zerosLike(x));

// Elementwise, two operands and more
binary('Add', (tf, a, b) => tf.add(a, b));
binary('Atan2', (tf, a, b) => tf.atan2(a, b), 0.2, 2);
binary('GreaterEqual', (tf, a, b) => tf.cast(tf.greaterEqual(a, b), 'float32'));
binary('Maximum', (tf, a, b) => tf.maximum(a, b));
binary('Minimum', (tf, a, b) => tf.minimum(a, b));
binary('Mod', (tf, a, b) => tf.mod(a, b), 0.3, 4);
binary('Multiply', (tf, a, b) => tf.mul(a, b));
binary('Pow', (tf, a, b) => tf.pow(a, b), 0.2, 2);
binary('RealDiv', (tf, a, b) => tf.div(a, b), 0.3, 2);
binary('SquaredDifference', (tf, a, b) => tf.squaredDifference(a, b));
binary('Sub', (tf, a, b) => tf.sub(a, b));
add('AddN', 'addN of three', [real([3, 5]), real([3, 5]), real([3, 5])], (tf, xs) => tf.addN(xs));
add('Prelu', 'prelu, an alpha for each channel', [real([4, 3, 6]), real([6], 0, 1)], (tf, [x, alpha]) =>
  tf.prelu(x as Tensor, alpha as Tensor),
);
add(
  'Prelu',
  'prelu, alphas shared by the pixels',
  [real([2, 3, 3, 5]), real([1, 1, 5], 0, 1)],
  (tf, [x, alpha]) => tf.prelu(x as Tensor, alpha as Tensor),
);
add(
  'Select',
  'where',
  [real([4, 5]), real([4, 5])],
  (tf, [a, b], [c]) => tf.where(c as Tensor, a as Tensor, b as Tensor),
  [truth([4, 5])],
);
add(
  'Select',
  'where of a row and a scalar',
  [real([5]), real([])],
  (tf, [a, b], [c]) => tf.where(c as Tensor, a as Tensor, b as Tensor),
  [truth([4, 5])],
);

// Reductions
for (const [kernel, run] of [
  ['Sum', (tf: Tf, x: Tensor, axis: number[] | undefined, keep: boolean) => tf.sum(x, axis, keep)],
  ['Mean', (tf: Tf, x: Tensor, axis: number[] | undefined, keep: boolean) => tf.mean(x, axis, keep)],
  ['Max', (tf: Tf, x: Tensor, axis: number[] | undefined, keep: boolean) => tf.max(x, axis, keep)],
  ['Min', (tf: Tf, x: Tensor, axis: number[] | undefined, keep: boolean) => tf.min(x, axis, keep)],
  ['Prod', (tf: Tf, x: Tensor, axis: number[] | undefined, keep: boolean) => tf.prod(x, axis, keep)],
] as const) {
  const op = kernel.toLowerCase();
  add(kernel, `${op} of everything`, [real([3, 4, 5])], (tf, [x]) => run(tf, x as Tensor, undefined, false));
  add(kernel, `${op} over the first axis`, [real([6, 7])], (tf, [x]) => run(tf, x as Tensor, [0], false));
  add(kernel, `${op} over the last axis, kept`, [real([6, 7])], (tf, [x]) =>
    run(tf, x as Tensor, [-1], true),
  );
  if (kernel !== 'Prod') {
    add(kernel, `${op} over all but the channels`, [real([2, 3, 4, 5])], (tf, [x]) =>
      run(tf, x as Tensor, [0, 1, 2], false),
    );
    add(kernel, `${op} over the pixels`, [real([2, 3, 4, 5])], (tf, [x]) =>
      run(tf, x as Tensor, [1, 2], false),
    );
  }
}
add('Cumsum', 'cumsum, exclusive and reversed', [real([3, 4, 5])], (tf, [x]) =>
  tf.cumsum(x as Tensor, 1, true, true),
);
add('Cumsum', 'cumsum over the last axis', [real([4, 5])], (tf, [x]) => tf.cumsum(x as Tensor, 1));
add('LogSoftmax', 'logSoftmax', [real([5, 7])], (tf, [x]) => tf.logSoftmax(x as Tensor));
add('Softmax', 'softmax', [real([5, 7])], (tf, [x]) => tf.softmax(x as Tensor));
for (const [kernel, run] of [
  ['ArgMax', (tf: Tf, x: Tensor) => tf.argMax(x, 1)],
  ['ArgMin', (tf: Tf, x: Tensor) => tf.argMin(x, 1)],
] as const) {
  add(kernel, `${kernel.toLowerCase()}: a gradient of zeros`, [real([5, 7])], (tf, [x]) =>
    tf.cast(run(tf, x as Tensor), 'float32'),
  );
}

// Shapes
add('BatchToSpaceND', 'batchToSpaceND', [real([8, 2, 3, 3])], (tf, [x]) =>
  tf.batchToSpaceND(
    x as Tensor,
    [2, 2],
    [
      [0, 0],
      [1, 1],
    ],
  ),
);
add('BroadcastTo', 'broadcastTo', [real([1, 5])], (tf, [x]) => tf.broadcastTo(x as Tensor, [4, 5]));
add('Concat', 'concat of three', [real([2, 3]), real([2, 1]), real([2, 4])], (tf, xs) => tf.concat(xs, 1));
add('ExpandDims', 'expandDims', [real([3, 4])], (tf, [x]) => tf.expandDims(x as Tensor, 1));
add(
  'GatherV2',
  'gather of rows (an embedding)',
  [real([6, 5])],
  (tf, [x], [i]) => tf.gather(x as Tensor, i as TensorFlow.Tensor1D),
  [integers([7], 6)],
);
add(
  'GatherV2',
  'gather of columns by a matrix',
  [real([3, 6, 2])],
  (tf, [x], [i]) => tf.gather(x as Tensor, i as TensorFlow.Tensor2D, 1),
  [integers([2, 4], 6)],
);
add('MirrorPad', 'mirrorPad, reflected', [real([4, 5])], (tf, [x]) =>
  tf.mirrorPad(
    x as Tensor,
    [
      [1, 2],
      [2, 1],
    ],
    'reflect',
  ),
);
add('Pack', 'stack', [real([3, 4]), real([3, 4])], (tf, xs) => tf.stack(xs, 1));
add('PadV2', 'pad', [real([3, 4, 2])], (tf, [x]) =>
  tf.pad(x as Tensor, [
    [1, 2],
    [0, 1],
    [2, 0],
  ]),
);
add('Reshape', 'reshape', [real([3, 4])], (tf, [x]) => tf.reshape(x as Tensor, [2, 6]));
add('Reverse', 'reverse', [real([3, 4])], (tf, [x]) => tf.reverse(x as Tensor, 1));
add('Slice', 'slice', [real([5, 6, 3])], (tf, [x]) => tf.slice(x as Tensor, [1, 2, 0], [3, 3, 2]));
add('SpaceToBatchND', 'spaceToBatchND', [real([2, 4, 4, 3])], (tf, [x]) =>
  tf.spaceToBatchND(
    x as Tensor,
    [2, 2],
    [
      [0, 0],
      [2, 2],
    ],
  ),
);
add('SplitV', 'split', [real([4, 6])], (tf, [x]) => {
  const [a, , c] = tf.split(x as Tensor, [2, 1, 3], 1);
  return tf.mul(tf.sum(a as Tensor), c as Tensor);
});
add('Tile', 'tile', [real([3, 4])], (tf, [x]) => tf.tile(x as Tensor, [2, 3]));
add('Transpose', 'transpose', [real([3, 4, 5])], (tf, [x]) => tf.transpose(x as Tensor, [2, 0, 1]));
add('Transpose', 'transpose of a matrix', [real([7, 9])], (tf, [x]) => tf.transpose(x as Tensor));
add('Unpack', 'unstack', [real([3, 4])], (tf, [x]) => {
  const [a, b] = tf.unstack(x as Tensor, 0);
  return tf.mul(a as Tensor, b as Tensor);
});
add(
  'UnsortedSegmentSum',
  'unsortedSegmentSum',
  [real([6, 3])],
  (tf, [x], [ids]) => tf.unsortedSegmentSum(x as Tensor, ids as TensorFlow.Tensor1D, 4),
  [integers([6], 4)],
);
add(
  'OneHot',
  'oneHot times x',
  [real([4, 5])],
  (tf, [x], [i]) => tf.mul(x as Tensor, tf.oneHot(i as Tensor, 5)),
  [integers([4], 5)],
);

// Products and convolutions
add('BatchMatMul', 'matMul', [real([5, 7]), real([7, 6])], (tf, [a, b]) =>
  tf.matMul(a as Tensor, b as Tensor),
);
add('BatchMatMul', 'matMul, both transposed, batches', [real([3, 7, 5]), real([3, 6, 7])], (tf, [a, b]) =>
  tf.matMul(a as Tensor, b as Tensor, true, true),
);
for (const [stride, pad] of [
  [1, 'same'],
  [2, 'same'],
  [2, 'valid'],
] as const) {
  const how = `stride ${stride}, ${pad}`;
  add('Conv2D', `conv2d, ${how}`, [real([2, 7, 6, 3]), real([3, 3, 3, 4])], (tf, [x, w]) =>
    tf.conv2d(x as TensorFlow.Tensor4D, w as TensorFlow.Tensor4D, stride, pad),
  );
  add(
    'DepthwiseConv2dNative',
    `depthwiseConv2d, ${how}`,
    [real([2, 7, 6, 5]), real([3, 2, 5, 2])],
    (tf, [x, w]) => tf.depthwiseConv2d(x as TensorFlow.Tensor4D, w as TensorFlow.Tensor4D, stride, pad),
  );
  add('Conv3D', `conv3d, ${how}`, [real([2, 4, 5, 4, 3]), real([2, 3, 2, 3, 2])], (tf, [x, w]) =>
    tf.conv3d(x as TensorFlow.Tensor5D, w as TensorFlow.Tensor5D, stride, pad),
  );
  for (const [kernel, run] of [
    ['AvgPool', (tf: Tf, x: Tensor) => tf.avgPool(x as TensorFlow.Tensor4D, 3, stride, pad)],
    ['MaxPool', (tf: Tf, x: Tensor) => tf.maxPool(x as TensorFlow.Tensor4D, 3, stride, pad)],
  ] as const) {
    add(kernel, `${kernel} 3, ${how}`, [real([2, 7, 6, 5])], (tf, [x]) => run(tf, x as Tensor));
  }
  for (const [kernel, run] of [
    ['AvgPool3D', (tf: Tf, x: Tensor) => tf.avgPool3d(x as TensorFlow.Tensor5D, 2, stride, pad)],
    ['MaxPool3D', (tf: Tf, x: Tensor) => tf.maxPool3d(x as TensorFlow.Tensor5D, 2, stride, pad)],
  ] as const) {
    add(kernel, `${kernel} 2, ${how}`, [real([2, 5, 4, 5, 3])], (tf, [x]) => run(tf, x as Tensor));
  }
}
add(
  'Conv2DBackpropInput',
  'conv2dTranspose, stride 2',
  [real([2, 4, 3, 3]), real([3, 3, 5, 3])],
  (tf, [x, w]) =>
    tf.conv2dTranspose(x as TensorFlow.Tensor4D, w as TensorFlow.Tensor4D, [2, 8, 6, 5], 2, 'same'),
);
add(
  'DepthwiseConv2dNative',
  'depthwiseConv2d, dilated',
  [real([2, 7, 6, 5]), real([3, 2, 5, 2])],
  (tf, [x, w]) =>
    tf.depthwiseConv2d(x as TensorFlow.Tensor4D, w as TensorFlow.Tensor4D, 1, 'same', 'NHWC', [1, 2]),
);
add('Dilation2D', 'dilation2d', [real([2, 6, 5, 3]), real([2, 3, 3], 0, 1)], (tf, [x, w]) =>
  tf.dilation2d(x as TensorFlow.Tensor4D, w as TensorFlow.Tensor3D, 1, 'same'),
);

// Normalisation and images
add(
  'FusedBatchNorm',
  'batchNorm',
  [real([2, 3, 4, 5]), real([5]), real([5], 0.5, 2), real([5]), real([5])],
  (tf, xs) => {
    const [x, mean, variance, offset, scale] = xs as [Tensor, Tensor, Tensor, Tensor, Tensor];
    return tf.batchNorm(
      x,
      mean as TensorFlow.Tensor1D,
      variance as TensorFlow.Tensor1D,
      offset as TensorFlow.Tensor1D,
      scale as TensorFlow.Tensor1D,
    );
  },
);
add('LRN', 'localResponseNormalization', [real([2, 3, 4, 9])], (tf, [x]) =>
  tf.localResponseNormalization(x as TensorFlow.Tensor4D, 2, 1, 0.7, 0.6),
);
for (const [size, align] of [
  [[8, 12], false],
  [[3, 5], true],
  [[9, 4], false],
] as const) {
  const how = `to ${size.join(' × ')}${align ? ', corners aligned' : ''}`;
  add('ResizeBilinear', `resizeBilinear ${how}`, [real([2, 4, 6, 3])], (tf, [x]) =>
    tf.image.resizeBilinear(x as TensorFlow.Tensor4D, [...size], align),
  );
  add('ResizeNearestNeighbor', `resizeNearestNeighbor ${how}`, [real([2, 4, 6, 3])], (tf, [x]) =>
    tf.image.resizeNearestNeighbor(x as TensorFlow.Tensor4D, [...size], align),
  );
}

export const gradientCases: readonly GradientCase[] = cases;
