// The backend `cpu` with drawn rounding errors (Monte-Carlo arithmetic: Parker 1997), as
// test/reference/conditioning.ts does it for our own models: how far rounding can move what a graph of
// TensorFlow.js computes, with all cancellation in it.

import { roundoff } from '../kernels/float32.js';
import { uniform } from '../reference/uniform.js';
import type { Tf } from './gradientCases.js';

interface Info {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: string;
}

interface CpuBackend {
  readonly data: { get(dataId: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: string, values: Float32Array): Info;
  disposeIntermediateTensorInfo(info: Info): void;
}

interface Arguments {
  readonly inputs: Readonly<Record<string, Info>> | readonly Info[];
  readonly backend: CpuBackend;
  readonly attrs: object;
}

interface Kernel {
  readonly kernelName: string;
  readonly backendName: string;
  readonly kernelFunc: (args: Arguments) => Info | Info[];
}

/** Kernels that move or choose numbers, and so round nothing. */
const EXACT = new Set([
  ...['Abs', 'ArgMax', 'ArgMin', 'BatchToSpaceND', 'BroadcastTo', 'Cast', 'ClipByValue', 'Concat', 'Equal'],
  ...['ExpandDims', 'Fill', 'GatherV2', 'Greater', 'GreaterEqual', 'Identity', 'IsNan', 'Less', 'LessEqual'],
  ...[
    'LogicalAnd',
    'LogicalNot',
    'LogicalOr',
    'Max',
    'Maximum',
    'MaxPool',
    'MaxPool3D',
    'Min',
    'Minimum',
    'MirrorPad',
  ],
  ...[
    'Neg',
    'NotEqual',
    'OneHot',
    'OnesLike',
    'Pack',
    'PadV2',
    'Relu',
    'Relu6',
    'Reshape',
    'Reverse',
    'Select',
  ],
  ...[
    'Sign',
    'Slice',
    'SpaceToBatchND',
    'SplitV',
    'Step',
    'StridedSlice',
    'Tile',
    'Transpose',
    'Unpack',
    'ZerosLike',
  ],
]);

/** Kernels that add terms; all others compute each number of their result by itself. */
const SUMS =
  /^(Sum|Mean|Prod|Cum|BatchMatMul|_Fused|Fused|Conv|Depthwise|AvgPool|MaxPool\w*Grad|Softmax|LogSoftmax|Resize|Einsum|Unsorted)/;

/** Roundings of an elementary function: 4 units in the last place are granted to each (CONTRIBUTING.md). */
const ELEMENTARY = 8;

/**
 * Runs `f` on the backend `cpu`, which must be set, with errors of which each seed draws others. A kernel of
 * which no input has more than m numbers adds no more than m terms for one number of its result. Its
 * roundings are those of a sum whose terms are off by relative errors of m units each (√m · u · Σ|t| ≤ m · u
 * · √Σt²), so its inputs are moved by these; its result is moved by the error of an elementary function.
 */
export async function withDrawnErrors<T>(tf: Tf, seed: number, f: () => Promise<T>): Promise<T> {
  const kernels = [...tf.getKernelsForBackend('cpu')] as unknown as Kernel[];
  const random = uniform(seed);
  const register = (kernel: Kernel) => {
    tf.unregisterKernel(kernel.kernelName, 'cpu');
    tf.registerKernel(kernel as never);
  };
  for (const kernel of kernels) {
    if (EXACT.has(kernel.kernelName)) continue;
    register({ ...kernel, kernelFunc: (args) => rounded(kernel, args, random) });
  }
  try {
    return await f();
  } finally {
    for (const kernel of kernels) register(kernel);
  }
}

/**
 * Moves numbers by relative errors of standard deviation `size`: uniform on ±√3 of it. Whole numbers stay:
 * they are counts and exponents, as in the derivative of x³.
 */
function move(values: Float32Array, size: number, random: () => number): Float32Array {
  return values.map((value) =>
    Number.isInteger(value) ? value : value * (1 + size * Math.sqrt(3) * random()),
  );
}

function rounded({ kernelName, kernelFunc }: Kernel, args: Arguments, random: () => number): Info | Info[] {
  const { backend, inputs } = args;
  const isFloat = (info: Info) => info !== null && info !== undefined && info.dtype === 'float32';
  const entries = Object.entries(inputs as Record<string, Info>);
  const floats = entries.filter(([, info]) => isFloat(info));
  const numbers = (info: Info) => info.shape.reduce((product, extent) => product * extent, 1);
  const most = Math.max(1, ...floats.map(([, info]) => numbers(info)));
  const copies = (SUMS.test(kernelName) ? floats : []).map(([name, info]) => {
    const values = move(backend.data.get(info.dataId).values as Float32Array, most * roundoff, random);
    return [name, backend.makeTensorInfo(info.shape, 'float32', values)] as const;
  });
  const outputs = kernelFunc({
    ...args,
    inputs: { ...(inputs as Record<string, Info>), ...Object.fromEntries(copies) },
  });
  for (const [, copy] of copies) backend.disposeIntermediateTensorInfo(copy);
  for (const output of [outputs].flat().filter(isFloat)) {
    const data = backend.data.get(output.dataId);
    data.values = move(Float32Array.from(data.values), ELEMENTARY * roundoff, random);
  }
  return outputs;
}
