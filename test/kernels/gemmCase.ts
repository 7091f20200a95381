// A GEMM over gathered rows, placed in memory, and what its result must be.
import { type Address, NONE, plus } from '#src/kernels/address.js';
import { TILES, type TileName } from '#src/kernels/tiles/tile.js';
import type { ArithmeticMode } from './arithmeticMode.js';
import { add, gamma, sampleFloats, underflow, words } from './float32.js';
import { type KernelHarness, wholeVectors } from './kernelHarness.js';
import { paddedColumns, panels } from './packing.js';

export type GemmName = `gemm${TileName}` | 'gemmDot4';

export interface GemmCase {
  readonly rows: number;
  readonly columns: number;
  /** Lengths in floats. */
  readonly segments: readonly number[];
  readonly bias: boolean;
  readonly relu: boolean;
  /**
   * B where it stands, as [depth, columns] with a gap behind each row, instead of in packed panels; not for
   * gemmDot4.
   */
  readonly inPlace?: boolean;
  readonly seed: number;
}

/** Operands: A as [rows, depth], B as [depth, columns], the bias as [columns] or nothing. */
export interface Operands {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly bias: Float32Array | undefined;
}

export function operands({ rows, columns, segments, bias, seed }: GemmCase): Operands {
  const depth = total(segments);
  return {
    a: sampleFloats(seed, rows * depth),
    b: sampleFloats(seed + 1, depth * columns),
    bias: bias ? sampleFloats(seed + 2, columns) : undefined,
  };
}

/**
 * Runs a kernel with rows and segments scattered over poison; returns [rows, columns]. The base address of A
 * is that of the middle row: offsets of rows before it wrap around, as in a convolution's border.
 */
export function runGemm(
  harness: KernelHarness,
  kernel: GemmName,
  { rows, columns, segments, relu, seed, inPlace = false }: GemmCase,
  { a, b, bias }: Operands,
): Float32Array {
  harness.reset();
  const depth = total(segments);
  const starts = segments.map((_, s) => total(segments.slice(0, s)));
  const spread = depth + 3 * segments.length + 1;
  const order = shuffled(rows, seed);
  const scattered = new Float32Array(rows * spread).fill(Number.NaN);
  for (let row = 0; row < rows; row++) {
    starts.forEach((start, s) => {
      const segment = a.subarray(row * depth + start, row * depth + start + segments[s]!);
      scattered.set(segment, order[row]! * spread + start + 3 * s);
    });
  }
  const middle = order[rows >> 1]! * spread * 4;
  const addressA = harness.input(scattered);
  const aOffsets = harness.u32(order.map((place) => (place * spread * 4 - middle) >>> 0));
  const table = harness.u32(segments.flatMap((length, s) => [(starts[s]! + 3 * s) * 4, length]));
  const weights = (k: number, column: number) => b[k * columns + column]!;
  const width = kernel === 'gemmDot4' ? undefined : TILES[kernel.slice('gemm'.length) as TileName].columns;
  const placed = placeWeights(harness, weights, { depth, columns, segments, width, inPlace });
  // Without a bias the tiles want zeros, no more than this many; gemmDot4 wants 0.
  const zeros = width ? new Float32Array(Math.ceil(columns / width) * width) : undefined;
  const start = bias ?? zeros;
  const addressBias = start ? harness.input(start) : NONE;
  const pitch = (columns + 3) * 4;
  const out = harness.input(new Float32Array((rows * pitch) / 4).fill(SENTINEL));
  for (let row = 0; row < rows; row++) harness.allow(out + row * pitch, columns * 4);
  const outOffsets = harness.u32(order.map((place) => place * pitch));
  const packedDepth = width ? depth : total(segments.map((length) => wholeVectors(length) / 4));
  const operands = {
    rows,
    columns,
    a: plus(addressA, middle),
    aOffsets,
    segments: segments.length,
    segmentTable: table,
    b: placed.address,
    bias: addressBias,
    out,
    outOffsets,
    relu: relu ? 1 : 0,
  };
  harness.run((kernels) => {
    if (kernel !== 'gemmDot4' && inPlace) {
      const inPlaceKernel = `gemmInPlace${kernel.slice('gemm'.length) as TileName}` as const;
      kernels[inPlaceKernel]({ ...operands, pitch: placed.pitch });
    } else {
      kernels[kernel]({ ...operands, depth: packedDepth });
    }
  });
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    result.set(harness.floats(out + order[row]! * pitch, columns), row * columns);
  }
  return result;
}

/** Packed for the kernel, or in place with poison behind each row. */
function placeWeights(
  harness: KernelHarness,
  weights: (k: number, column: number) => number,
  {
    depth,
    columns,
    segments,
    width,
    inPlace,
  }: Pick<GemmCase, 'columns' | 'segments'> & {
    depth: number;
    width: number | undefined;
    inPlace: boolean;
  },
): { address: Address; pitch: number } {
  if (width === undefined) {
    return { address: harness.input(paddedColumns(weights, segments, columns)), pitch: 0 };
  }
  if (!inPlace) {
    return { address: harness.input(panels(weights, depth, columns, width)), pitch: 0 };
  }
  const pitch = columns + 3;
  // The last panel may reach behind the matrix.
  const matrix = new Float32Array(depth * pitch + width).fill(Number.NaN);
  for (let k = 0; k < depth; k++) {
    for (let column = 0; column < columns; column++) matrix[k * pitch + column] = weights(k, column);
  }
  return { address: harness.input(matrix), pitch: pitch * 4 };
}

const SENTINEL = -12345;

/** The bits of every tile: one sum, from the bias, over k in order. */
export function sequentialGemm(
  { multiplyAdd }: ArithmeticMode,
  gemm: GemmCase,
  { a, b, bias }: Operands,
): Float32Array {
  const depth = total(gemm.segments);
  return eachElement(gemm, (row, column) => {
    let sum = bias?.[column] ?? 0;
    for (let k = 0; k < depth; k++)
      sum = multiplyAdd(a[row * depth + k]!, b[k * gemm.columns + column]!, sum);
    return sum;
  });
}

/**
 * gemmDot4's bits: four sums along k, each segment beginning with the first, (0 + 2) + (1 + 3), then the
 * bias.
 */
export function fourLaneGemm(
  { multiplyAdd }: ArithmeticMode,
  gemm: GemmCase,
  { a, b, bias }: Operands,
): Float32Array {
  const depth = total(gemm.segments);
  return eachElement(gemm, (row, column) => {
    const lanes = [0, 0, 0, 0];
    let k = 0;
    for (const length of gemm.segments) {
      for (let i = 0; i < length; i++, k++) {
        lanes[i % 4] = multiplyAdd(a[row * depth + k]!, b[k * gemm.columns + column]!, lanes[i % 4]!);
      }
    }
    const sum = add(add(lanes[0]!, lanes[2]!), add(lanes[1]!, lanes[3]!));
    return add(bias?.[column] ?? 0, sum);
  });
}

/**
 * The float64 result, and γ of depth + 2 times what the terms' magnitudes sum to, plus each product's
 * underflow.
 */
export function exactGemm(
  gemm: GemmCase,
  { a, b, bias }: Operands,
): { value: Float64Array; bound: Float64Array } {
  const { rows, columns, relu } = gemm;
  const depth = total(gemm.segments);
  const value = new Float64Array(rows * columns);
  const bound = new Float64Array(rows * columns);
  for (let i = 0; i < rows * columns; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = bias?.[column] ?? 0;
    let magnitude = Math.abs(sum);
    for (let k = 0; k < depth; k++) {
      const product = a[row * depth + k]! * b[k * columns + column]!;
      sum += product;
      magnitude += Math.abs(product);
    }
    value[i] = relu ? Math.max(sum, 0) : sum;
    bound[i] = gamma(depth + 2) * magnitude + depth * underflow;
  }
  return { value, bound };
}

function eachElement(gemm: GemmCase, element: (row: number, column: number) => number): Float32Array {
  return Float32Array.from({ length: gemm.rows * gemm.columns }, (_, i) => {
    const value = element(Math.floor(i / gemm.columns), i % gemm.columns);
    return gemm.relu && value < 0 ? 0 : value;
  });
}

function total(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

function shuffled(n: number, seed: number): number[] {
  const next = words(seed);
  const keys = Array.from({ length: n }, next);
  return keys.map((_, i) => i).sort((i, j) => keys[i]! - keys[j]!);
}
