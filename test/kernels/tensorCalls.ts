// One call of every kernel that only TensorFlow.js's kernels use, on the memory of everyKernel.ts.

import { type Address, addressOf, NONE, plus } from '#src/kernels/address.js';
import type { Kernels } from '#src/kernels/kernels.js';

const PAGE = 65536;
const [A, B, UNIT, OUT, MORE] = [0, PAGE, 2 * PAGE, 4 * PAGE, 5 * PAGE].map(addressOf) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];
/** In the page of tables, behind those of everyKernel.ts. */
const TABLES = addressOf(3 * PAGE + PAGE / 2);

const ROWS = 13;
const COLUMNS = 37;
const COUNT = 101;
const MANY = 16_379;

type Call = (kernels: Kernels, memory: Float32Array) => void;
type Unary = Extract<keyof Kernels, `map${string}`>;
type Broadcast = Extract<keyof Kernels, `broadcast${string}`>;

function unary(name: Unary): Call {
  // Numbers of both signs, and those in (0, 1].
  return (kernels) => {
    kernels[name](A, OUT, MANY);
    kernels[name](UNIT, MORE, MANY);
  };
}

/** Places a table of int32; returns its address. */
function table(memory: Float32Array, values: readonly number[], address = TABLES): Address {
  new Int32Array(memory.buffer, address, values.length).set(values);
  return address;
}

function broadcast(name: Broadcast): Call {
  return (kernels, memory) => {
    const plans = [
      [1, 1, 1, COUNT, 0, 0, 0, 4, 0, 0, 0, 4],
      [1, 2, 3, COLUMNS, 0, 600, 0, 4, 0, 0, 200, 0],
      [2, 1, 3, COLUMNS, 500, 0, 4, 0, 0, 0, 148, 4],
    ];
    plans.forEach((plan, i) => {
      kernels[name](table(memory, plan), A, B, plus(OUT, i * 4096));
    });
  };
}

/**
 * Two volumes of 3 × 5 × 4 and windows of 2 × 3 × 2, strides 1, 2, 1, a border of one; two channels more come
 * out.
 */
function volume(memory: Float32Array): Address {
  return table(memory, [2, 3, 5, 4, 3, 3, 4, 2, 3, 2, 1, 2, 1, 1, 1, 2, 0, 1, 1, 6, 8]);
}

/** Two images of 6 × 5 and windows of 3 × 2. */
function image(memory: Float32Array): Address {
  return table(memory, [2, 1, 6, 5, 1, 6, 5, 1, 3, 2, 1, 1, 1, 1, 1, 1, 0, 1, 0, 21, 21]);
}

/**
 * For each line of an image, two pairs of offsets: a line of dy or the next, the first line of the filter.
 */
function pairs(memory: Float32Array, lines: number, outPitch: number, address: Address): Address {
  const start = plus(address, 8 * lines);
  table(memory, Array.from({ length: lines }, (_, i) => [i * outPitch, 0]).flat(), start);
  return table(memory, Array.from({ length: lines }, (_, i) => [2, start + 8 * i]).flat(), address);
}

function bits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0]!;
}

export const tensorCalls = {
  zeroFloats: (kernels) => kernels.zeroFloats(OUT, COUNT),
  copyBordered: (kernels) => kernels.copyBordered(A, OUT, 5, COLUMNS, 2),
  transposeTensor: (kernels) => kernels.transposeTensor(A, ROWS, COLUMNS, OUT),
  allFinite: (kernels, memory) => {
    memory[OUT / 4] = kernels.allFinite(A, COUNT);
    memory[MORE / 4] = kernels.allFinite(B, MANY);
  },
  addRows: (kernels) => kernels.addRows(OUT, ROWS, COLUMNS, A, 0, 4),
  fillRows: (kernels) => kernels.fillRows(OUT, ROWS, COLUMNS, A),
  activate: (kernels) => {
    for (let kind = 0; kind < 8; kind++) kernels.activate(kind, plus(OUT, kind * 4096), COUNT, 0.2);
  },
  preluRows: (kernels) => kernels.preluRows(OUT, ROWS, COLUMNS, UNIT, 0, 4),
  reluGradient: (kernels) => kernels.reluGradient(A, B, OUT, COUNT),
  mapExp: unary('mapExp'),
  mapExpm1: unary('mapExpm1'),
  mapLog: unary('mapLog'),
  mapLog1p: unary('mapLog1p'),
  mapReciprocal: unary('mapReciprocal'),
  mapRsqrt: unary('mapRsqrt'),
  mapSoftplus: unary('mapSoftplus'),
  mapSqrt: unary('mapSqrt'),
  mapTanh: unary('mapTanh'),
  reduceSum: (kernels) => {
    kernels.reduceSum({ x: A, outer: 3, kept: 5, inner: 11, columns: COLUMNS, scale: 0.3, out: OUT });
    kernels.reduceSum({ x: A, outer: 3, kept: 5, inner: COUNT, columns: 1, scale: 0.3, out: MORE });
  },
  reduceMax: (kernels) => {
    kernels.reduceMax(A, 3, 5, 11, COLUMNS, OUT);
    kernels.reduceMax(A, 3, 5, COUNT, 1, MORE);
  },
  reduceMin: (kernels) => {
    kernels.reduceMin(A, 3, 5, 11, COLUMNS, OUT);
    kernels.reduceMin(A, 3, 5, COUNT, 1, MORE);
  },
  broadcastMaximum: broadcast('broadcastMaximum'),
  broadcastMinimum: broadcast('broadcastMinimum'),
  broadcastGreater: broadcast('broadcastGreater'),
  broadcastGreaterEqual: broadcast('broadcastGreaterEqual'),
  broadcastLess: broadcast('broadcastLess'),
  broadcastLessEqual: broadcast('broadcastLessEqual'),
  broadcastEqual: broadcast('broadcastEqual'),
  broadcastNotEqual: broadcast('broadcastNotEqual'),
  selectWords: (kernels) => kernels.selectWords(UNIT, A, B, COUNT, OUT),
  andBytes: (kernels) => kernels.andBytes(A, B, COUNT, OUT),
  orBytes: (kernels) => kernels.orBytes(A, B, COUNT, OUT),
  segmentSum: (kernels, memory) => {
    kernels.segmentSum(A, table(memory, [2, 0, 2, -1, 1, 7, 0, 2]), 8, COLUMNS, 3, OUT);
  },
  gatherSlices: (kernels, memory) => {
    kernels.gatherSlices({
      x: A,
      indices: table(memory, [2, 0, 1, 1, 0, 2]),
      batches: 2,
      outer: 3,
      extent: 3,
      picks: 3,
      bytes: COLUMNS * 4,
      out: OUT,
    });
  },
  repeatBlocks: (kernels) => {
    kernels.repeatBlocks(A, 5, COLUMNS * 4, 7, OUT);
    kernels.repeatBlocks(A, 5, 4, COUNT, MORE);
  },
  copyRows: (kernels) => kernels.copyRows(A, 400, ROWS, COLUMNS * 4, OUT, 200),
  reverseSlices: (kernels) => kernels.reverseSlices(A, 3, 7, COLUMNS * 4, OUT),
  exchangeSlices: (kernels) => kernels.exchangeSlices(A, 2, 5, 7, COLUMNS * 4, OUT),
  depthwiseInputGradient: (kernels, memory) => {
    const channels = 21 * 4;
    const rows = pairs(memory, 6, 5 * channels, plus(TABLES, 1024));
    const columns = pairs(memory, 5, channels, plus(TABLES, 2048));
    kernels.depthwiseInputGradient(image(memory), rows, columns, A, B, OUT);
  },
  depthwiseFilterGradient: (kernels, memory) => kernels.depthwiseFilterGradient(image(memory), A, B, OUT),
  repeatElements: (kernels) => kernels.repeatElements(A, COUNT, 3, OUT),
  windowMax: (kernels, memory) => {
    kernels.windowMax(volume(memory), A, NONE, OUT);
    kernels.windowMax(image(memory), A, B, MORE);
  },
  windowMaxInputGradient: (kernels, memory) =>
    kernels.windowMaxInputGradient(volume(memory), A, NONE, B, OUT),
  windowMaxFilterGradient: (kernels, memory) => {
    kernels.windowMaxFilterGradient(image(memory), A, UNIT, B, OUT);
  },
  windowAverageGradient: (kernels, memory) => kernels.windowAverageGradient(volume(memory), A, OUT),
  volumeInputGradient: (kernels, memory) => kernels.volumeInputGradient(volume(memory), A, B, OUT),
  volumeFilterGradient: (kernels, memory) => kernels.volumeFilterGradient(volume(memory), A, B, OUT),
  resampleNearest: (kernels, memory) => {
    const rows = table(memory, [0, 0, 2, 1]);
    kernels.resampleNearest({
      x: A,
      batch: 2,
      inHeight: 3,
      inWidth: 3,
      channels: COLUMNS,
      rows,
      outHeight: 4,
      columns: rows,
      outWidth: 4,
      out: OUT,
    });
  },
  resampleGradient: (kernels, memory) => {
    const shape = { batch: 2, inHeight: 3, inWidth: 3, channels: COLUMNS };
    const one = bits(1);
    const nearest = table(memory, [0, one, 0, one, 2, one, 1, one]);
    const lines = { rows: nearest, outHeight: 4, columns: nearest, outWidth: 4 };
    kernels.resampleGradient({ dy: A, ...shape, taps: 1, ...lines, dx: OUT });
    const bilinear = table(memory, [
      0,
      bits(0.7),
      1,
      bits(0.3),
      1,
      bits(0.3),
      2,
      bits(0.7),
      2,
      one,
      2,
      bits(0),
    ]);
    const pairs = { rows: bilinear, outHeight: 3, columns: bilinear, outWidth: 3 };
    kernels.resampleGradient({ dy: A, ...shape, taps: 2, ...pairs, dx: MORE });
  },
  cumulativeSum: (kernels) => {
    kernels.cumulativeSum({ x: A, outer: 3, count: 11, inner: 5, exclusive: 0, reverse: 0, out: OUT });
    kernels.cumulativeSum({ x: A, outer: 3, count: 11, inner: 5, exclusive: 1, reverse: 1, out: MORE });
  },
  adamStep: (kernels) => {
    kernels.adamStep({
      x: A,
      gradient: B,
      m: plus(A, 4096),
      v: UNIT,
      count: COUNT,
      beta1: 0.9,
      rest1: 0.1,
      beta2: 0.999,
      rest2: 0.001,
      c1: 0.3,
      c2: 0.02,
      epsilon: 1e-7,
      minusRate: -0.01,
      nextX: OUT,
      nextM: plus(OUT, 4096),
      nextV: MORE,
    });
  },
  normalizeRows: (kernels) =>
    kernels.normalizeRows({
      x: A,
      rows: ROWS,
      channels: COLUMNS,
      mean: B,
      variance: UNIT,
      offset: plus(B, 4096),
      scale: plus(A, 4096),
      epsilon: 0.001,
      factor: MORE,
      out: OUT,
    }),
} satisfies Partial<Readonly<Record<keyof Kernels, Call>>>;
