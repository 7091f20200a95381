import { readFileSync } from 'node:fs';
import type { FilterTileName, LIST_WIDTHS, TileName, TransposedTileName } from './tiles/tile.js';
import type { WasmMemory, WasmModule } from './webAssembly.js';

/**
 * How a product is added to a sum: `portable` rounds both (same bits on every machine), `fused` rounds once (same bits on
 * every machine that fuses; see platform.ts).
 */
export type Arithmetic = 'portable' | 'fused';

/**
 * The functions of the WebAssembly module (assembly/index.ts, where each is documented). Addresses and strides are in
 * bytes of the imported memory, counts in elements; a zero address means "none" where the kernel says so.
 */
export interface Kernels extends TileKernels {
  gemmDot4: GemmKernel;
  columnSums(values: number, pixels: number, channels: number, gradient: number, accumulate: number): void;
  packPanels(
    source: number,
    taps: number,
    tapOffsets: number,
    inner: number,
    innerStride: number,
    columns: number,
    columnStride: number,
    width: number,
    from: number,
    to: number,
    destination: number,
  ): void;
  packRows(
    source: number,
    depth: number,
    pitch: number,
    columns: number,
    width: number,
    destination: number,
  ): void;
  packColumns(
    source: number,
    segments: number,
    tapsPerSegment: number,
    tapOffsets: number,
    inner: number,
    innerStride: number,
    columns: number,
    columnStride: number,
    destination: number,
  ): void;
  listInputs(
    x: number,
    images: number,
    inputs: number,
    pitch: number,
    bias: number,
    weights: number,
    weightPitch: number,
    lists: number,
    share: number,
  ): number;
  listGradients(
    rows: number,
    bigOffset: number,
    shards: number,
    table: number,
    bigPitch: number,
    smallPitch: number,
    zeros: number,
    lists: number,
    share: number,
  ): number;
  transposeMatrix(
    source: number,
    rows: number,
    columns: number,
    sourcePitch: number,
    target: number,
    targetPitch: number,
  ): void;
  copyFloats(source: number, target: number, count: number): void;
  copyPieces(
    table: number,
    pieces: number,
    source: number,
    target: number,
    images: number,
    sourceStride: number,
    targetStride: number,
  ): void;
  reluForward(y: number, count: number): void;
  reluBackward(y: number, dy: number, count: number): void;
  tanhForward(y: number, count: number): void;
  tanhBackward(y: number, dy: number, count: number): void;
  sigmoidForward(y: number, count: number): void;
  sigmoidBackward(y: number, dy: number, count: number): void;
  leakyReluForward(y: number, count: number, slope: number): void;
  leakyReluBackward(y: number, dy: number, count: number, slope: number): void;
  geluForward(x: number, y: number, count: number): void;
  geluBackward(x: number, dy: number, dx: number, count: number): void;
  siluForward(x: number, y: number, count: number): void;
  siluBackward(x: number, dy: number, dx: number, count: number): void;
  maxPoolForward(
    table: number,
    windows: number,
    big: number,
    small: number,
    channels: number,
    images: number,
    bigStride: number,
    smallStride: number,
  ): void;
  maxPoolBackward(
    table: number,
    windows: number,
    big: number,
    dSmall: number,
    dBig: number,
    channels: number,
    images: number,
    bigStride: number,
    smallStride: number,
  ): void;
  averagePoolForward(
    table: number,
    windows: number,
    big: number,
    small: number,
    channels: number,
    images: number,
    bigStride: number,
    smallStride: number,
  ): void;
  averagePoolBackward(
    table: number,
    windows: number,
    dSmall: number,
    dBig: number,
    channels: number,
    images: number,
    bigStride: number,
    smallStride: number,
  ): void;
  upsampleForward(
    table: number,
    windows: number,
    small: number,
    big: number,
    channels: number,
    images: number,
    bigStride: number,
    smallStride: number,
  ): void;
  upsampleBackward(
    table: number,
    windows: number,
    dBig: number,
    dSmall: number,
    channels: number,
    images: number,
    bigStride: number,
    smallStride: number,
  ): void;
  addFloats(a: number, b: number, out: number, count: number): void;
  bernoulli(
    logits: number,
    x: number,
    rows: number,
    samples: number,
    dimensions: number,
    scale: number,
    logLikelihood: number,
    terms: number,
    dLogits: number,
  ): void;
  sigmoidArray(logits: number, out: number, count: number): void;
  gaussianForward(
    posterior: number,
    epsilon: number,
    z: number,
    examples: number,
    samples: number,
    latent: number,
    analytic: number,
    kl: number,
  ): void;
  gaussianBackward(
    posterior: number,
    epsilon: number,
    z: number,
    dz: number,
    dPosterior: number,
    examples: number,
    samples: number,
    latent: number,
    analytic: number,
    beta: number,
  ): void;
  gaussianLikelihood(
    means: number,
    x: number,
    rows: number,
    samples: number,
    dimensions: number,
    sigma: number,
    scale: number,
    logLikelihood: number,
    dMeans: number,
  ): void;
  gaussianLogRatios(
    posterior: number,
    epsilon: number,
    z: number,
    examples: number,
    samples: number,
    latent: number,
    logRatio: number,
  ): void;
  scaleRows(values: number, weights: number, rows: number, columns: number): void;
  gaussianBackwardWeighted(
    posterior: number,
    epsilon: number,
    z: number,
    dz: number,
    weights: number,
    dPosterior: number,
    examples: number,
    samples: number,
    latent: number,
    beta: number,
  ): void;
  treeReduce(slots: number, pitch: number, shards: number, count: number): void;
  reduceAdam(
    parameters: number,
    m: number,
    v: number,
    slots: number,
    pitch: number,
    shards: number,
    count: number,
    scale: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    stepSize: number,
    rootCorrection: number,
    epsilon: number,
  ): void;
  adam(
    parameters: number,
    m: number,
    v: number,
    gradient: number,
    count: number,
    scale: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    stepSize: number,
    rootCorrection: number,
    epsilon: number,
  ): void;
  reduceAdamW(
    parameters: number,
    m: number,
    v: number,
    slots: number,
    pitch: number,
    shards: number,
    count: number,
    scale: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    stepSize: number,
    rootCorrection: number,
    epsilon: number,
    keep: number,
  ): void;
  adamW(
    parameters: number,
    m: number,
    v: number,
    gradient: number,
    count: number,
    scale: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    stepSize: number,
    rootCorrection: number,
    epsilon: number,
    keep: number,
  ): void;
  reduceSgd(
    parameters: number,
    velocity: number,
    slots: number,
    pitch: number,
    shards: number,
    count: number,
    scale: number,
    momentum: number,
    rate: number,
  ): void;
  sgd(
    parameters: number,
    velocity: number,
    gradient: number,
    count: number,
    scale: number,
    momentum: number,
    rate: number,
  ): void;
  binarize(
    mode: number,
    pixels: number,
    order: number,
    rows: number,
    dimensions: number,
    out: number,
    key0: number,
    key1: number,
    step: number,
    purpose: number,
    scratch: number,
  ): void;
  randomBits(
    out: number,
    count: number,
    key0: number,
    key1: number,
    position: number,
    step: number,
    purpose: number,
  ): void;
  randomUniform(
    out: number,
    count: number,
    low: number,
    high: number,
    key0: number,
    key1: number,
    position: number,
    step: number,
    purpose: number,
    scratch: number,
  ): void;
  randomNormal(
    out: number,
    rows: number,
    count: number,
    key0: number,
    key1: number,
    position: number,
    step: number,
    purpose: number,
    scratch: number,
  ): void;
  expArray(x: number, out: number, count: number): void;
  logArray(x: number, out: number, count: number): void;
  log1pArray(x: number, out: number, count: number): void;
  peakProbe(rounds: number, factor: number, out: number): void;
  widePeakProbe(rounds: number, factor: number, out: number): void;
  multiplyAddProbe(a: number, b: number, c: number): number;
}

/** out[r][n] = bias[n] + Σ A[r][k] B[k][n]: rows through tables, K as segments, packed weights of `depth` floats a column. */
export type GemmKernel = (
  rows: number,
  columns: number,
  depth: number,
  a: number,
  aOffsets: number,
  segments: number,
  segmentTable: number,
  b: number,
  bias: number,
  out: number,
  outOffsets: number,
  relu: number,
) => void;

/** The same with B where it stands. */
export type InPlaceGemmKernel = (
  rows: number,
  columns: number,
  a: number,
  aOffsets: number,
  segments: number,
  segmentTable: number,
  b: number,
  pitch: number,
  bias: number,
  out: number,
  outOffsets: number,
  relu: number,
) => void;

/** One of tiles/source.ts: for few rows, by a matrix that stands transposed; at least as many columns as the tile has. */
export type TransposedGemmKernel = (
  rows: number,
  columns: number,
  depth: number,
  a: number,
  aPitch: number,
  b: number,
  bPitch: number,
  out: number,
  outPitch: number,
) => void;

/** One of tiles/source.ts; `zeros` 0 goes on from what stands in the gradient. */
export type FilterGradientKernel = (
  rows: number,
  columns: number,
  gradient: number,
  big: number,
  bigPixelStride: number,
  bigLineStride: number,
  small: number,
  smallPixelStride: number,
  smallLineStride: number,
  pixels: number,
  lines: number,
  zeros: number,
) => void;

/** One of tiles/source.ts: a dense layer's weight gradient, summed over shards by the all-reduce's tree. */
export type TreeGradientKernel = (
  rows: number,
  columns: number,
  gradient: number,
  bigOffset: number,
  shards: number,
  table: number,
  bigPitch: number,
  smallPitch: number,
  zeros: number,
  stack: number,
) => void;

/** One of tiles/source.ts: rows of a product from lists of their left operand's nonzeros (assembly/lists.ts). */
export type SumRowsKernel = (
  rows: number,
  columns: number,
  lists: number,
  out: number,
  outPitch: number,
  stack: number,
  relu: number,
) => void;

/** The micro-kernels of every tile, and of every width of a row. */
export type TileKernels = { readonly [Name in TileName as `gemm${Name}`]: GemmKernel } & {
  readonly [Name in TileName as `gemmInPlace${Name}`]: InPlaceGemmKernel;
} & {
  readonly [Name in TransposedTileName as `gemmTransposed${Name}`]: TransposedGemmKernel;
} & {
  readonly [Name in FilterTileName as `filterGradient${Name}`]: FilterGradientKernel;
} & {
  readonly [Name in TileName as `treeGradient${Name}`]: TreeGradientKernel;
} & { readonly [Width in (typeof LIST_WIDTHS)[number] as `sumRows${Width}`]: SumRowsKernel };

/**
 * Compiles the module of an arithmetic mode. The result may be sent to workers.
 * @param name written into the bytes: V8 shares code between modules of the same bytes, whatever its flags were.
 * @param options `shared`: whether the memory that it will be bound to is shared between threads; default true.
 */
export function compileKernels(
  arithmetic: Arithmetic,
  name = 'kernels',
  { shared = true }: { readonly shared?: boolean } = {},
): WasmModule {
  const file = shared ? `./${arithmetic}.wasm` : `./${arithmetic}-unshared.wasm`;
  const bytes = readFileSync(new URL(file, import.meta.url));
  return new WebAssembly.Module(Buffer.concat([bytes, customSection(name)]));
}

/** A custom section (id 0) without content. */
function customSection(name: string): Uint8Array {
  const text = Buffer.from(name);
  return Buffer.from([0, text.length + 1, text.length, ...text]);
}

/** Binds the kernels to a memory, shared or not as the module was compiled for. */
export function bindKernels(module: WasmModule, memory: WasmMemory): Kernels {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  // The module is ours and built together with this interface.
  return instance.exports as unknown as Kernels;
}
