// Every kernel once, at sizes with whole vectors and a rest, on a memory that is filled the same way each time: for
// comparing modules and engines, not for what is right.
import { createHash } from 'node:crypto';
import { bindKernels } from '#src/kernels/kernels.js';
import type { TileName, TransposedTileName } from '#src/kernels/tiles/tile.js';
import type { TrainingExports as Kernels } from '#src/tfjs/trainingExports.js';
import { sampleFloats, words } from './float32.js';
import { thinned } from './nonzeroLists.js';
import { tensorCalls } from './tensorCalls.js';

const PAGE = 65536;

/** A page each, addresses in bytes: numbers of both signs (two), in (0, 1], tables; then room to write, of numbers too; mostly zeros. */
const A = 0;
const B = PAGE;
const UNIT = 2 * PAGE;
const TABLES = 3 * PAGE;
const OUT = 4 * PAGE;
const MORE = 5 * PAGE;
const SPARSE = 6 * PAGE;
const PAGES = 7;

const ROWS = 13;
const COLUMNS = 37;
const DEPTH = 61;
/** Of the products by lists: more than a width, and no multiple of one. */
const LISTED_COLUMNS = 85;
const COUNT = 101;
/** Almost a page: of a thousand values of exp, one shows that its polynomial was rounded otherwise. */
const MANY = 16_379;

const A_OFFSETS = TABLES;
const OUT_OFFSETS = TABLES + 1024;
const SEGMENTS = TABLES + 2048;
const TAP_OFFSETS = TABLES + 3072;
const PIECES = TABLES + 4096;
const ORDER = TABLES + 5120;
const SHARDS = TABLES + 6144;
const LISTED_SHARDS = TABLES + 7168;
const ZEROS = TABLES + 8192;
/** Behind the zeros that a row of weights needs. */
const WINDOWS = TABLES + 12_288;

type TileCall = (kernels: Kernels) => void;

function gemm(name: TileName): TileCall {
  return (kernels) => {
    for (const [relu, out] of [OUT, MORE].entries()) {
      kernels[`gemm${name}`](
        ...[ROWS, COLUMNS, DEPTH, A, A_OFFSETS, 2, SEGMENTS, B, UNIT, out, OUT_OFFSETS, relu],
      );
    }
  };
}

function gemmInPlace(name: TileName): TileCall {
  return (kernels) => {
    for (const [relu, out] of [OUT, MORE].entries()) {
      kernels[`gemmInPlace${name}`](
        ...[ROWS, COLUMNS, A, A_OFFSETS, 2, SEGMENTS, B, COLUMNS * 4, UNIT, out, OUT_OFFSETS, relu],
      );
    }
  };
}

function gemmTransposed(name: TransposedTileName): TileCall {
  return (kernels) => {
    const pitch = DEPTH * 4;
    kernels[`gemmTransposed${name}`](ROWS, COLUMNS, DEPTH, A, pitch, B, pitch, OUT, COLUMNS * 4);
  };
}

/** Three shards of 23, 1 and 37 examples. */
function treeGradient(name: TileName): TileCall {
  return (kernels) =>
    kernels[`treeGradient${name}`](ROWS, COLUMNS, OUT, 4, 3, SHARDS, 20, COLUMNS * 4, ZEROS, MORE);
}

function filterGradient(name: Extract<keyof Kernels, `filterGradient${string}`>): TileCall {
  return (kernels) => {
    for (const [gradient, zeros] of [
      [OUT, 0],
      [MORE, ZEROS],
    ] as const) {
      kernels[name](ROWS, COLUMNS, gradient, A, 20, 4000, B, COLUMNS * 4, 8000, 20, 2, zeros);
    }
  };
}

function listInputs(kernels: Kernels, lists: number, share: number): void {
  kernels.listInputs(SPARSE, ROWS, DEPTH, 400, UNIT, B, LISTED_COLUMNS * 4, lists, share);
}

/** Five shards of 20, 1, 0, 30 and 10 examples. */
function listGradients(kernels: Kernels, lists: number, share: number): void {
  kernels.listGradients(ROWS, 4, 5, LISTED_SHARDS, 80, LISTED_COLUMNS * 4, ZEROS, lists, share);
}

function sumRows(name: Extract<keyof Kernels, `sumRows${string}`>): TileCall {
  return (kernels) => {
    const [lists, stack] = [OUT, OUT + 32_768];
    const pitch = LISTED_COLUMNS * 4;
    for (const [i, list] of [listInputs, listGradients].entries()) {
      list(kernels, lists, 1);
      for (const relu of [0, 1]) {
        kernels[name](ROWS, LISTED_COLUMNS, lists, MORE + (2 * i + relu) * 8192, pitch, stack, relu);
      }
    }
  };
}

type Calls = { readonly [Name in keyof Kernels]: (kernels: Kernels, memory: Float32Array) => void };

/** A key, a position, a step and a purpose. */
const STREAM = [1, 2, 3, 4, 5] as const;

export const calls: Calls = {
  gemm4x8: gemm('4x8'),
  gemm6x8: gemm('6x8'),
  gemm4x16: gemm('4x16'),
  gemm6x16: gemm('6x16'),
  gemmDot4: (kernels) => {
    // Columns are filled up to whole vectors in each segment.
    for (const [relu, out] of [OUT, MORE].entries()) {
      kernels.gemmDot4(ROWS, COLUMNS, 64, A, A_OFFSETS, 2, SEGMENTS, B, UNIT, out, OUT_OFFSETS, relu);
    }
  },
  gemmInPlace4x8: gemmInPlace('4x8'),
  gemmInPlace6x8: gemmInPlace('6x8'),
  gemmInPlace4x16: gemmInPlace('4x16'),
  gemmInPlace6x16: gemmInPlace('6x16'),
  gemmTransposed2x16: gemmTransposed('2x16'),
  gemmTransposed4x8: gemmTransposed('4x8'),
  treeGradient4x8: treeGradient('4x8'),
  treeGradient6x8: treeGradient('6x8'),
  treeGradient4x16: treeGradient('4x16'),
  treeGradient6x16: treeGradient('6x16'),
  filterGradient3x8: filterGradient('filterGradient3x8'),
  filterGradient3x16: filterGradient('filterGradient3x16'),
  filterGradient4x8: filterGradient('filterGradient4x8'),
  filterGradient6x8: filterGradient('filterGradient6x8'),
  filterGradient4x16: filterGradient('filterGradient4x16'),
  filterGradient6x16: filterGradient('filterGradient6x16'),
  listInputs: (kernels) => {
    for (const [share, lists] of [OUT, MORE].entries()) listInputs(kernels, lists, share);
  },
  listGradients: (kernels) => {
    for (const [share, lists] of [OUT, MORE].entries()) listGradients(kernels, lists, share);
  },
  sumRows40: sumRows('sumRows40'),
  sumRows80: sumRows('sumRows80'),
  columnSums: (kernels) => kernels.columnSums(A, 50, COLUMNS, OUT, 1),
  packPanels: (kernels) => {
    kernels.packPanels(A, 2, TAP_OFFSETS, ROWS, COLUMNS * 4, COLUMNS, 4, 16, 0, 3, OUT);
    kernels.packPanels(A, 2, TAP_OFFSETS, ROWS, 4, COLUMNS, ROWS * 4, 16, 0, 3, MORE);
  },
  packRows: (kernels) => {
    for (const width of [8, 16]) kernels.packRows(A, ROWS, COLUMNS * 4, COLUMNS, width, OUT);
  },
  packColumns: (kernels) => kernels.packColumns(A, 1, 2, TAP_OFFSETS, ROWS, COLUMNS * 4, COLUMNS, 4, OUT),
  transposeMatrix: (kernels) => kernels.transposeMatrix(A, ROWS, COLUMNS, COLUMNS * 4, OUT, 80),
  copyFloats: (kernels) => kernels.copyFloats(A, OUT, MANY),
  copyPieces: (kernels) => kernels.copyPieces(PIECES, 2, A, OUT, 3, 1000, 500),
  reluForward: (kernels) => kernels.reluForward(OUT, MANY),
  reluBackward: (kernels) => kernels.reluBackward(A, OUT, MANY),
  tanhForward: (kernels) => kernels.tanhForward(OUT, MANY),
  tanhBackward: (kernels) => kernels.tanhBackward(A, OUT, MANY),
  sigmoidForward: (kernels) => kernels.sigmoidForward(OUT, MANY),
  sigmoidBackward: (kernels) => kernels.sigmoidBackward(A, OUT, MANY),
  leakyReluForward: (kernels) => kernels.leakyReluForward(OUT, MANY, 0.3),
  leakyReluBackward: (kernels) => kernels.leakyReluBackward(A, OUT, MANY, 0.3),
  geluForward: (kernels) => kernels.geluForward(A, OUT, MANY),
  geluBackward: (kernels) => kernels.geluBackward(A, B, OUT, MANY),
  siluForward: (kernels) => kernels.siluForward(A, OUT, MANY),
  siluBackward: (kernels) => kernels.siluBackward(A, B, OUT, MANY),
  maxPoolForward: (kernels) => kernels.maxPoolForward(WINDOWS, 2, A, OUT, COLUMNS, 3, 1000, 500),
  maxPoolBackward: (kernels) => kernels.maxPoolBackward(WINDOWS, 2, A, B, OUT, COLUMNS, 3, 1000, 500),
  averagePoolForward: (kernels) => kernels.averagePoolForward(WINDOWS, 2, A, OUT, COLUMNS, 3, 1000, 500),
  averagePoolBackward: (kernels) => kernels.averagePoolBackward(WINDOWS, 2, B, OUT, COLUMNS, 3, 1000, 500),
  upsampleForward: (kernels) => kernels.upsampleForward(WINDOWS, 2, A, OUT, COLUMNS, 3, 1000, 500),
  upsampleBackward: (kernels) => kernels.upsampleBackward(WINDOWS, 2, A, OUT, COLUMNS, 3, 1000, 500),
  addFloats: (kernels) => kernels.addFloats(A, B, OUT, MANY),
  bernoulli: (kernels) => kernels.bernoulli(A, UNIT, 400, 2, COLUMNS, 0.37, OUT, OUT + 50_000, MORE),
  sigmoidArray: (kernels) => kernels.sigmoidArray(A, OUT, MANY),
  gaussianForward: (kernels) => {
    kernels.gaussianForward(A, B, OUT, 100, 3, COLUMNS, 1, OUT + 50_000);
    kernels.gaussianForward(A, B, MORE, 100, 3, COLUMNS, 0, MORE + 50_000);
  },
  gaussianBackward: (kernels) => {
    kernels.gaussianBackward(A, B, UNIT, B + 4096, OUT, 100, 3, COLUMNS, 1, 0.75);
    kernels.gaussianBackward(A, B, UNIT, B + 4096, MORE, 100, 3, COLUMNS, 0, 0.75);
  },
  treeReduce: (kernels) => kernels.treeReduce(OUT, 512, 5, COUNT),
  reduceAdam: (kernels) => {
    for (const shards of [1, 2, 3, 4, 8]) {
      const parameters = MORE + shards * 1024;
      kernels.reduceAdam(
        ...[parameters, A + shards * 1024, UNIT + shards * 1024, OUT + shards * 4096, 512, shards, COUNT],
        ...[0.01, 0.9, 0.1, 0.999, 0.001, 0.003, 1.7, 1e-7],
      );
    }
  },
  adam: (kernels) =>
    kernels.adam(...[MORE, A, UNIT, OUT, COUNT], ...[0.01, 0.9, 0.1, 0.999, 0.001, 0.003, 1.7, 1e-7]),
  reduceAdamW: (kernels) => {
    for (const shards of [1, 2, 3, 4, 8]) {
      const parameters = MORE + shards * 1024;
      kernels.reduceAdamW(
        ...[parameters, A + shards * 1024, UNIT + shards * 1024, OUT + shards * 4096, 512, shards, COUNT],
        ...[0.01, 0.9, 0.1, 0.999, 0.001, 0.003, 1.7, 1e-7, 0.9],
      );
    }
  },
  adamW: (kernels) =>
    kernels.adamW(...[MORE, A, UNIT, OUT, COUNT], ...[0.01, 0.9, 0.1, 0.999, 0.001, 0.003, 1.7, 1e-7, 0.9]),
  reduceSgd: (kernels) => {
    for (const shards of [1, 2, 3, 4, 8]) {
      const [slots, parameters] = [OUT + shards * 4096, MORE + shards * 2048];
      kernels.reduceSgd(parameters, A + shards * 1024, slots, 512, shards, COUNT, 0.01, 0.9, 0.3);
      kernels.reduceSgd(parameters + 1024, 0, slots, 512, shards, COUNT, 0.01, 0, 0.3);
    }
  },
  sgd: (kernels) => {
    kernels.sgd(MORE, A, OUT, COUNT, 0.01, 0.9, 0.3);
    kernels.sgd(MORE + 1024, 0, OUT, COUNT, 0.01, 0, 0.3);
  },
  gaussianLikelihood: (kernels) => kernels.gaussianLikelihood(A, UNIT, 400, 2, COLUMNS, 0.3, 0.37, OUT, MORE),
  gaussianLogRatios: (kernels) => kernels.gaussianLogRatios(A, B, UNIT, 100, 3, COLUMNS, OUT),
  scaleRows: (kernels) => kernels.scaleRows(OUT, A, 400, COLUMNS),
  gaussianBackwardWeighted: (kernels) =>
    kernels.gaussianBackwardWeighted(A, B, UNIT, B + 4096, UNIT + 8192, OUT, 100, 3, COLUMNS, 0.75),
  binarize: (kernels) => {
    for (const mode of [0, 1, 2]) {
      kernels.binarize(mode, A, ORDER, 4, COLUMNS, OUT + mode * 1024, 1, 2, 3, 4, MORE);
    }
  },
  randomBits: (kernels) => kernels.randomBits(OUT, 96, ...STREAM),
  randomUniform: (kernels) => kernels.randomUniform(OUT, COUNT, -0.3, 0.7, ...STREAM, MORE),
  randomNormal: (kernels) => kernels.randomNormal(OUT, 150, COUNT, ...STREAM, MORE),
  expArray: (kernels) => kernels.expArray(A, OUT, MANY),
  logArray: (kernels) => kernels.logArray(UNIT, OUT, MANY),
  log1pArray: (kernels) => kernels.log1pArray(UNIT, OUT, MANY),
  peakProbe: (kernels) => kernels.peakProbe(50, 0.9, OUT),
  widePeakProbe: (kernels) => kernels.widePeakProbe(50, 0.9, OUT),
  multiplyAddProbe: (kernels, memory) => {
    memory[OUT / 4] = kernels.multiplyAddProbe(memory[0]!, memory[1]!, memory[2]!);
  },
  ...tensorCalls,
};

export const kernelNames = Object.keys(calls) as readonly (keyof Kernels)[];

function filledMemory(): Buffer {
  const floats = sampleFloats(1, (PAGES * PAGE) / 4);
  const next = words(2);
  floats.set(
    Float32Array.from({ length: PAGE / 4 }, () => (next() + 1) / 2 ** 32),
    UNIT / 4,
  );
  const sparse = floats.subarray(SPARSE / 4);
  sparse.set(thinned(sparse, 0.3, 3));
  const tables = new Uint32Array(floats.buffer, TABLES, PAGE / 4).fill(0);
  const write = (address: number, values: readonly number[]) => tables.set(values, (address - TABLES) / 4);
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  write(
    A_OFFSETS,
    rows.map((row) => row * 400),
  );
  write(
    OUT_OFFSETS,
    rows.map((row) => row * COLUMNS * 4),
  );
  write(SEGMENTS, [0, 40, 240, 21]);
  write(TAP_OFFSETS, [0, ROWS * COLUMNS * 4]);
  write(PIECES, [0, 100, 60, 400, 0, 40]);
  write(ORDER, [3, 1, 0, 2]);
  write(WINDOWS, [0, 3, 0, 200, 400, 200, 2, 200, 600]);
  write(
    SHARDS,
    [0, 23, 24].flatMap((first, i) => [
      A + first * 20,
      B + first * COLUMNS * 4,
      [23, 1, 37][i]! * COLUMNS * 4,
    ]),
  );
  write(
    LISTED_SHARDS,
    [0, 20, 21, 21, 51].flatMap((first, i) => [
      SPARSE + first * 80,
      B + first * LISTED_COLUMNS * 4,
      [20, 1, 0, 30, 10][i]! * LISTED_COLUMNS * 4,
    ]),
  );
  return Buffer.from(floats.buffer);
}

const filled = filledMemory();

/** The kernels of a module, for running them all. */
export class EveryKernel {
  readonly kernels: Kernels;
  readonly #memory: Float32Array;
  readonly #bytes: Buffer;

  constructor(module: WebAssembly.Module) {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
    // The module has them all; the engine's interface names its own alone.
    this.kernels = bindKernels(module, memory) as Kernels;
    this.#memory = new Float32Array(memory.buffer);
    this.#bytes = Buffer.from(memory.buffer);
  }

  /** Calls one kernel on whatever stands in the memory. */
  call(name: keyof Kernels): void {
    calls[name](this.kernels, this.#memory);
  }

  /** A hash of all that one kernel leaves in a memory just filled. */
  digest(name: keyof Kernels): string {
    this.#bytes.set(filled);
    this.call(name);
    return createHash('sha256').update(this.#bytes).digest('hex');
  }
}
