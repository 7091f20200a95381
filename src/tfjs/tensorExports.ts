/** out[i] = f(x[i]): x, out, count. */
export type UnaryKernel = (x: number, out: number, count: number) => void;

/** Of [outer, kept, inner, columns] over `outer` and `inner`. */
type ExtremeKernel = (
  x: number,
  outer: number,
  kept: number,
  inner: number,
  columns: number,
  out: number,
) => void;

/**
 * The functions of the WebAssembly module for tensor operations outside the products (each is documented in
 * src/kernels/assembly). Addresses are in bytes, counts in elements.
 */
export interface TensorExports {
  readonly mapExp: UnaryKernel;
  readonly mapExpm1: UnaryKernel;
  readonly mapLog: UnaryKernel;
  readonly mapLog1p: UnaryKernel;
  readonly mapReciprocal: UnaryKernel;
  readonly mapRsqrt: UnaryKernel;
  readonly mapSoftplus: UnaryKernel;
  readonly mapSqrt: UnaryKernel;
  readonly mapTanh: UnaryKernel;
  reduceSum(
    x: number,
    outer: number,
    kept: number,
    inner: number,
    columns: number,
    scale: number,
    out: number,
  ): void;
  readonly reduceMax: ExtremeKernel;
  readonly reduceMin: ExtremeKernel;
  readonly broadcastMaximum: BroadcastKernel;
  readonly broadcastMinimum: BroadcastKernel;
  readonly broadcastGreater: BroadcastKernel;
  readonly broadcastGreaterEqual: BroadcastKernel;
  readonly broadcastLess: BroadcastKernel;
  readonly broadcastLessEqual: BroadcastKernel;
  readonly broadcastEqual: BroadcastKernel;
  readonly broadcastNotEqual: BroadcastKernel;
  selectWords(condition: number, whenTrue: number, whenFalse: number, count: number, out: number): void;
  andBytes(a: number, b: number, count: number, out: number): void;
  orBytes(a: number, b: number, count: number, out: number): void;
  segmentSum(x: number, ids: number, rows: number, width: number, segments: number, out: number): void;
  gatherSlices(
    x: number,
    indices: number,
    batches: number,
    outer: number,
    extent: number,
    picks: number,
    bytes: number,
    out: number,
  ): number;
  repeatBlocks(x: number, blocks: number, bytes: number, times: number, out: number): void;
  copyRows(x: number, pitch: number, rows: number, bytes: number, out: number, targetPitch: number): void;
  reverseSlices(x: number, outer: number, count: number, bytes: number, out: number): void;
  exchangeSlices(x: number, outer: number, rows: number, columns: number, bytes: number, out: number): void;
  depthwiseInputGradient(
    geometry: number,
    rows: number,
    columns: number,
    dy: number,
    filter: number,
    dx: number,
  ): void;
  depthwiseFilterGradient(geometry: number, x: number, dy: number, dFilter: number): void;
  repeatElements(x: number, count: number, times: number, out: number): void;
  windowMax(geometry: number, x: number, filter: number, out: number): void;
  windowMaxInputGradient(geometry: number, x: number, filter: number, dy: number, dx: number): void;
  windowMaxFilterGradient(geometry: number, x: number, filter: number, dy: number, dFilter: number): void;
  windowAverageGradient(geometry: number, dy: number, dx: number): void;
  volumeInputGradient(geometry: number, dy: number, filter: number, dx: number): void;
  volumeFilterGradient(geometry: number, x: number, dy: number, dFilter: number): void;
  readonly resampleNearest: ResampleKernel;
  readonly resampleNearestGradient: ResampleKernel;
  readonly resampleBilinearGradient: ResampleKernel;
  cumulativeSum(
    x: number,
    outer: number,
    count: number,
    inner: number,
    exclusive: number,
    reverse: number,
    out: number,
  ): void;
  adamStep(
    x: number,
    gradient: number,
    m: number,
    v: number,
    count: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    c1: number,
    c2: number,
    epsilon: number,
    minusRate: number,
    nextX: number,
    nextM: number,
    nextV: number,
  ): void;
  normalizeRows(
    x: number,
    rows: number,
    channels: number,
    mean: number,
    variance: number,
    offset: number,
    scale: number,
    epsilon: number,
    factor: number,
    out: number,
  ): void;
}

/** `plan` is a table: see src/kernels/assembly/binary.ts. */
type BroadcastKernel = (plan: number, a: number, b: number, out: number) => void;

/** From x to out, or from dy to dx; see src/kernels/assembly/resample.ts. */
type ResampleKernel = (
  from: number,
  batch: number,
  inHeight: number,
  inWidth: number,
  channels: number,
  rows: number,
  outHeight: number,
  columns: number,
  outWidth: number,
  to: number,
) => void;
