import { addressOf, NONE, plus } from './address.js';
import { bindKernels, type Kernels } from './kernels.js';
import { LIST_WIDTHS, TILE_NAMES, TRANSPOSED_TILE_NAMES } from './tiles/tile.js';
import type { WasmModule } from './webAssembly.js';

/** V8 replaces its first code for a function by optimised code after some calls, in the background. */
const CALLS = 60;
const PATIENCE = 150;

const ROWS = 13;
const COLUMNS = 37;
const DEPTH = 61;
const SPLIT = 23;

/**
 * Of a product by lists: for each width more columns than one, no multiple of the wider; two products fill
 * the output.
 */
const LISTED_ROWS = 2;
const LISTED_COLUMNS = 120;

/** Bytes. */
const A = addressOf(0);
const B = addressOf(65536);
const OUT = addressOf(2 * 65536);
const TABLES = addressOf(3 * 65536);
const SHARDS = plus(TABLES, 4096);
const ZEROS = plus(TABLES, 8192);
const STACK = plus(TABLES, 12_288);
const LISTS = plus(TABLES, 16_384);

/**
 * Whether every kernel that V8 may re-vectorise gives the same bits once it is optimised as those of
 * `reference`, the same kernels in a module of which nothing is compiled yet: V8's first code for a function
 * has no 256-bit operations. Takes some 100 milliseconds, which warm the kernels up for all threads.
 */
export function tilesKeepTheirBits(module: WasmModule, reference: WasmModule): boolean {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const kernels = bindKernels(module, memory);
  const buffer = memory.buffer;
  fillInputs(buffer);
  // Three groups a row, of which two join what waits.
  kernels.listGradients({
    rows: LISTED_ROWS,
    bigOffset: 0,
    shards: 3,
    table: SHARDS,
    bigPitch: DEPTH * 4,
    smallPitch: COLUMNS * 4,
    zeros: ZEROS,
    lists: LISTS,
    share: 1,
  });
  const first = runTiles(bindKernels(reference, memory), buffer);
  const start = performance.now();
  while (performance.now() - start < PATIENCE) for (let i = 0; i < CALLS; i++) runTiles(kernels, buffer);
  return Buffer.from(first.buffer).equals(Buffer.from(runTiles(kernels, buffer).buffer));
}

/** Numbers of both signs and many magnitudes, so that orders and roundings show. */
function fillInputs(buffer: ArrayBufferLike): void {
  const floats = new Float32Array(buffer, 0, OUT / 4);
  let state = 1;
  for (let i = 0; i < floats.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    floats[i] = (state / 2 ** 31 - 1) * 2 ** ((state >>> 8) % 5);
  }
  const tables = new Uint32Array(buffer, TABLES, 2 * ROWS + 4);
  for (let row = 0; row < ROWS; row++) {
    tables[row] = row * DEPTH * 4;
    tables[ROWS + row] = row * COLUMNS * 4;
  }
  // Two segments: SPLIT floats, then the others.
  tables.set([0, SPLIT, SPLIT * 4, DEPTH - SPLIT], 2 * ROWS);
  const bounds = [0, SPLIT, SPLIT + 1, DEPTH];
  const places = bounds.slice(0, 3).map((first, i) => ({ first, examples: bounds[i + 1]! - first }));
  const shards = places.flatMap(({ first, examples }) => [
    A + first * DEPTH * 4,
    B + first * COLUMNS * 4,
    examples * COLUMNS * 4,
  ]);
  new Uint32Array(buffer, SHARDS, shards.length).set(shards);
}

/** Results of all kernels that V8 may re-vectorise, one behind the other. */
function runTiles(kernels: Kernels, buffer: ArrayBufferLike): Float32Array {
  const size = ROWS * COLUMNS;
  const out = new Float32Array(buffer, OUT, size);
  const results: Float32Array[] = [];
  const keep = () => results.push(out.slice());
  for (const name of TILE_NAMES) {
    for (const relu of [0, 1]) {
      const segments = plus(TABLES, 2 * ROWS * 4);
      kernels[`gemm${name}`]({
        rows: ROWS,
        columns: COLUMNS,
        depth: DEPTH,
        a: A,
        aOffsets: TABLES,
        segments: 2,
        segmentTable: segments,
        b: B,
        bias: B,
        out: OUT,
        outOffsets: plus(TABLES, ROWS * 4),
        relu,
      });
      keep();
      kernels[`gemmInPlace${name}`]({
        rows: ROWS,
        columns: COLUMNS,
        a: A,
        aOffsets: TABLES,
        segments: 2,
        segmentTable: segments,
        b: B,
        pitch: COLUMNS * 4,
        bias: B,
        out: OUT,
        outOffsets: plus(TABLES, ROWS * 4),
        relu,
      });
      keep();
    }
    kernels[`treeGradient${name}`]({
      rows: ROWS,
      columns: COLUMNS,
      gradient: OUT,
      bigOffset: 0,
      shards: 3,
      table: SHARDS,
      bigPitch: DEPTH * 4,
      smallPitch: COLUMNS * 4,
      zeros: ZEROS,
      stack: STACK,
    });
    keep();
  }
  for (const name of TRANSPOSED_TILE_NAMES) {
    const pitch = DEPTH * 4;
    kernels[`gemmTransposed${name}`]({
      rows: ROWS,
      columns: COLUMNS,
      depth: DEPTH,
      a: A,
      aPitch: pitch,
      b: B,
      bPitch: pitch,
      out: OUT,
      outPitch: COLUMNS * 4,
    });
    keep();
  }
  for (const name of TILE_NAMES) {
    out.fill(0.5);
    kernels[`filterGradient${name}`]({
      rows: ROWS,
      columns: COLUMNS,
      gradient: OUT,
      big: A,
      bigPixelStride: DEPTH * 4,
      bigLineStride: 0,
      small: B,
      smallPixelStride: COLUMNS * 4,
      smallLineStride: 0,
      pixels: DEPTH,
      lines: 1,
      zeros: NONE,
    });
    keep();
  }
  for (const width of LIST_WIDTHS) {
    for (const relu of [0, 1]) {
      const target = plus(OUT, relu * LISTED_ROWS * LISTED_COLUMNS * 4);
      const pitch = LISTED_COLUMNS * 4;
      kernels[`sumRows${width}`]({
        rows: LISTED_ROWS,
        columns: LISTED_COLUMNS,
        lists: LISTS,
        out: target,
        outPitch: pitch,
        stack: STACK,
        relu,
      });
    }
    keep();
  }
  kernels.columnSums(A, DEPTH, COLUMNS, OUT, 0);
  keep();
  for (const shards of [1, 2, 4, 8]) {
    out.fill(0.25);
    const [m, v] = [plus(OUT, 320), plus(OUT, 640)];
    kernels.reduceAdam({
      parameters: OUT,
      m,
      v,
      slots: A,
      pitch: 1024,
      shards,
      count: 64,
      scale: 0.5,
      beta1: 0.9,
      oneMinusBeta1: 0.1,
      beta2: 0.999,
      oneMinusBeta2: 0.001,
      stepSize: 0.01,
      rootCorrection: 2,
      epsilon: 1e-8,
    });
    keep();
  }
  out.fill(0.25);
  kernels.adam({
    parameters: OUT,
    m: plus(OUT, 320),
    v: plus(OUT, 640),
    gradient: A,
    count: 64,
    scale: 0.5,
    beta1: 0.9,
    oneMinusBeta1: 0.1,
    beta2: 0.999,
    oneMinusBeta2: 0.001,
    stepSize: 0.01,
    rootCorrection: 2,
    epsilon: 1e-8,
  });
  keep();
  runElementwise(kernels, keep);
  const joined = new Float32Array(results.length * size);
  for (const [i, result] of results.entries()) joined.set(result, i * size);
  return joined;
}

/**
 * The elementwise kernels: V8 pairs what stands side by side in a loop, or does after it has unrolled the
 * loop.
 */
function runElementwise(kernels: Kernels, keep: () => void): void {
  const count = ROWS * COLUMNS;
  const elsewhere = plus(OUT, 4096);
  const terms = plus(elsewhere, 4096);
  kernels.bernoulli({
    logits: A,
    x: B,
    rows: ROWS,
    samples: 1,
    dimensions: COLUMNS,
    scale: 0.5,
    logLikelihood: elsewhere,
    terms,
    dLogits: OUT,
  });
  keep();
  kernels.bernoulli({
    logits: A,
    x: B,
    rows: ROWS,
    samples: 1,
    dimensions: COLUMNS,
    scale: 0.5,
    logLikelihood: OUT,
    terms,
    dLogits: elsewhere,
  });
  keep();
  kernels.bernoulli({
    logits: A,
    x: B,
    rows: ROWS,
    samples: 1,
    dimensions: COLUMNS,
    scale: 0.5,
    logLikelihood: OUT,
    terms,
    dLogits: NONE,
  });
  keep();
  kernels.sigmoidArray(A, OUT, count);
  keep();
  kernels.copyFloats(A, OUT, count);
  kernels.tanhForward(OUT, count);
  keep();
  kernels.copyFloats(A, OUT, count);
  kernels.tanhBackward(B, OUT, count);
  keep();
  kernels.copyFloats(A, OUT, count);
  kernels.reluBackward(B, OUT, count);
  keep();
  kernels.copyFloats(A, OUT, count);
  kernels.sigmoidForward(OUT, count);
  keep();
  kernels.copyFloats(A, OUT, count);
  kernels.sigmoidBackward(B, OUT, count);
  keep();
  kernels.copyFloats(A, OUT, count);
  kernels.leakyReluForward(OUT, count, 0.3);
  keep();
  kernels.copyFloats(A, OUT, count);
  kernels.leakyReluBackward(B, OUT, count, 0.3);
  keep();
  kernels.geluForward(A, OUT, count);
  keep();
  kernels.geluBackward(A, B, OUT, count);
  keep();
  kernels.siluForward(A, OUT, count);
  keep();
  kernels.siluBackward(A, B, OUT, count);
  keep();
  kernels.addFloats(A, B, OUT, count);
  keep();
}
