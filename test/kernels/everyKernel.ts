// Every kernel once, at sizes with whole vectors and a rest, on a memory that is filled the same way each
// time: for comparing modules and engines, not for what is right.

import { createHash } from 'node:crypto';
import { type Address, addressOf, NONE, plus } from '#src/kernels/address.js';
import { nameArguments } from '#src/kernels/bindings.js';
import type { Kernels } from '#src/kernels/kernels.js';
import type { TileName, TransposedTileName } from '#src/kernels/tiles/tile.js';
import { sampleFloats, words } from './float32.js';
import { thinned } from './nonzeroLists.js';
import { tensorCalls } from './tensorCalls.js';

const PAGE = 65536;

/**
 * A page each, addresses in bytes: numbers of both signs (two), in (0, 1], tables; then room to write, of
 * numbers too; mostly zeros.
 */
const A = addressOf(0);
const B = addressOf(PAGE);
const UNIT = addressOf(2 * PAGE);
const TABLES = addressOf(3 * PAGE);
const OUT = addressOf(4 * PAGE);
const MORE = addressOf(5 * PAGE);
const SPARSE = addressOf(6 * PAGE);
const PAGES = 7;

const ROWS = 13;
const COLUMNS = 37;
const DEPTH = 61;
/** The columns of the products by lists: more than a width, and no multiple of one. */
const LISTED_COLUMNS = 85;
const COUNT = 101;
/** Almost a page: of a thousand values of exp, one shows that its polynomial was rounded otherwise. */
const MANY = 16_379;

const A_OFFSETS = TABLES;
const ADAM_NUMBERS = {
  scale: 0.01,
  beta1: 0.9,
  oneMinusBeta1: 0.1,
  beta2: 0.999,
  oneMinusBeta2: 0.001,
  stepSize: 0.003,
  rootCorrection: 1.7,
  epsilon: 1e-7,
};
const OUT_OFFSETS = plus(TABLES, 1024);
const SEGMENTS = plus(TABLES, 2048);
const TAP_OFFSETS = plus(TABLES, 3072);
const PIECES = plus(TABLES, 4096);
const ORDER = plus(TABLES, 5120);
const SHARDS = plus(TABLES, 6144);
const LISTED_SHARDS = plus(TABLES, 7168);
const ZEROS = plus(TABLES, 8192);
/** Behind the zeros that a row of weights needs. */
const WINDOWS = plus(TABLES, 12_288);

/** The windows of pools and upsampling: two in each of three images. */
const windows = {
  table: WINDOWS,
  windows: 2,
  channels: COLUMNS,
  images: 3,
  bigStride: 1000,
  smallStride: 500,
};

type TileCall = (kernels: Kernels) => void;

function gemm(name: TileName): TileCall {
  return (kernels) => {
    for (const [relu, out] of [OUT, MORE].entries()) {
      kernels[`gemm${name}`]({
        rows: ROWS,
        columns: COLUMNS,
        depth: DEPTH,
        a: A,
        aOffsets: A_OFFSETS,
        segments: 2,
        segmentTable: SEGMENTS,
        b: B,
        bias: UNIT,
        out,
        outOffsets: OUT_OFFSETS,
        relu,
      });
    }
  };
}

function gemmInPlace(name: TileName): TileCall {
  return (kernels) => {
    for (const [relu, out] of [OUT, MORE].entries()) {
      kernels[`gemmInPlace${name}`]({
        rows: ROWS,
        columns: COLUMNS,
        a: A,
        aOffsets: A_OFFSETS,
        segments: 2,
        segmentTable: SEGMENTS,
        b: B,
        pitch: COLUMNS * 4,
        bias: UNIT,
        out,
        outOffsets: OUT_OFFSETS,
        relu,
      });
    }
  };
}

function gemmTransposed(name: TransposedTileName): TileCall {
  return (kernels) => {
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
  };
}

/** Three shards of 23, 1 and 37 examples. */
function treeGradient(name: TileName): TileCall {
  return (kernels) =>
    kernels[`treeGradient${name}`]({
      rows: ROWS,
      columns: COLUMNS,
      gradient: OUT,
      bigOffset: 4,
      shards: 3,
      table: SHARDS,
      bigPitch: 20,
      smallPitch: COLUMNS * 4,
      zeros: ZEROS,
      stack: MORE,
    });
}

function filterGradient(name: Extract<keyof Kernels, `filterGradient${string}`>): TileCall {
  return (kernels) => {
    for (const [gradient, zeros] of [
      [OUT, NONE],
      [MORE, ZEROS],
    ] as const) {
      kernels[name]({
        rows: ROWS,
        columns: COLUMNS,
        gradient,
        big: A,
        bigPixelStride: 20,
        bigLineStride: 4000,
        small: B,
        smallPixelStride: COLUMNS * 4,
        smallLineStride: 8000,
        pixels: 20,
        lines: 2,
        zeros,
      });
    }
  };
}

function listInputs(kernels: Kernels, lists: Address, share: number): void {
  kernels.listInputs({
    x: SPARSE,
    images: ROWS,
    inputs: DEPTH,
    pitch: 400,
    bias: UNIT,
    weights: B,
    weightPitch: LISTED_COLUMNS * 4,
    lists,
    share,
  });
}

/** Five shards of 20, 1, 0, 30 and 10 examples. */
function listGradients(kernels: Kernels, lists: Address, share: number): void {
  kernels.listGradients({
    rows: ROWS,
    bigOffset: 4,
    shards: 5,
    table: LISTED_SHARDS,
    bigPitch: 80,
    smallPitch: LISTED_COLUMNS * 4,
    zeros: ZEROS,
    lists,
    share,
  });
}

function sumRows(name: Extract<keyof Kernels, `sumRows${string}`>): TileCall {
  return (kernels) => {
    const [lists, stack] = [OUT, plus(OUT, 32_768)];
    const pitch = LISTED_COLUMNS * 4;
    for (const [i, list] of [listInputs, listGradients].entries()) {
      list(kernels, lists, 1);
      for (const relu of [0, 1]) {
        kernels[name]({
          rows: ROWS,
          columns: LISTED_COLUMNS,
          lists,
          out: plus(MORE, (2 * i + relu) * 8192),
          outPitch: pitch,
          stack,
          relu,
        });
      }
    }
  };
}

type Calls = { readonly [Name in keyof Kernels]: (kernels: Kernels, memory: Float32Array) => void };

const STREAM = { key0: 1, key1: 2, position: 3, step: 4, purpose: 5 } as const;

export const calls: Calls = {
  gemm4x8: gemm('4x8'),
  gemm6x8: gemm('6x8'),
  gemm4x16: gemm('4x16'),
  gemm6x16: gemm('6x16'),
  gemmDot4: (kernels) => {
    // Columns are filled up to whole vectors in each segment.
    for (const [relu, out] of [OUT, MORE].entries()) {
      kernels.gemmDot4({
        rows: ROWS,
        columns: COLUMNS,
        depth: 64,
        a: A,
        aOffsets: A_OFFSETS,
        segments: 2,
        segmentTable: SEGMENTS,
        b: B,
        bias: UNIT,
        out,
        outOffsets: OUT_OFFSETS,
        relu,
      });
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
    kernels.packPanels({
      source: A,
      taps: 2,
      tapOffsets: TAP_OFFSETS,
      inner: ROWS,
      innerStride: COLUMNS * 4,
      columns: COLUMNS,
      columnStride: 4,
      width: 16,
      from: 0,
      to: 3,
      destination: OUT,
    });
    kernels.packPanels({
      source: A,
      taps: 2,
      tapOffsets: TAP_OFFSETS,
      inner: ROWS,
      innerStride: 4,
      columns: COLUMNS,
      columnStride: ROWS * 4,
      width: 16,
      from: 0,
      to: 3,
      destination: MORE,
    });
  },
  packRows: (kernels) => {
    for (const width of [8, 16]) kernels.packRows(A, ROWS, COLUMNS * 4, COLUMNS, width, OUT);
  },
  packColumns: (kernels) =>
    kernels.packColumns({
      source: A,
      segments: 1,
      tapsPerSegment: 2,
      tapOffsets: TAP_OFFSETS,
      inner: ROWS,
      innerStride: COLUMNS * 4,
      columns: COLUMNS,
      columnStride: 4,
      destination: OUT,
    }),
  transposeMatrix: (kernels) => kernels.transposeMatrix(A, ROWS, COLUMNS, COLUMNS * 4, OUT, 80),
  copyFloats: (kernels) => kernels.copyFloats(A, OUT, MANY),
  copyPieces: (kernels) =>
    kernels.copyPieces({
      table: PIECES,
      pieces: 2,
      source: A,
      target: OUT,
      images: 3,
      sourceStride: 1000,
      targetStride: 500,
    }),
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
  maxPoolForward: (kernels) => kernels.maxPoolForward({ ...windows, big: A, small: OUT }),
  maxPoolBackward: (kernels) => kernels.maxPoolBackward({ ...windows, big: A, dSmall: B, dBig: OUT }),
  averagePoolForward: (kernels) => kernels.averagePoolForward({ ...windows, big: A, small: OUT }),
  averagePoolBackward: (kernels) => kernels.averagePoolBackward({ ...windows, dSmall: B, dBig: OUT }),
  upsampleForward: (kernels) => kernels.upsampleForward({ ...windows, small: A, big: OUT }),
  upsampleBackward: (kernels) => kernels.upsampleBackward({ ...windows, dBig: A, dSmall: OUT }),
  addFloats: (kernels) => kernels.addFloats(A, B, OUT, MANY),
  bernoulli: (kernels) =>
    kernels.bernoulli({
      logits: A,
      x: UNIT,
      rows: 400,
      samples: 2,
      dimensions: COLUMNS,
      scale: 0.37,
      logLikelihood: OUT,
      terms: plus(OUT, 50_000),
      dLogits: MORE,
    }),
  sigmoidArray: (kernels) => kernels.sigmoidArray(A, OUT, MANY),
  gaussianForward: (kernels) => {
    kernels.gaussianForward({
      posterior: A,
      epsilon: B,
      z: OUT,
      examples: 100,
      samples: 3,
      latent: COLUMNS,
      analytic: 1,
      kl: plus(OUT, 50_000),
    });
    kernels.gaussianForward({
      posterior: A,
      epsilon: B,
      z: MORE,
      examples: 100,
      samples: 3,
      latent: COLUMNS,
      analytic: 0,
      kl: plus(MORE, 50_000),
    });
  },
  gaussianBackward: (kernels) => {
    kernels.gaussianBackward({
      posterior: A,
      epsilon: B,
      z: UNIT,
      dz: plus(B, 4096),
      dPosterior: OUT,
      examples: 100,
      samples: 3,
      latent: COLUMNS,
      analytic: 1,
      beta: 0.75,
    });
    kernels.gaussianBackward({
      posterior: A,
      epsilon: B,
      z: UNIT,
      dz: plus(B, 4096),
      dPosterior: MORE,
      examples: 100,
      samples: 3,
      latent: COLUMNS,
      analytic: 0,
      beta: 0.75,
    });
  },
  treeReduce: (kernels) => kernels.treeReduce(OUT, 512, 5, COUNT),
  reduceAdam: (kernels) => {
    for (const shards of [1, 2, 3, 4, 8]) {
      const parameters = plus(MORE, shards * 1024);
      kernels.reduceAdam({
        parameters,
        m: plus(A, shards * 1024),
        v: plus(UNIT, shards * 1024),
        slots: plus(OUT, shards * 4096),
        pitch: 512,
        shards,
        count: COUNT,
        scale: 0.01,
        beta1: 0.9,
        oneMinusBeta1: 0.1,
        beta2: 0.999,
        oneMinusBeta2: 0.001,
        stepSize: 0.003,
        rootCorrection: 1.7,
        epsilon: 1e-7,
      });
    }
  },
  adam: (kernels) =>
    kernels.adam({ parameters: MORE, m: A, v: UNIT, gradient: OUT, count: COUNT, ...ADAM_NUMBERS }),
  scaleFloats: (kernels) => kernels.scaleFloats(MORE, COUNT, 0.9),
  squaredNorms: (kernels) => kernels.squaredNorms(A, COUNT, 16, MORE),
  averageFloats: (kernels) => {
    for (const weight of [0.01, 0.75, 1]) kernels.averageFloats(MORE, A, COUNT, weight);
  },
  reduceSgd: (kernels) => {
    for (const shards of [1, 2, 3, 4, 8]) {
      const parameters = plus(MORE, shards * 2048);
      const gradients = { slots: plus(OUT, shards * 4096), pitch: 512, shards, count: COUNT };
      const numbers = { scale: 0.01, rate: 0.3 };
      const velocity = plus(A, shards * 1024);
      kernels.reduceSgd({ parameters, velocity, ...gradients, ...numbers, momentum: 0.9 });
      kernels.reduceSgd({
        parameters: plus(parameters, 1024),
        velocity: NONE,
        ...gradients,
        ...numbers,
        momentum: 0,
      });
    }
  },
  sgd: (kernels) => {
    const numbers = { gradient: OUT, count: COUNT, scale: 0.01, rate: 0.3 };
    kernels.sgd({ parameters: MORE, velocity: A, ...numbers, momentum: 0.9 });
    kernels.sgd({ parameters: plus(MORE, 1024), velocity: NONE, ...numbers, momentum: 0 });
  },
  gaussianLikelihood: (kernels) =>
    kernels.gaussianLikelihood({
      means: A,
      x: UNIT,
      rows: 400,
      samples: 2,
      dimensions: COLUMNS,
      sigma: 0.3,
      scale: 0.37,
      logLikelihood: OUT,
      dMeans: MORE,
    }),
  gaussianLogRatios: (kernels) =>
    kernels.gaussianLogRatios({
      posterior: A,
      epsilon: B,
      z: UNIT,
      examples: 100,
      samples: 3,
      latent: COLUMNS,
      logRatio: OUT,
    }),
  scaleRows: (kernels) => kernels.scaleRows(OUT, A, 400, COLUMNS),
  gaussianBackwardWeighted: (kernels) =>
    kernels.gaussianBackwardWeighted({
      posterior: A,
      epsilon: B,
      z: UNIT,
      dz: plus(B, 4096),
      weights: plus(UNIT, 8192),
      dPosterior: OUT,
      examples: 100,
      samples: 3,
      latent: COLUMNS,
      beta: 0.75,
    }),
  gaussianLogWeightGradient: (kernels) =>
    kernels.gaussianLogWeightGradient({
      posterior: A,
      epsilon: B,
      z: UNIT,
      dz: plus(B, 4096),
      scale: 3,
      gradient: OUT,
      examples: 100,
      samples: 3,
      latent: COLUMNS,
    }),
  gaussianBackwardEstimated: (kernels) =>
    kernels.gaussianBackwardEstimated({
      posterior: A,
      epsilon: B,
      z: UNIT,
      dz: plus(B, 4096),
      weights: plus(UNIT, 8192),
      path: plus(UNIT, 4096),
      score: plus(A, 8192),
      dPosterior: OUT,
      examples: 100,
      samples: 3,
      latent: COLUMNS,
      beta: 0.75,
    }),
  binarize: (kernels) => {
    for (const mode of [0, 1, 2]) {
      kernels.binarize({
        mode,
        pixels: A,
        places: ORDER,
        order: ORDER,
        rows: 4,
        dimensions: COLUMNS,
        out: plus(OUT, mode * 1024),
        key0: 1,
        key1: 2,
        step: 3,
        purpose: 4,
        scratch: MORE,
      });
    }
  },
  randomBits: (kernels) => kernels.randomBits({ out: OUT, count: 96, ...STREAM }),
  randomUniform: (kernels) =>
    kernels.randomUniform({ out: OUT, count: COUNT, low: -0.3, high: 0.7, ...STREAM, scratch: MORE }),
  randomNormal: (kernels) =>
    kernels.randomNormal({ out: OUT, rows: 150, count: COUNT, ...STREAM, scratch: MORE }),
  expArray: (kernels) => kernels.expArray(A, OUT, MANY),
  logArray: (kernels) => kernels.logArray(UNIT, OUT, MANY),
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
  /** What the engine compiles: functions of positional arguments. */
  readonly exports: Readonly<Record<string, unknown>>;
  readonly #memory: Float32Array;
  readonly #bytes: Buffer;

  constructor(module: WebAssembly.Module) {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    this.exports = instance.exports;
    this.kernels = nameArguments(instance);
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
