// Windows with `same` padding and strides that skip input, and with paddings given as a number: forward
// passes and gradients against loops in float64, for every combination of filter and stride.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Rank, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { gamma } from '../kernels/float32.js';
import { sampleValues, sizeOf } from './boundedProduct.js';
import { tf, useBackend } from './onWasm.js';

before(() => useBackend('wasm'));

type Pair = readonly [number, number];

interface Windows {
  readonly taps: Pair;
  readonly strides: Pair;
  readonly pad: 'same' | number;
}

const IN = [7, 6] as const;
const BATCH = 2;
const CHANNELS = 3;

/** TensorFlow's definition, axis by axis. */
function lineOf({ taps, strides, pad }: Windows, axis: 0 | 1): { before: number; out: number } {
  const [size, reach, stride] = [IN[axis], taps[axis], strides[axis]];
  if (typeof pad === 'number') return { before: pad, out: Math.floor((size - reach + 2 * pad) / stride) + 1 };
  const out = Math.ceil(size / stride);
  return { before: Math.floor(Math.max(0, (out - 1) * stride + reach - size) / 2), out };
}

function outShape(windows: Windows, channels: number): number[] {
  return [BATCH, lineOf(windows, 0).out, lineOf(windows, 1).out, channels];
}

/** Calls `visit` for each output pixel with the pixels of the input that its taps meet. */
function visitPixels(
  windows: Windows,
  visit: (out: number, met: readonly { pixel: number; tap: number }[]) => void,
): void {
  const lines = [lineOf(windows, 0), lineOf(windows, 1)] as const;
  const { taps, strides } = windows;
  let out = 0;
  for (let n = 0; n < BATCH; n++) {
    for (let oy = 0; oy < lines[0].out; oy++) {
      for (let ox = 0; ox < lines[1].out; ox++, out++) {
        const met: { pixel: number; tap: number }[] = [];
        for (let ty = 0; ty < taps[0]; ty++) {
          for (let tx = 0; tx < taps[1]; tx++) {
            const y = oy * strides[0] - lines[0].before + ty;
            const x = ox * strides[1] - lines[1].before + tx;
            if (y < 0 || y >= IN[0] || x < 0 || x >= IN[1]) continue;
            met.push({ pixel: (n * IN[0] + y) * IN[1] + x, tap: ty * taps[1] + tx });
          }
        }
        visit(out, met);
      }
    }
  }
}

/** Values, and the sum of the sizes of the terms of each. */
class Sum {
  readonly value: Float64Array;
  readonly size: Float64Array;
  constructor(count: number) {
    this.value = new Float64Array(count);
    this.size = new Float64Array(count);
  }
  add(i: number, term: number): void {
    this.value[i]! += term;
    this.size[i]! += Math.abs(term);
  }
}

/** A sum of at most 16 taps over the pixels of all images, each term of three roundings. */
function assertSum(actual: ArrayLike<number>, { value, size }: Sum, what: string): void {
  assert.equal(actual.length, value.length, what);
  const factor = gamma(BATCH * IN[0] * IN[1] * 16 + 3);
  for (let i = 0; i < value.length; i++) {
    const error = Math.abs(actual[i]! - value[i]!);
    assert.ok(error <= factor * size[i]!, `${what}[${i}] is ${actual[i]}, expected ${value[i]}`);
  }
}

const xShape = [BATCH, ...IN, CHANNELS];
const xValues = sampleValues(sizeOf(xShape), 1);

interface Expected {
  readonly y: Sum;
  readonly gradients: readonly Sum[];
}

interface Operation {
  readonly name: string;
  /** Channels of the output. */
  readonly channels: number;
  filterShape(taps: Pair): number[] | undefined;
  run(windows: Windows, x: Tensor4D, filter: Tensor4D | undefined): Tensor;
  expected(windows: Windows, filter: Float32Array, dy: Float32Array): Expected;
}

const MULTIPLIER = 2;

/** y[pixel][n] = Σ over the taps and the inputs c that n reads of x · filter. */
function weighted(
  channels: number,
  inputsOf: (n: number) => readonly number[],
  filterIndex: (tap: number, c: number, n: number) => number,
): Operation['expected'] {
  return (windows, filter, dy) => {
    const y = new Sum(dy.length);
    const [dx, dFilter] = [new Sum(xValues.length), new Sum(filter.length)];
    visitPixels(windows, (out, met) => {
      for (const { pixel, tap } of met) {
        for (let n = 0; n < channels; n++) {
          for (const c of inputsOf(n)) {
            const [to, from, w] = [out * channels + n, pixel * CHANNELS + c, filterIndex(tap, c, n)];
            y.add(to, xValues[from]! * filter[w]!);
            dx.add(from, dy[to]! * filter[w]!);
            dFilter.add(w, dy[to]! * xValues[from]!);
          }
        }
      }
    });
    return { y, gradients: [dx, dFilter] };
  };
}

/** For each channel by itself: what each tap is worth to the output. */
function pooled(worth: (values: readonly number[]) => readonly number[]): Operation['expected'] {
  return (windows, _, dy) => {
    const [y, dx] = [new Sum(dy.length), new Sum(xValues.length)];
    visitPixels(windows, (out, met) => {
      for (let c = 0; c < CHANNELS; c++) {
        const weights = worth(met.map(({ pixel }) => xValues[pixel * CHANNELS + c]!));
        met.forEach(({ pixel }, i) => {
          y.add(out * CHANNELS + c, weights[i]! * xValues[pixel * CHANNELS + c]!);
          dx.add(pixel * CHANNELS + c, weights[i]! * dy[out * CHANNELS + c]!);
        });
      }
    });
    return { y, gradients: [dx] };
  };
}

const operations: readonly Operation[] = [
  {
    name: 'depthwiseConv2d',
    channels: CHANNELS * MULTIPLIER,
    filterShape: (taps) => [...taps, CHANNELS, MULTIPLIER],
    run: ({ strides, pad }, x, filter) => tf.depthwiseConv2d(x, filter!, [...strides], pad),
    expected: weighted(
      CHANNELS * MULTIPLIER,
      (n) => [Math.floor(n / MULTIPLIER)],
      (tap, _, n) => tap * CHANNELS * MULTIPLIER + n,
    ),
  },
  {
    name: 'conv2d',
    channels: 4,
    filterShape: (taps) => [...taps, CHANNELS, 4],
    run: ({ strides, pad }, x, filter) => tf.conv2d(x, filter!, [...strides], pad),
    expected: weighted(
      4,
      () => [0, 1, 2],
      (tap, c, n) => (tap * CHANNELS + c) * 4 + n,
    ),
  },
  {
    name: 'avgPool',
    channels: CHANNELS,
    filterShape: () => undefined,
    run: ({ taps, strides, pad }, x) => tf.avgPool(x, [...taps], [...strides], pad),
    expected: pooled((values) => values.map(() => 1 / values.length)),
  },
  {
    name: 'maxPool',
    channels: CHANNELS,
    filterShape: () => undefined,
    run: ({ taps, strides, pad }, x) => tf.maxPool(x, [...taps], [...strides], pad),
    expected: pooled((values) => {
      const first = values.indexOf(Math.max(...values));
      return values.map((_, i) => Number(i === first));
    }),
  },
];

function check(operation: Operation, windows: Windows): void {
  const { name, channels, filterShape } = operation;
  const what = `${name} ${JSON.stringify(windows)}`;
  const yShape = outShape(windows, channels);
  const shape = filterShape(windows.taps);
  const filter = sampleValues(sizeOf(shape ?? [0]), 2);
  const dy = sampleValues(sizeOf(yShape), 3);
  const expected = operation.expected(windows, filter, dy);
  tf.tidy(() => {
    const inputs = [tf.tensor(xValues, xShape), ...(shape ? [tf.tensor(filter, shape)] : [])];
    const run = (...[x, w]: Tensor[]) => operation.run(windows, x as Tensor4D, w as Tensor4D | undefined);
    const y = run(...inputs);
    assert.deepEqual(y.shape, yShape, what);
    assertSum(y.dataSync(), expected.y, what);
    const gradients = tf.grads(run)(inputs, tf.tensor(dy, yShape));
    gradients.forEach((gradient, i) => {
      assertSum(gradient.dataSync(), expected.gradients[i]!, `gradient ${i} of ${what}`);
    });
  });
}

const upTo = (most: number) => Array.from({ length: most }, (_, i) => i + 1);
const pairs = (most: number): Pair[] => upTo(most).flatMap((a) => upTo(most).map((b): Pair => [a, b]));

for (const operation of operations) {
  test(`${operation.name}: same padding, filters and strides of 1 to 4`, () => {
    for (const taps of pairs(4)) {
      for (const stride of upTo(4)) check(operation, { taps, strides: [stride, stride], pad: 'same' });
    }
    for (const strides of pairs(3)) check(operation, { taps: [2, 1], strides, pad: 'same' });
  });

  test(`${operation.name}: a number for the padding, filters that are no squares`, () => {
    for (const taps of pairs(3)) {
      for (const strides of pairs(2)) {
        // A window in the padding alone has no average and no maximum.
        for (let pad = 0; pad < Math.min(...taps); pad++) check(operation, { taps, strides, pad });
      }
    }
  });
}

test('a fused depthwise convolution has the same padding', () => {
  tf.tidy(() => {
    const x = tf.ones<Rank.R4>([1, 6, 6, 1]);
    const filter = tf.ones<Rank.R4>([2, 2, 1, 1]);
    const y = tf.fused.depthwiseConv2d({ x, filter, strides: 3, pad: 'same', activation: 'relu' });
    assert.deepEqual([...y.dataSync()], [4, 4, 4, 4]);
  });
});
