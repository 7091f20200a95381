// A good call, or several, of every kernel that the backend `wasm` has after registerTrainingKernels. What is
// wrong is made of these by variedCalls.ts.

export type Dtype = 'float32' | 'int32' | 'bool' | 'string';

export interface Operand {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  /** Else drawn: floats from -1 to 1, truths, whole numbers from 0 to 2. */
  readonly values?: readonly (number | string)[];
}

type Attributes = Readonly<Record<string, unknown>>;
type CpuReading = (attrs: Attributes, operands: readonly Operand[]) => Attributes;

export interface KernelCall {
  readonly inputs: Readonly<Record<string, Operand>> | readonly Operand[];
  readonly attrs: Attributes;
  /** Attributes and inputs that may be anything, or that cpu has wrong: the memory alone is looked at. */
  readonly data?: readonly string[];
  /** Why the backend `cpu` is no reference for it. */
  readonly unlike?: string;
  /** The same where an operand is empty. */
  readonly unlikeEmpty?: string;
  /** The same attributes as `cpu` reads them rightly. */
  readonly asCpuReads?: CpuReading;
  /** Whether the kernel may write its inputs. */
  readonly inPlace?: boolean;
}

const floats = (...shape: number[]): Operand => ({ shape, dtype: 'float32' });
const truths = (...shape: number[]): Operand => ({ shape, dtype: 'bool' });
const whole = (shape: readonly number[], ...values: number[]): Operand =>
  values.length > 0 ? { shape, dtype: 'int32', values } : { shape, dtype: 'int32' };
const given = (shape: readonly number[], ...values: number[]): Operand => ({
  shape,
  dtype: 'float32',
  values,
});
const text = (...values: string[]): Operand => ({ shape: [values.length], dtype: 'string', values });

function unary(name: string, operand = floats(2, 3)): [string, KernelCall[]] {
  return [name, [{ inputs: { x: operand }, attrs: {} }]];
}

function binary(name: string, operands: Pick<Operand, 'dtype'> = floats()): [string, KernelCall[]] {
  const a = { ...operands, shape: [2, 3] };
  const call = (b: readonly number[]) => ({ inputs: { a, b: { ...operands, shape: b } }, attrs: {} });
  return [name, [call([2, 3]), call([3]), call([2, 1])]];
}

const UNARY =
  'Abs Acos Asin Asinh Atan Ceil Cos Cosh Elu Erf Exp Expm1 Floor Identity IsFinite IsInf IsNan ' +
  'Neg OnesLike Relu Relu6 Round Selu Sigmoid Sign Sin Sinh Softplus Square Tan Tanh ZerosLike Diag Reciprocal';
const OF_POSITIVE = 'Acosh Atanh Log Log1p Rsqrt Sqrt';
const BINARY =
  'Add Atan2 Equal Greater GreaterEqual Less LessEqual Maximum Minimum Mod Multiply NotEqual Pow ' +
  'RealDiv SquaredDifference Sub';

/** Kernels of `cpu` know no negative axis, which their operations have counted from 0. */
function axisFromZero(key: string): CpuReading {
  return (attrs, [first]) => {
    const rank = first?.shape.length ?? 0;
    const counted = (axis: unknown) => (typeof axis === 'number' && axis < 0 ? axis + rank : axis);
    const value = attrs[key];
    return { ...attrs, [key]: Array.isArray(value) ? value.map(counted) : counted(value) };
  };
}

/** tfjs-core sums wrongly what is given where the rest, −1, is the first. */
const restOfSplit: CpuReading = (attrs, operands) => {
  const { axis, numOrSizeSplits: parts, ...rest } = axisFromZero('axis')(attrs, operands);
  const extent = operands[0]?.shape[Number(axis)] ?? 0;
  const given = Array.isArray(parts) ? parts.reduce((sum, size) => sum + Math.max(size, 0), 0) : 0;
  const spelled = Array.isArray(parts) ? parts.map((size) => (size === -1 ? extent - given : size)) : parts;
  return { ...rest, axis, numOrSizeSplits: spelled };
};

/** For a number, tfjs-core computes the width of the output with the height of the window. */
const spelledOut: CpuReading = (attrs) => {
  const { pad } = attrs;
  if (typeof pad !== 'number') return attrs;
  return {
    ...attrs,
    pad: [
      [0, 0],
      [pad, pad],
      [pad, pad],
      [0, 0],
    ],
  };
};

function reductions(key: string, ...names: string[]): [string, KernelCall[]][] {
  return names.map((name) => {
    const x = name === 'All' || name === 'Any' ? truths(2, 3, 4) : floats(2, 3, 4);
    const calls = [0, [1], [0, 2], -1].map((axis) => ({
      inputs: { x },
      attrs: { [key]: axis, keepDims: false },
      asCpuReads: axisFromZero(key),
      unlikeEmpty:
        'cpu has 0 for the mean of nothing, and NaN for the least; here these are NaN and infinity',
    }));
    return [name, calls];
  });
}

const images = floats(2, 5, 6, 3);
const volumes = floats(2, 4, 5, 3, 2);
const PADS = ['same', 'valid', 1, 0] as const;

/** No window may stand in the padding alone: it would have no maximum. */
function pools(extra: object = {}, pads: readonly (string | number)[] = PADS): KernelCall[] {
  const windows = [
    [3, 1],
    [1, 3],
    [2, 2],
  ];
  return windows.flatMap((filterSize) =>
    pads
      .filter((pad) => typeof pad === 'string' || pad < Math.min(...filterSize))
      .map((pad) => ({
        inputs: { x: images },
        attrs: { filterSize, strides: [1, 2], pad, ...extra },
        asCpuReads: spelledOut,
      })),
  );
}

function explicitPads(top: number, right: number): number[][] {
  return [
    [0, 0],
    [top, 0],
    [0, right],
    [0, 0],
  ];
}

/** dy's shape with it: the kernels are gradients. */
function poolGradients(): KernelCall[] {
  const sizes = [
    { filterSize: [3, 2], pad: 'same', out: [5, 3] },
    { filterSize: [3, 2], pad: 'valid', out: [3, 3] },
    { filterSize: [3, 1], pad: 1, out: [5, 4] },
  ];
  return sizes.map(({ filterSize, pad, out: [height = 0, width = 0] }) => ({
    inputs: { dy: floats(2, height, width, 3), input: images },
    attrs: { filterSize, strides: [1, 2], pad },
  }));
}

function volumePools(extra: object): KernelCall[] {
  return (['same', 'valid', 1] as const).map((pad) => ({
    inputs: { x: volumes },
    attrs: { filterSize: [2, 3, 2], strides: [1, 2, 1], pad, dataFormat: 'NDHWC', ...extra },
  }));
}

function volumePoolGradient(): KernelCall[] {
  return [
    {
      inputs: { dy: floats(2, 4, 3, 3, 2), input: volumes },
      attrs: { filterSize: [2, 3, 2], strides: [1, 2, 1], pad: 'same' },
      unlike: "the sum of cpu's gradient is not that of dy",
    },
  ];
}

function convolutions(filter: Operand, extra: object = {}, inputs: object = {}): KernelCall[] {
  return [...PADS, explicitPads(1, 2)].map((pad) => ({
    inputs: { x: images, filter, ...inputs },
    attrs: { strides: [1, 2], pad, dilations: [1, 1], dataFormat: 'NHWC', ...extra },
    asCpuReads: spelledOut,
  }));
}

/** cpu refuses strides together with dilations, which here are computed. */
function withoutDilations(call: KernelCall): KernelCall {
  return { ...call, data: ['dilations'] };
}

const boxes = given([3, 4], 0, 0, 0.98, 0.97, 0, 0, 0.93, 0.96, 0.53, 0.56, 2, 2);
const suppression: KernelCall = {
  inputs: { boxes, scores: given([3], 0.9, 0.8, 0.7) },
  attrs: { maxOutputSize: 3, iouThreshold: 0.5, scoreThreshold: 0 },
  data: ['iouThreshold', 'scoreThreshold', 'softNmsSigma'],
};
const sparse = {
  indices: whole([3, 2], 0, 0, 1, 2, 3, 1),
  values: given([3], 5, 6, 7),
};

const CALLS: Readonly<Record<string, KernelCall[]>> = {
  Cast: [{ inputs: { x: floats(2, 3) }, attrs: { dtype: 'int32' } }],
  ClipByValue: [
    {
      inputs: { x: floats(2, 3) },
      attrs: { clipValueMin: -0.5, clipValueMax: 0.5 },
      data: ['clipValueMin', 'clipValueMax'],
    },
  ],
  LeakyRelu: [{ inputs: { x: floats(2, 3) }, attrs: { alpha: 0.1 }, data: ['alpha'] }],
  Step: [{ inputs: { x: floats(2, 3) }, attrs: { alpha: 0.1 }, data: ['alpha'] }],
  AddN: [{ inputs: [floats(2, 3), floats(2, 3), floats(2, 3)], attrs: {} }],
  EluGrad: [{ inputs: { dy: floats(2, 3), y: floats(2, 3) }, attrs: {} }],
  LowerboundReluGradient: [
    { inputs: { dy: floats(2, 3), x: floats(2, 3) }, attrs: {}, unlike: 'cpu has no such kernel' },
  ],
  LowerboundAdamStep: [
    {
      inputs: {
        value: floats(7),
        gradient: floats(7),
        firstMoment: floats(7),
        secondMoment: given([7], 1, 2, 3, 4, 5, 6, 7),
      },
      attrs: { beta1: 0.9, beta2: 0.999, c1: 0.1, c2: 0.001, epsilon: 1e-7, learningRate: 0.1 },
      inPlace: true,
      data: ['beta1', 'beta2', 'c1', 'c2', 'epsilon', 'learningRate'],
      unlike: 'cpu has no such kernel',
    },
  ],
  LogicalNot: [{ inputs: { x: truths(2, 3) }, attrs: {} }],
  Prelu: [
    { inputs: { x: floats(2, 3), alpha: floats(3) }, attrs: {} },
    { inputs: { x: images, alpha: floats(6, 3) }, attrs: {} },
  ],
  Select: [
    { inputs: { condition: truths(2, 3), t: floats(2, 3), e: floats(2, 3) }, attrs: {} },
    { inputs: { condition: truths(2), t: floats(2, 3), e: floats(2, 3) }, attrs: {} },
  ],
  FusedBatchNorm: [
    {
      inputs: {
        x: images,
        mean: floats(3),
        variance: given([3], 1, 2, 3),
        offset: floats(3),
        scale: floats(3),
      },
      attrs: { varianceEpsilon: 0.001 },
      // cpu has statistics of one shape for all channels alone.
      data: ['varianceEpsilon', 'mean', 'variance', 'offset', 'scale'],
    },
  ],
  LRN: [
    {
      inputs: { x: images },
      attrs: { depthRadius: 1, bias: 1, alpha: 1, beta: 0.5 },
      data: ['bias', 'alpha', 'beta'],
    },
  ],
  LRNGrad: [
    {
      inputs: { x: images, y: images, dy: images },
      attrs: { depthRadius: 1, bias: 1, alpha: 1, beta: 0.5 },
      data: ['bias', 'alpha', 'beta'],
    },
  ],
  Softmax: [{ inputs: { logits: floats(2, 3) }, attrs: { dim: 1 } }],

  ArgMax: [0, 1, -1].map((axis) => ({ inputs: { x: floats(2, 3) }, attrs: { axis } })),
  ArgMin: [0, 1, -1].map((axis) => ({ inputs: { x: floats(2, 3) }, attrs: { axis } })),
  ...Object.fromEntries(reductions('axis', 'All', 'Any', 'Mean', 'Min', 'Prod', 'Sum')),
  ...Object.fromEntries(reductions('reductionIndices', 'Max')),
  Cumprod: [0, 1, 2, -1].map((axis) => ({
    inputs: { x: floats(2, 3, 4) },
    attrs: { axis, exclusive: false, reverse: true },
    asCpuReads: axisFromZero('axis'),
  })),
  Cumsum: [0, 1, 2, -1].map((axis) => ({
    inputs: { x: floats(2, 3, 4) },
    attrs: { axis, exclusive: true, reverse: false },
    asCpuReads: axisFromZero('axis'),
  })),
  Concat: [0, 1, -1].map((axis) => ({ inputs: [floats(2, 3), floats(2, 3)], attrs: { axis } })),
  Pack: [0, 1, 2].map((axis) => ({ inputs: [floats(2, 3), floats(2, 3)], attrs: { axis } })),
  Unpack: [0, 1].map((axis) => ({ inputs: { value: floats(2, 3) }, attrs: { axis } })),
  ExpandDims: [{ inputs: { input: floats(2, 3) }, attrs: { dim: 1 } }],
  Reverse: [
    { inputs: { x: floats(2, 3, 4) }, attrs: { dims: [1] } },
    { inputs: { x: floats(2, 3, 4) }, attrs: { dims: [0, 2] } },
  ],
  SplitV: [3, [1, 2, 3], [1, -1]].map((numOrSizeSplits) => ({
    inputs: { x: floats(4, 6) },
    attrs: { axis: 1, numOrSizeSplits },
    asCpuReads: restOfSplit,
  })),
  Transpose: [
    { inputs: { x: floats(2, 3) }, attrs: { perm: [1, 0] } },
    { inputs: { x: floats(2, 3, 4) }, attrs: { perm: [2, 1, 0] } },
    { inputs: { x: whole([2, 3, 4]) }, attrs: { perm: [0, 2, 1] } },
  ],
  Unique: [{ inputs: { x: whole([4], 1, 2, 1, 0) }, attrs: { axis: 0 } }],

  Slice: [
    { inputs: { x: floats(3, 4) }, attrs: { begin: [1, 1], size: [2, 2] } },
    { inputs: { x: floats(3, 4, 2) }, attrs: { begin: [1, 0, 1], size: [-1, 2, 1] } },
    { inputs: { x: floats(3, 4, 2, 2) }, attrs: { begin: [0, 1, 0, 1], size: [2, 2, 2, 1] } },
  ],
  StridedSlice: [
    { begin: [0, 1], end: [3, 4], strides: [2, 2] },
    { begin: [2, 3], end: [0, -5], strides: [-1, -2] },
  ].flatMap((places) =>
    [floats(3, 4), whole([3, 4])].map((x) => ({
      inputs: { x },
      attrs: { ...places, beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
      // cpu counts the strides of the wrong axes.
      data: ['newAxisMask', 'shrinkAxisMask'],
    })),
  ),
  PadV2: [
    {
      inputs: { x: floats(2, 3) },
      attrs: {
        paddings: [
          [1, 0],
          [2, 1],
        ],
        constantValue: 7,
      },
      data: ['constantValue'],
    },
    {
      inputs: { x: floats(1, 2, 1, 2, 3) },
      attrs: {
        paddings: [
          [1, 0],
          [0, 0],
          [1, 1],
          [0, 0],
          [0, 2],
        ],
        constantValue: 0,
      },
      data: ['constantValue'],
    },
  ],
  MirrorPad: ['reflect', 'symmetric'].map((mode) => ({
    inputs: { x: floats(2, 3) },
    attrs: {
      paddings: [
        [1, 0],
        [2, 1],
      ],
      mode,
    },
  })),
  Tile: [{ inputs: { x: floats(2, 3) }, attrs: { reps: [2, 3] } }],
  Fill: [{ inputs: {}, attrs: { shape: [2, 3], value: 4, dtype: 'float32' }, data: ['value'] }],
  Reshape: [
    { inputs: { x: floats(2, 3) }, attrs: { shape: [3, 2] } },
    { inputs: { x: floats(2, 3) }, attrs: { shape: [-1] } },
  ],
  Range: [{ inputs: {}, attrs: { start: 1, stop: 9, step: 2, dtype: 'float32' } }],
  LinSpace: [{ inputs: {}, attrs: { start: 1, stop: 9, num: 4 }, data: ['start', 'stop'] }],
  OneHot: [
    {
      inputs: { indices: whole([3], 0, 2, 1) },
      attrs: { depth: 3, onValue: 1, offValue: 0, dtype: 'float32' },
      data: ['onValue', 'offValue'],
    },
  ],
  ResizeBilinear: [
    { inputs: { images }, attrs: { size: [4, 9], alignCorners: false, halfPixelCenters: false } },
    { inputs: { images }, attrs: { size: [4, 9], alignCorners: true, halfPixelCenters: false } },
  ],
  ResizeNearestNeighbor: [
    { inputs: { images }, attrs: { size: [4, 9], alignCorners: false, halfPixelCenters: false } },
  ],
  ResizeBilinearGrad: [
    {
      inputs: { images: floats(1, 5, 6, 3), dy: floats(1, 4, 9, 3) },
      attrs: { alignCorners: false },
      unlike: "cpu's gradient is wrong for several images (docs/tfjs-wasm-kernels.md)",
    },
  ],
  ResizeNearestNeighborGrad: [
    {
      inputs: { images: floats(1, 5, 6, 3), dy: floats(1, 4, 9, 3) },
      attrs: { alignCorners: false },
      unlike: "cpu's gradient is wrong for several images (docs/tfjs-wasm-kernels.md)",
    },
  ],
  TopK: [{ inputs: { x: floats(2, 5) }, attrs: { k: 2, sorted: true } }],
  Multinomial: [
    {
      inputs: { logits: given([2, 3], 0.2, 0.3, 0.5, 0.1, 0.1, 0.8) },
      attrs: { numSamples: 4, seed: 3, normalized: true },
      data: ['seed'],
      unlike: 'each backend draws its own numbers',
    },
  ],
  DepthToSpace: ['NHWC', 'NCHW'].map((dataFormat) => ({
    inputs: { x: floats(1, 4, 2, 4) },
    attrs: { blockSize: 2, dataFormat },
    ...(dataFormat === 'NCHW' && { unlike: 'cpu has channels last alone' }),
  })),
  BatchToSpaceND: [
    {
      inputs: { x: floats(4, 2, 3, 2) },
      attrs: {
        blockShape: [2, 2],
        crops: [
          [1, 0],
          [0, 2],
        ],
      },
    },
  ],
  SpaceToBatchND: [
    {
      inputs: { x: floats(1, 3, 4, 2) },
      attrs: {
        blockShape: [2, 2],
        paddings: [
          [1, 0],
          [0, 2],
        ],
      },
    },
  ],
  FlipLeftRight: [{ inputs: { image: images }, attrs: {} }],
  RotateWithOffset: [
    {
      inputs: { image: images },
      attrs: { radians: 0.5, fillValue: [1, 2, 3], center: [0.4, 0.6] },
      data: ['radians', 'center'],
    },
    {
      inputs: { image: images },
      attrs: { radians: 0.5, fillValue: 0, center: 0.5 },
      data: ['radians', 'center', 'fillValue'],
    },
  ],
  Transform: [
    ['bilinear', 'constant'],
    ['nearest', 'nearest'],
    ['nearest', 'wrap'],
  ].map(([interpolation, fillMode]) => ({
    // cpu computes the first image alone.
    inputs: { image: floats(1, 5, 6, 3), transforms: given([1, 8], 1, 0.125, 1, 0, 1, -1.25, 0, 0) },
    attrs: { interpolation, fillMode, fillValue: 0, outputShape: [4, 4] },
    data: ['fillValue', 'interpolation', 'fillMode', 'image'],
  })),

  GatherV2: [
    { inputs: { x: floats(3, 4), indices: whole([2], 2, 0) }, attrs: { axis: 0, batchDims: 0 } },
    { inputs: { x: floats(2, 4), indices: whole([2, 2], 2, 0, 1, 3) }, attrs: { axis: 1, batchDims: 1 } },
  ],
  GatherNd: [{ inputs: { params: floats(3, 4), indices: whole([2, 2], 2, 3, 0, 0) }, attrs: {} }],
  ScatterNd: [{ inputs: { indices: whole([2, 1], 2, 0), updates: floats(2, 4) }, attrs: { shape: [3, 4] } }],
  TensorScatterUpdate: [
    { inputs: { tensor: floats(3, 4), indices: whole([2, 1], 2, 0), updates: floats(2, 4) }, attrs: {} },
  ],
  SparseToDense: [
    {
      inputs: { sparseIndices: whole([2, 2], 2, 3, 0, 1), sparseValues: floats(2), defaultValue: floats() },
      attrs: { outputShape: [3, 4] },
    },
    {
      inputs: { sparseIndices: whole([2], 2, 3), sparseValues: floats(2), defaultValue: floats() },
      attrs: { outputShape: [5] },
    },
  ],
  Bincount: [{ inputs: { x: whole([4], 0, 2, 1, 2), weights: floats(4) }, attrs: { size: 3 } }],
  DenseBincount: [
    { inputs: { x: whole([4], 0, 2, 1, 2), weights: floats(4) }, attrs: { size: 3, binaryOutput: false } },
    {
      inputs: { x: whole([2, 2], 0, 2, 1, 2), weights: floats(0) },
      attrs: { size: 3, binaryOutput: true },
      unlike: 'cpu counts vectors whatever binaryOutput says',
    },
  ],
  UnsortedSegmentSum: [
    {
      inputs: { x: floats(3, 4), segmentIds: whole([3], 1, 0, 1) },
      attrs: { numSegments: 2 },
      unlike: 'cpu has no such kernel',
    },
  ],
  CropAndResize: ['bilinear', 'nearest'].map((method) => ({
    inputs: { image: images, boxes, boxInd: whole([3], 0, 1, 1) },
    attrs: { cropSize: [3, 4], method, extrapolationValue: 9 },
    data: ['extrapolationValue'],
  })),
  NonMaxSuppressionV3: [suppression],
  NonMaxSuppressionV4: [{ ...suppression, attrs: { ...suppression.attrs, padToMaxOutputSize: false } }],
  NonMaxSuppressionV5: [{ ...suppression, attrs: { ...suppression.attrs, softNmsSigma: 0.1 } }],
  SearchSorted: [
    {
      inputs: { sortedSequence: given([2, 3], 1, 2, 3, 4, 5, 6), values: floats(2, 2) },
      attrs: { side: 'left' },
      data: ['side'],
    },
  ],
  SparseFillEmptyRows: [
    { inputs: { ...sparse, denseShape: whole([2], 4, 3), defaultValue: floats() }, attrs: {} },
  ],
  SparseReshape: [
    {
      inputs: { inputIndices: sparse.indices, inputShape: whole([2], 4, 3), newShape: whole([2], 6, -1) },
      attrs: {},
    },
  ],
  SparseSegmentMean: [
    {
      inputs: { data: floats(3, 4), indices: whole([3], 2, 0, 1), segmentIds: whole([3], 0, 0, 1) },
      attrs: {},
    },
  ],
  SparseSegmentSum: [
    {
      inputs: { data: floats(3, 4), indices: whole([3], 2, 0, 1), segmentIds: whole([3], 0, 0, 1) },
      attrs: {},
    },
  ],
  BroadcastArgs: [{ inputs: { s0: whole([2], 2, 1), s1: whole([1], 3) }, attrs: {} }],
  StringNGrams: [
    {
      inputs: { data: text('a', 'b', 'c'), dataSplits: whole([2], 0, 3) },
      attrs: {
        separator: ' ',
        nGramWidths: [2],
        leftPad: 'L',
        rightPad: 'R',
        padWidth: 1,
        preserveShortSequences: false,
      },
      data: ['separator', 'leftPad', 'rightPad'],
    },
  ],
  StringSplit: [
    {
      inputs: { input: text('a b', 'c'), delimiter: { shape: [], dtype: 'string', values: [' '] } },
      attrs: { skipEmpty: true },
    },
  ],
  StringToHashBucketFast: [{ inputs: { input: text('a', 'b') }, attrs: { numBuckets: 5 } }],

  Einsum: [
    {
      inputs: [floats(2, 3), floats(3, 4)],
      attrs: { equation: 'ij,jk->ik' },
    },
  ],
  BatchMatMul: [
    { inputs: { a: floats(2, 3), b: floats(3, 4) }, attrs: { transposeA: false, transposeB: false } },
    {
      inputs: { a: floats(2, 3, 2), b: floats(1, 3, 4) },
      attrs: { transposeA: true, transposeB: false },
      unlikeEmpty: 'cpu has NaN in an empty product',
    },
  ],
  _FusedMatMul: [
    {
      inputs: { a: floats(2, 3), b: floats(3, 4), bias: floats(4) },
      attrs: { transposeA: false, transposeB: false, activation: 'relu' },
    },
  ],
  Conv2D: convolutions(floats(3, 2, 3, 4)),
  FusedConv2D: convolutions(floats(3, 2, 3, 4), { activation: 'relu' }, { bias: floats(4) }),
  DepthwiseConv2dNative: [
    ...convolutions(floats(3, 2, 3, 2)).map(withoutDilations),
    ...convolutions(floats(3, 2, 3, 2), { strides: [1, 1], dilations: [2, 1] }).map((call) => ({
      ...call,
      data: ['strides'],
    })),
  ],
  FusedDepthwiseConv2D: convolutions(floats(3, 2, 3, 2), { activation: 'relu' }, { bias: floats(6) }).map(
    withoutDilations,
  ),
  Conv2DBackpropInput: [
    {
      inputs: { dy: floats(2, 5, 3, 4), filter: floats(3, 2, 3, 4) },
      attrs: { inputShape: [2, 5, 6, 3], strides: [1, 2], pad: 'same', dataFormat: 'NHWC' },
    },
  ],
  Conv2DBackpropFilter: [
    {
      inputs: { dy: floats(2, 5, 3, 4), x: images },
      attrs: { filterShape: [3, 2, 3, 4], strides: [1, 2], pad: 'same', dataFormat: 'NHWC' },
    },
  ],
  DepthwiseConv2dNativeBackpropInput: [
    {
      inputs: { dy: floats(2, 5, 3, 6), filter: floats(3, 2, 3, 2) },
      attrs: { inputShape: [2, 5, 6, 3], strides: [1, 2], dilations: [1, 1], pad: 'same' },
      // cpu computes without them.
      data: ['dilations'],
    },
  ],
  DepthwiseConv2dNativeBackpropFilter: [
    {
      inputs: { dy: floats(2, 5, 3, 6), x: images },
      attrs: { filterShape: [3, 2, 3, 2], strides: [1, 2], dilations: [1, 1], pad: 'same' },
      // cpu computes without them.
      data: ['dilations'],
    },
  ],
  Conv3D: [
    {
      inputs: { x: volumes, filter: floats(2, 3, 2, 2, 3) },
      attrs: { strides: [1, 2, 1], pad: 'same', dilations: [1, 1, 1], dataFormat: 'NDHWC' },
    },
  ],
  Conv3DBackpropInputV2: [
    {
      inputs: { dy: floats(2, 4, 3, 3, 3), filter: floats(2, 3, 2, 2, 3) },
      attrs: { inputShape: [2, 4, 5, 3, 2], strides: [1, 2, 1], pad: 'same' },
    },
  ],
  Conv3DBackpropFilterV2: [
    {
      inputs: { dy: floats(2, 4, 3, 3, 3), x: volumes },
      attrs: { filterShape: [2, 3, 2, 2, 3], strides: [1, 2, 1], pad: 'same' },
    },
  ],
  AvgPool: [...pools(), ...pools({ dimRoundingMode: 'ceil' }, [1])],
  MaxPool: [...pools(), ...pools({ dimRoundingMode: 'ceil' }, [1])],
  MaxPoolWithArgmax: pools({ includeBatchInIndex: false }, ['same', 'valid']),
  AvgPool3D: volumePools({}),
  MaxPool3D: volumePools({}),
  AvgPoolGrad: poolGradients().map((call) => ({
    ...call,
    unlike: "cpu's gradient is wrong with padding (docs/tfjs-wasm-kernels.md)",
  })),
  MaxPoolGrad: poolGradients(),
  AvgPool3DGrad: volumePoolGradient(),
  MaxPool3DGrad: volumePoolGradient(),
  Dilation2D: [
    {
      inputs: { x: images, filter: floats(3, 2, 3) },
      attrs: { strides: [1, 2], pad: 'same', dilations: [1, 1] },
    },
  ],
  Dilation2DBackpropInput: [
    {
      inputs: { x: images, filter: floats(3, 2, 3), dy: floats(2, 5, 3, 3) },
      attrs: { strides: [1, 2], pad: 'same', dilations: [1, 1] },
    },
  ],
  Dilation2DBackpropFilter: [
    {
      inputs: { x: images, filter: floats(3, 2, 3), dy: floats(2, 5, 3, 3) },
      attrs: { strides: [1, 2], pad: 'same', dilations: [1, 1] },
    },
  ],
};

/** By the kernel's name. */
export const KERNEL_CALLS: Readonly<Record<string, readonly KernelCall[]>> = {
  ...Object.fromEntries(UNARY.split(' ').map((name) => unary(name))),
  ...Object.fromEntries(OF_POSITIVE.split(' ').map((name) => unary(name, given([2, 3], 1.5, 2, 3, 4, 5, 6)))),
  ...Object.fromEntries(BINARY.split(' ').map((name) => binary(name))),
  ...Object.fromEntries(['LogicalAnd', 'LogicalOr'].map((name) => binary(name, truths()))),
  LogicalXor: binary('', truths())[1].map((call) => ({ ...call, unlike: 'cpu has no such kernel' })),
  FloorDiv: binary('')[1].map((call) => ({ ...call, unlike: 'cpu makes int32 of it' })),
  ...Object.fromEntries([binary('BitwiseAnd', whole([]))]),
  ...CALLS,
};
