// Gradients that tfjs-core refuses, lacks or has wrong, and the training kernels mend: one case at least for
// each.

import type * as TensorFlow from '@tensorflow/tfjs-core';
import { type GradientCase, type InputSpec, real, type Tf } from './gradientCases.js';

type Tensor = TensorFlow.Tensor;
type Run = GradientCase['run'];

/** A gradient case, and how to know what is right. */
export interface MendedCase extends GradientCase {
  /**
   * The same function of operations whose gradients the backend `cpu` has right; without it the case is
   * linear in each number by itself, so that central differences are exact.
   */
  readonly equivalent?: Run;
}

const cases: MendedCase[] = [];

function add(
  kernel: string,
  name: string,
  inputs: readonly InputSpec[],
  run: Run,
  more: { readonly equivalent?: Run; readonly constants?: readonly InputSpec[] } = {},
): void {
  const { constants = [], equivalent } = more;
  cases.push({ kernel, name, inputs, constants, run, ...(equivalent && { equivalent }) });
}

const ints = (tf: Tf, values: readonly number[], shape: readonly number[]) =>
  tf.tensor([...values], [...shape], 'int32');

// Matrix products
for (const [a, b] of [
  [[3], [1]],
  [[1], [3]],
  [[3], []],
  [[], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[2, 3], [3]],
  [[], [2, 3]],
] as const) {
  for (const [transposeA, transposeB] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    const left = [...a, ...(transposeA ? [5, 2] : [2, 5])];
    const right = [...b, ...(transposeB ? [4, 5] : [5, 4])];
    add(
      'BatchMatMul',
      `matMul of [${left}] and [${right}]`,
      [real(left), real(right)],
      (tf, [x, y]) => tf.matMul(x as Tensor, y as Tensor, transposeA, transposeB),
      // The backend `cpu` has [2, 1] and [1, 3] batches wrong.
      {
        equivalent: (tf, [x, y]) => {
          const batch = [2, 3].slice(a.length < 2 && b.length < 2 ? 1 : 0);
          const whole = (operand: Tensor) => tf.broadcastTo(operand, [...batch, ...operand.shape.slice(-2)]);
          return tf.matMul(whole(x as Tensor), whole(y as Tensor), transposeA, transposeB);
        },
      },
    );
  }
}

// Convolutions
for (const [taps, dilation, pad, size] of [
  [[2, 3], [2, 2], 'same', [7, 6]],
  [[2, 3], [3, 1], 'valid', [7, 6]],
  [[3, 2], [1, 2], 'same', [5, 4]],
  [[3, 3], [2, 3], 2, [6, 5]],
  [[2, 2], [2, 2], 3, [5, 5]],
  [
    [1, 2],
    [2, 2],
    [
      [0, 0],
      [2, 1],
      [0, 3],
      [0, 0],
    ],
    [4, 5],
  ],
] as const) {
  add(
    'Conv2D',
    `conv2d of ${taps.join(' × ')} taps, dilated by ${dilation.join(', ')}, padding ${JSON.stringify(pad)}`,
    [real([2, ...size, 3]), real([...taps, 3, 4])],
    (tf, [x, w]) => {
      // The backend `cpu` computes the width with the filter's height, where the padding is a number.
      const spelt = tf.getBackend() === 'cpu' && typeof pad === 'number';
      const padding = spelt
        ? [
            [0, 0],
            [pad, pad],
            [pad, pad],
            [0, 0],
          ]
        : pad;
      const [image, filter] = [x as TensorFlow.Tensor4D, w as TensorFlow.Tensor4D];
      return tf.conv2d(image, filter, 1, padding as 'same', 'NHWC', [...dilation]);
    },
  );
}
add(
  'Conv2D',
  'fused conv2d with a bias, dilated',
  [real([2, 7, 6, 3]), real([3, 2, 3, 4]), real([4])],
  (tf, [x, filter, bias]) =>
    tf.fused.conv2d({
      x: x as TensorFlow.Tensor4D,
      filter: filter as TensorFlow.Tensor4D,
      strides: 1,
      pad: 'valid',
      dilations: 2,
      bias: bias as Tensor,
    }),
);
add(
  'DepthwiseConv2dNative',
  'fused depthwiseConv2d with a bias, dilated',
  [real([2, 7, 6, 3]), real([3, 2, 3, 2]), real([6])],
  (tf, [x, filter, bias]) =>
    tf.fused.depthwiseConv2d({
      x: x as TensorFlow.Tensor4D,
      filter: filter as TensorFlow.Tensor4D,
      strides: 1,
      pad: 'same',
      dilations: [2, 1],
      bias: bias as Tensor,
    }),
);
add('Conv3D', 'conv3d, dilated', [real([2, 5, 4, 5, 2]), real([2, 2, 3, 2, 3])], (tf, [x, w]) =>
  tf.conv3d(x as TensorFlow.Tensor5D, w as TensorFlow.Tensor5D, 1, 'same', 'NDHWC', [2, 1, 2]),
);
for (const [stride, pad, out] of [
  [1, 'same', [3, 2, 3]],
  [2, 'same', [6, 4, 6]],
  [2, 'valid', [6, 4, 6]],
] as const) {
  add(
    'Conv3DBackpropInputV2',
    `conv3dTranspose, stride ${stride}, ${pad}`,
    [real([2, 3, 2, 3, 3]), real([2, 2, 2, 4, 3])],
    (tf, [x, w]) =>
      tf.conv3dTranspose(
        x as TensorFlow.Tensor5D,
        w as TensorFlow.Tensor5D,
        [2, ...out, 4] as [number, number, number, number, number],
        stride,
        pad,
      ),
  );
}

// Normalisation
const normalised: Run = (tf, [x, mean, variance, offset, scale]) =>
  tf.add(
    tf.mul(
      tf.mul(tf.sub(x as Tensor, mean as Tensor), tf.rsqrt(tf.add(variance as Tensor, 0.01))),
      scale as Tensor,
    ),
    offset as Tensor,
  );
for (const [shape, statistics] of [
  [
    [2, 3, 4, 5],
    [1, 3, 1, 1],
  ],
  [
    [2, 3, 4, 5],
    [1, 1, 4, 1],
  ],
  [
    [2, 3, 4, 5],
    [2, 3, 4, 5],
  ],
  [
    [4, 3, 2],
    [1, 3, 1],
  ],
] as const) {
  const row = real(statistics);
  add(
    'FusedBatchNorm',
    `batchNorm of [${shape}] with statistics of [${statistics}]`,
    [real(shape), row, real(statistics, 0.5, 2), row, row],
    (tf, [x, mean, variance, offset, scale]) =>
      tf.batchNorm(
        x as Tensor,
        mean as TensorFlow.Tensor1D,
        variance as TensorFlow.Tensor1D,
        offset as TensorFlow.Tensor1D,
        scale as TensorFlow.Tensor1D,
        0.01,
      ),
    { equivalent: normalised },
  );
}

// Constant almost everywhere
for (const [name, a, b] of [
  ['equal shapes', [4, 9], [4, 9]],
  ['a row', [4, 9], [9]],
  ['a column', [4, 1], [4, 9]],
  ['a scalar', [2, 3, 3], []],
] as const) {
  add(
    'FloorDiv',
    `floorDiv of ${name}`,
    [real(a, 0.3, 4), real(b, 0.3, 4)],
    (tf, [x, y]) => tf.floorDiv(x as Tensor, y as Tensor),
    { equivalent: (tf, [x, y]) => tf.floor(tf.div(x as Tensor, y as Tensor)) },
  );
}
for (const [kernel, compare] of [
  ['Greater', (tf: Tf, a: Tensor, b: Tensor) => tf.greater(a, b)],
  ['Less', (tf: Tf, a: Tensor, b: Tensor) => tf.less(a, b)],
  ['LessEqual', (tf: Tf, a: Tensor, b: Tensor) => tf.lessEqual(a, b)],
  ['Equal', (tf: Tf, a: Tensor, b: Tensor) => tf.equal(a, b)],
  ['NotEqual', (tf: Tf, a: Tensor, b: Tensor) => tf.notEqual(a, b)],
  ['LogicalAnd', (tf: Tf, a: Tensor, b: Tensor) => tf.logicalAnd(tf.greater(a, b), tf.less(b, 1))],
  ['LogicalOr', (tf: Tf, a: Tensor, b: Tensor) => tf.logicalOr(tf.greater(a, b), tf.less(b, 1))],
  ['LogicalXor', (tf: Tf, a: Tensor, b: Tensor) => tf.logicalXor(tf.greater(a, b), tf.less(b, 1))],
  ['LogicalNot', (tf: Tf, a: Tensor, b: Tensor) => tf.logicalNot(tf.greater(a, b))],
  ['Any', (tf: Tf, a: Tensor, b: Tensor) => tf.any(tf.greater(a, b), 1, true)],
  ['All', (tf: Tf, a: Tensor, b: Tensor) => tf.all(tf.greater(a, b), 1, true)],
] as const) {
  add(kernel, `x where ${kernel.toLowerCase()}`, [real([4, 9]), real([9])], (tf, [a, b]) =>
    tf.mul(a as Tensor, tf.cast(compare(tf, a as Tensor, b as Tensor), 'float32')),
  );
}
add(
  'RealDiv',
  'divNoNan',
  [real([4, 9]), real([9], 0.3, 2)],
  (tf, [a, b]) => tf.divNoNan(a as Tensor, b as Tensor),
  { equivalent: (tf, [a, b]) => tf.div(a as Tensor, b as Tensor) },
);

// Picked and placed by indices
for (const [shape, picks, axis, batchDims] of [
  [[2, 3, 4], [2, 2], 1, 1],
  [[2, 3, 4], [2, 5], 2, 1],
  [[2, 3, 4, 5], [2, 3, 2], 3, 2],
  [[2, 3, 4, 5], [2, 3, 2], -2, 2],
] as const) {
  add(
    'GatherV2',
    `gather of [${shape}] along ${axis} by [${picks}], ${batchDims} batch axes`,
    [real(shape)],
    (tf, [x]) => {
      const extent = shape.at(axis < 0 ? axis : axis)!;
      const count = picks.reduce((size, each) => size * each, 1);
      const indices = ints(
        tf,
        Array.from({ length: count }, (_, i) => (i * 5 + 1) % extent),
        picks,
      );
      return tf.gather(x as Tensor, indices, axis, batchDims);
    },
  );
}
add('GatherNd', 'gatherND of rows, one twice', [real([4, 3])], (tf, [x]) =>
  tf.gatherND(x as Tensor, ints(tf, [2, 0, 2], [3, 1])),
);
add('GatherNd', 'gatherND of elements', [real([4, 3, 2])], (tf, [x]) =>
  tf.gatherND(x as Tensor, ints(tf, [2, 0, 1, 3, 2, 0, 2, 0, 1, 1, 1, 1], [2, 2, 3])),
);
add('GatherNd', 'gatherND of slices', [real([4, 3, 2])], (tf, [x]) =>
  tf.gatherND(x as Tensor, ints(tf, [2, 0, 3, 2], [2, 2])),
);
add('ScatterNd', 'scatterND of rows, two to one place', [real([3, 4])], (tf, [x]) =>
  tf.scatterND(ints(tf, [4, 1, 4], [3, 1]), x as Tensor, [5, 4]),
);
add('ScatterNd', 'scatterND of elements', [real([3])], (tf, [x]) =>
  tf.scatterND(ints(tf, [4, 1, 0, 3, 2, 2], [3, 2]), x as Tensor, [5, 4]),
);
for (const [shape, k] of [
  [[3, 7], 3],
  [[2, 3, 5], 5],
  [[6], 1],
] as const) {
  add(
    'TopK',
    `values of topk ${k} of [${shape}]`,
    [real(shape)],
    (tf, [x]) => tf.topk(x as Tensor, k).values,
  );
}

// Lists of one
for (const axis of [0, 1, -1]) {
  add('Unpack', `unstack of one along ${axis}`, [real(axis === 0 ? [1, 4] : [4, 1])], (tf, [x]) =>
    tf.square(tf.unstack(x as Tensor, axis)[0] as Tensor),
  );
}
add('SplitV', 'split into one', [real([4, 3])], (tf, [x]) =>
  tf.square(tf.split(x as Tensor, 1, 1)[0] as Tensor),
);

// Parts of a tensor
const slices: readonly [
  name: string,
  shape: readonly number[],
  begin: number[],
  end: number[],
  strides: number[],
  masks: readonly number[],
][] = [
  ['every second', [5, 7], [0, 1], [5, 7], [2, 3], []],
  ['backwards', [5, 7], [4, 6], [0, 1], [-1, -2], []],
  ['a new axis', [5, 7], [0, 0, 1], [0, 5, 6], [1, 1, 2], [0, 0, 0, 1]],
  ['an ellipsis', [3, 4, 5], [0, 1], [0, 5], [1, 2], [0, 0, 1]],
  ['open ends', [5, 7], [3, 3], [3, 3], [1, 2], [1, 2]],
  ['one run', [5, 7], [1, 2], [4, 5], [1, 1], []],
];
for (const [name, shape, begin, end, strides, masks] of slices) {
  add('StridedSlice', `stridedSlice: ${name}`, [real(shape)], (tf, [x]) =>
    tf.stridedSlice(x as Tensor, begin, end, strides, ...masks),
  );
}
// All backends have an axis taken out beside a stride wrong.
add(
  'StridedSlice',
  'stridedSlice: a row taken out',
  [real([5, 7, 2])],
  (tf, [x]) => tf.stridedSlice(x as Tensor, [3, 0, 0], [4, 7, 2], [1, 2, 1], 0, 0, 0, 0, 1),
  { equivalent: (tf, [x]) => tf.gather(tf.gather(x as Tensor, tf.scalar(3, 'int32')), [0, 2, 4, 6]) },
);
add(
  'StridedSlice',
  'stridedSlice: a column taken out, backwards',
  [real([5, 7, 2])],
  (tf, [x]) => tf.stridedSlice(x as Tensor, [4, 3, 0], [0, 4, 2], [-2, 1, 1], 0, 1, 0, 0, 2),
  { equivalent: (tf, [x]) => tf.gather(tf.gather(x as Tensor, tf.scalar(3, 'int32'), 1), [4, 2, 0]) },
);
for (const [shape, size] of [
  [[2, 2, 3, 8], 2],
  [[1, 3, 2, 18], 3],
] as const) {
  add('DepthToSpace', `depthToSpace of [${shape}] by ${size}`, [real(shape)], (tf, [x]) =>
    tf.depthToSpace(x as TensorFlow.Tensor4D, size, 'NHWC'),
  );
}
add('FlipLeftRight', 'flipLeftRight', [real([2, 3, 4, 2])], (tf, [x]) =>
  tf.image.flipLeftRight(x as TensorFlow.Tensor4D),
);

// Products
for (const axis of [0, 1, 2]) {
  for (const [exclusive, reverse] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const how = `${exclusive ? ', exclusive' : ''}${reverse ? ', reversed' : ''}`;
    add('Cumprod', `cumprod along ${axis}${how}`, [real([3, 5, 4])], (tf, [x]) =>
      tf.cumprod(x as Tensor, axis, exclusive, reverse),
    );
  }
}
add('Cumprod', 'cumprod of zeros, one number and many', [real([2, 9])], (tf, [x]) => {
  const some = tf.tensor2d([
    [0, 1, 1, 1, 0, 1, 1, 0, 1],
    [1, 1, 1, 1, 1, 1, 1, 0, 1],
  ]);
  return tf.cumprod(tf.mul(x as Tensor, some), 1);
});
for (const [equation, a, b] of [
  ['ij,jk->ik', [3, 4], [4, 5]],
  ['ij,jk->ki', [3, 4], [4, 5]],
  ['bij,bjk->bik', [2, 3, 4], [2, 4, 5]],
  ['bhqd,bkhd->bhqk', [2, 3, 4, 2], [2, 5, 3, 2]],
  ['i,j->ij', [3], [4]],
  ['i,i->', [5], [5]],
  ['ij,ij->ij', [3, 4], [3, 4]],
  ['ijk,k->ij', [2, 3, 4], [4]],
  ['ij->ji', [3, 4], undefined],
  ['ijk->j', [2, 3, 4], undefined],
  ['ij->', [3, 4], undefined],
] as const) {
  const inputs = [real(a), ...(b ? [real(b)] : [])];
  add('Einsum', `einsum ${equation}`, inputs, (tf, xs) => tf.einsum(equation, ...xs));
}

// The backend `cpu` has labels that one operand alone has, and the output not, wrong.
add(
  'Einsum',
  'einsum ij,k->i',
  [real([3, 4]), real([5])],
  (tf, [x, y]) => tf.einsum('ij,k->i', x as Tensor, y as Tensor),
  { equivalent: (tf, [x, y]) => tf.mul(tf.sum(x as Tensor, 1), tf.sum(y as Tensor)) },
);

// Crops
/** No position lies half-way between two pixels, where the backends round differently. */
const boxesOf = (tf: Tf) =>
  tf.tensor2d([
    [0.1, 0.15, 0.83, 0.88],
    [-0.2, 0.3, 0.6, 1.3],
    [0.9, 0.83, 0.2, 0.13],
  ]);
for (const [method, size] of [
  ['bilinear', [3, 4]],
  ['bilinear', [1, 2]],
  ['nearest', [3, 4]],
  ['nearest', [6, 1]],
] as const) {
  add(
    'CropAndResize',
    `cropAndResize to ${size.join(' × ')}, ${method}`,
    [real([2, 5, 6, 3])],
    (tf, [image]) => {
      const boxInd = tf.tensor1d([1, 0, 1], 'int32');
      return tf.image.cropAndResize(
        image as TensorFlow.Tensor4D,
        boxesOf(tf),
        boxInd,
        [...size],
        method,
        0.5,
      );
    },
  );
}

add('CropAndResize', 'cropAndResize of whole lines, nearest', [real([2, 5, 6, 3])], (tf, [image]) => {
  const boxes = tf.tensor2d([0.05, 0, 0.83, 1], [1, 4]);
  const boxInd = tf.tensor1d([1], 'int32');
  return tf.image.cropAndResize(image as TensorFlow.Tensor4D, boxes, boxInd, [4, 6], 'nearest');
});
add(
  'CropAndResize',
  'cropAndResize as a function of the boxes',
  [real([2, 5, 6, 3]), real([2, 4], -0.01, 0.01)],
  (tf, [image, move]) => {
    // All positions stay between the same two pixels.
    const boxes = tf.tensor2d([0.1, 0.15, 0.83, 0.88, 0.9, 0.83, 0.2, 0.13], [2, 4]);
    const moved = tf.add(boxes, move as Tensor) as TensorFlow.Tensor2D;
    const boxInd = tf.tensor1d([1, 0], 'int32');
    return tf.image.cropAndResize(image as TensorFlow.Tensor4D, moved, boxInd, [3, 3], 'bilinear');
  },
);

export const mendedCases: readonly MendedCase[] = cases;
