import { readFileSync } from 'node:fs';

/** How a product is added to a sum: `portable` rounds both (same bits on every machine). */
export type Arithmetic = 'portable';

/**
 * The functions of the WebAssembly module (assembly/index.ts, where each is documented). Addresses and strides are in
 * bytes of the imported memory, counts in elements; a zero address means "none" where the kernel says so.
 */
export interface Kernels {
  gemm4x8: GemmKernel;
  gemmDot4: GemmKernel;
  filterGradient4x8(
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
    accumulate: number,
  ): void;
  columnSums(values: number, pixels: number, channels: number, gradient: number, accumulate: number): void;
  packPanels(
    source: number,
    taps: number,
    tapOffsets: number,
    inner: number,
    innerStride: number,
    columns: number,
    columnStride: number,
    from: number,
    to: number,
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
  bernoulli(
    logits: number,
    x: number,
    rows: number,
    samples: number,
    dimensions: number,
    scale: number,
    logLikelihood: number,
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
  treeReduce(slots: number, pitch: number, shards: number, count: number): void;
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
  peakProbe(rounds: number, factor: number): number;
}

/** out[r][n] = bias[n] + Σ A[r][k] B[k][n]: rows through tables, K as segments, packed weights. */
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

/** Compiles the module of an arithmetic mode. The result may be sent to workers. */
export function compileKernels(arithmetic: Arithmetic): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL(`./${arithmetic}.wasm`, import.meta.url)));
}

/** Binds the kernels to a memory, which must be shared. */
export function bindKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  // The module is ours and built together with this interface.
  return instance.exports as unknown as Kernels;
}
