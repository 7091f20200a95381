// Bias and activation of the fused operations, where the GEMM kernels do not apply them themselves.

import { type Address, NONE, plus } from '../kernels/address.js';
import { type Host, sizeOf } from './host.js';
import type { Attributes, TensorInfo } from './tensorflow.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Codes of assembly/epilogue.ts; prelu has a kernel of its own. */
const CODES = { relu: 1, relu6: 2, elu: 3, sigmoid: 4, leakyrelu: 5 } as const;

type Activation = keyof typeof CODES | 'linear' | 'prelu';

/** What follows a product: out = activation(product + bias). */
export interface Epilogue {
  readonly bias: TensorInfo | undefined;
  readonly activation: Activation;
  /** The slope of leakyrelu. */
  readonly slope: number;
  /** Slopes of prelu. */
  readonly slopes: TensorInfo | undefined;
}

/**
 * @param kernel for errors.
 * @throws Error for an unknown activation, or prelu without slopes.
 */
export function readEpilogue(
  kernel: string,
  inputs: {
    readonly bias?: TensorInfo | undefined;
    readonly preluActivationWeights?: TensorInfo | undefined;
  },
  attrs: Attributes,
): Epilogue {
  const activation = attrs.activation ?? 'linear';
  if (!isActivation(activation)) {
    throw new Error(
      `${kernel} has no fused activation '${activation}'. It has linear, prelu, ${Object.keys(CODES).join(', ')}.`,
    );
  }
  const slopes = inputs.preluActivationWeights;
  if (activation === 'prelu' && slopes === undefined) {
    throw new Error(`${kernel} with the activation 'prelu' needs preluActivationWeights.`);
  }
  // The default of tf.fused.
  const slope = (attrs.leakyreluAlpha as number | null | undefined) ?? 0.2;
  return { bias: inputs.bias ?? undefined, activation, slope, slopes };
}

function isActivation(name: unknown): name is Activation {
  return name === 'linear' || name === 'prelu' || (typeof name === 'string' && Object.hasOwn(CODES, name));
}

/** Address of a bias that is the same row for all rows, and as long; 0 for any other. */
export function biasRow(host: Host, { bias }: Epilogue, columns: number): Address {
  const plain = bias !== undefined && sizeOf(bias.shape) === columns && bias.shape.at(-1) === columns;
  return plain ? host.address(bias) : NONE;
}

/**
 * Finishes a product, or some outermost slices of it, in place.
 * @param shape of all of the product.
 * @param done whether the GEMM kernels have added the bias, and applied ReLU.
 */
export function applyEpilogue(
  host: Host,
  epilogue: Epilogue,
  out: Address,
  shape: readonly number[],
  done: { readonly bias: boolean; readonly relu: boolean },
): void {
  const { bias, activation, slope, slopes } = epilogue;
  const { kernels } = host;
  if (bias !== undefined && !done.bias) {
    forBroadcastRows(host, bias, shape, (place, rows, columns, addend, rowStride, columnStride) =>
      kernels.addRows(plus(out, place), rows, columns, addend, rowStride, columnStride),
    );
  }
  if (activation === 'prelu') {
    forBroadcastRows(host, slopes!, shape, (place, rows, columns, row, rowStride, columnStride) =>
      kernels.preluRows(plus(out, place), rows, columns, row, rowStride, columnStride),
    );
  } else if (activation !== 'linear' && !(activation === 'relu' && done.relu)) {
    kernels.activate(CODES[activation], out, sizeOf(shape), slope);
  }
}

/**
 * Calls `visit` with runs of rows of a tensor of this shape, and the operand's rows that are broadcast to
 * them.
 */
function forBroadcastRows(
  host: Host,
  operand: TensorInfo,
  shape: readonly number[],
  visit: (
    place: number,
    rows: number,
    columns: number,
    operandRow: Address,
    rowStride: number,
    columnStride: number,
  ) => void,
): void {
  const columns = shape.at(-1)!;
  const strides = broadcastStrides(operand.shape, shape);
  const address = host.address(operand);
  const columnStride = strides.at(-1)!;
  if (strides.slice(0, -1).every((stride) => stride === 0)) {
    visit(0, sizeOf(shape) / Math.max(columns, 1), columns, address, 0, columnStride);
    return;
  }
  const rows = shape.at(-2)!;
  const rowStride = strides.at(-2)!;
  const outer = shape.slice(0, -2);
  const outers = sizeOf(outer);
  for (let i = 0; i < outers; i++) {
    let offset = 0;
    for (let axis = outer.length - 1, rest = i; axis >= 0; axis--) {
      offset += (rest % outer[axis]!) * strides[axis]!;
      rest = Math.floor(rest / outer[axis]!);
    }
    visit(i * rows * columns * FLOAT, rows, columns, plus(address, offset), rowStride, columnStride);
  }
}

/**
 * Bytes from element to element along each axis of `shape`, 0 where the operand has one for all.
 * @throws Error where the operand cannot be broadcast.
 */
function broadcastStrides(operand: readonly number[], shape: readonly number[]): number[] {
  const strides = shape.map(() => 0);
  let stride = FLOAT;
  for (let i = 1; i <= operand.length; i++) {
    const extent = operand.at(-i)!;
    const target = i <= shape.length ? shape.at(-i)! : 1;
    if (extent !== 1 && extent !== target) {
      throw new Error(
        `A bias or slope of shape [${operand.join(', ')}] cannot be broadcast to the product's shape [${shape.join(', ')}].`,
      );
    }
    if (i <= shape.length && extent !== 1) strides[shape.length - i] = stride;
    stride *= extent;
  }
  return strides;
}
