import { type Address, NONE, plus } from '../kernels/address.js';
import { multiply } from '../products/matrixProduct.js';
import { applyEpilogue, biasRow, readEpilogue } from './epilogue.js';
import { type Host, sizeOf } from './host.js';
import type { Attributes, TensorInfo } from './tensorflow.js';
import type { KernelCall, TrainingKernel } from './trainingKernel.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** op(A) · op(B) over batches, [..., m, n]. */
const batchMatMul: TrainingKernel = {
  kernelName: 'BatchMatMul',
  run({ host, inputs, attrs }: KernelCall) {
    const { a, b } = inputs;
    if (a?.dtype !== 'float32' || b?.dtype !== 'float32') return undefined;
    const shapes = readShapes('BatchMatMul', a, b, attrs);
    const { tensor, address } = host.output([...shapes.batch, shapes.m, shapes.n]);
    multiplyBatches(host, shapes, a, b, address, NONE, false);
    return tensor;
  },
};

/** The same with bias and activation: what tf.fused.matMul and dense layers call. */
const fusedMatMul: TrainingKernel = {
  kernelName: '_FusedMatMul',
  run({ host, inputs, attrs }: KernelCall) {
    const { a, b, bias, preluActivationWeights } = inputs;
    if (a?.dtype !== 'float32' || b?.dtype !== 'float32') return undefined;
    const extras = [bias, preluActivationWeights];
    if (extras.some((tensor) => tensor && tensor.dtype !== 'float32')) return undefined;
    const epilogue = readEpilogue('_FusedMatMul', { bias, preluActivationWeights }, attrs);
    const shapes = readShapes('_FusedMatMul', a, b, attrs);
    const shape = [...shapes.batch, shapes.m, shapes.n];
    const { tensor, address } = host.output(shape);
    const row = biasRow(host, epilogue, shapes.n);
    const addsBias = epilogue.bias === undefined || row !== 0;
    const relu = addsBias && epilogue.activation === 'relu';
    multiplyBatches(host, shapes, a, b, address, row, relu);
    applyEpilogue(host, epilogue, address, shape, { bias: addsBias, relu });
    return tensor;
  },
};

export const MATRIX_KERNELS: readonly TrainingKernel[] = [batchMatMul, fusedMatMul];

interface Shapes {
  /** Broadcast shape of the batches. */
  readonly batch: readonly number[];
  readonly batchA: readonly number[];
  readonly batchB: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

function readShapes(kernel: string, a: TensorInfo, b: TensorInfo, attrs: Attributes): Shapes {
  const transposeA = Boolean(attrs.transposeA);
  const transposeB = Boolean(attrs.transposeB);
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [depthB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const batch = broadcastShape(batchA, batchB);
  if (k !== depthB || batch === undefined) {
    throw new Error(
      `${kernel}: shapes [${a.shape.join(', ')}] (transposeA=${transposeA}) and [${b.shape.join(', ')}] ` +
        `(transposeB=${transposeB}) do not fit each other.`,
    );
  }
  return { batch, batchA, batchB, m, n, k, transposeA, transposeB };
}

function broadcastShape(left: readonly number[], right: readonly number[]): number[] | undefined {
  const shape: number[] = [];
  for (let i = Math.max(left.length, right.length); i >= 1; i--) {
    const l = left.at(-i) ?? 1;
    const r = right.at(-i) ?? 1;
    if (l !== r && l !== 1 && r !== 1) return undefined;
    shape.push(l === 1 ? r : l);
  }
  return shape;
}

function multiplyBatches(
  host: Host,
  shapes: Shapes,
  a: TensorInfo,
  b: TensorInfo,
  out: Address,
  bias: Address,
  relu: boolean,
): void {
  const { batch, batchA, batchB, m, n, k, transposeA, transposeB } = shapes;
  const batches = sizeOf(batch);
  const addresses = { a: host.address(a), b: host.address(b) };
  const common = { n, k, transposeA, transposeB, bias, relu };
  if (!transposeA && sizeOf(batchB) === 1 && sizeOf(batchA) === batches) {
    // One B for all: the batches of A are rows.
    multiply(host, { ...common, ...addresses, out, m: batches * m });
    return;
  }
  for (let i = 0; i < batches; i++) {
    multiply(host, {
      ...common,
      a: plus(addresses.a, broadcastIndex(i, batch, batchA) * m * k * FLOAT),
      b: plus(addresses.b, broadcastIndex(i, batch, batchB) * k * n * FLOAT),
      out: plus(out, i * m * n * FLOAT),
      m,
    });
  }
}

/** Index in an operand of the i-th element of the broadcast shape. */
function broadcastIndex(i: number, shape: readonly number[], operand: readonly number[]): number {
  let index = 0;
  let stride = 1;
  let rest = i;
  for (let axis = 1; axis <= shape.length; axis++) {
    const extent = operand.at(-axis) ?? 1;
    const position = rest % shape.at(-axis)!;
    rest = Math.floor(rest / shape.at(-axis)!);
    if (extent > 1) index += position * stride;
    stride *= extent;
  }
  return index;
}
