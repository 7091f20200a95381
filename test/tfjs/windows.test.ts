// Pooling, dilation, depthwise and volume gradients against loops in float64, over shapes, strides, paddings.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type {
  Tensor,
  Tensor3D,
  Tensor4D,
  Tensor5D,
  NamedTensorMap as TensorMap,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { gamma } from '../kernels/float32.js';
import { real } from './gradientCases.js';
import { valuesOf } from './gradientRun.js';
import { tf, useBackend } from './onWasm.js';

before(() => useBackend('wasm'));

type Pad = 'same' | 'valid';

/** One axis of a sliding window. */
interface Line {
  readonly size: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
}

function outSize({ size, taps, stride, dilation }: Line, pad: Pad): number {
  return Math.ceil((pad === 'same' ? size : size - (taps - 1) * dilation) / stride);
}

/**
 * Positions in the input of the taps of output `at`, with the tap's number; what lies outside is left out.
 */
function tapsOf(line: Line, pad: Pad, at: number): { tap: number; position: number }[] {
  const { size, taps, stride, dilation } = line;
  const reach = (taps - 1) * dilation + 1;
  const before =
    pad === 'same' ? Math.floor(Math.max(0, (outSize(line, pad) - 1) * stride + reach - size) / 2) : 0;
  return Array.from({ length: taps }, (_, tap) => ({
    tap,
    position: at * stride - before + tap * dilation,
  })).filter(({ position }) => position >= 0 && position < size);
}

/** Strides above 1 and dilations above 1 exclude each other in TensorFlow.js. */
const line = fc
  .record({
    size: fc.integer({ min: 1, max: 7 }),
    taps: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
  })
  // Volumes: TensorFlow.js pads negatively where a stride skips pixels.
  .map((each) => ({ ...each, dilation: 1, taps: Math.max(each.taps, Math.min(each.stride, 3)) }));

interface Windows {
  readonly lines: readonly [Line, Line, Line];
  readonly pad: Pad;
  readonly batch: number;
  readonly channels: number;
  readonly seed: number;
}

function windows(volumes: boolean): fc.Arbitrary<Windows> {
  const flat = fc.constant<Line>({ size: 1, taps: 1, stride: 1, dilation: 1 });
  return fc
    .record({
      lines: fc.tuple(volumes ? line : flat, line, line),
      pad: fc.constantFrom<Pad>('same', 'valid'),
      batch: fc.integer({ min: 1, max: 2 }),
      channels: fc.constantFrom(1, 3, 4, 7, 17),
      seed: fc.nat(),
    })
    .filter(({ lines, pad }) => lines.every((each) => outSize(each, pad) > 0));
}

/** Calls `visit` for each output element of each channel: its index, and its taps as indices of x. */
function visitWindows(
  { lines, pad, batch, channels }: Windows,
  visit: (out: number, taps: { index: number; tap: number }[], channel: number) => void,
): void {
  const [d, h, w] = lines;
  const [outD, outH, outW] = [outSize(d, pad), outSize(h, pad), outSize(w, pad)];
  let out = 0;
  for (let n = 0; n < batch; n++) {
    for (let od = 0; od < outD; od++) {
      for (let oh = 0; oh < outH; oh++) {
        for (let ow = 0; ow < outW; ow++) {
          for (let c = 0; c < channels; c++, out++) {
            const taps = tapsOf(d, pad, od).flatMap((td) =>
              tapsOf(h, pad, oh).flatMap((th) =>
                tapsOf(w, pad, ow).map((tw) => ({
                  index:
                    (((n * d.size + td.position) * h.size + th.position) * w.size + tw.position) * channels +
                    c,
                  tap: (td.tap * h.taps + th.tap) * w.taps + tw.tap,
                })),
              ),
            );
            visit(out, taps, c);
          }
        }
      }
    }
  }
}

function shapesOf({ lines, pad, batch, channels }: Windows, volumes: boolean) {
  const spatial = (sizes: number[]) => (volumes ? sizes : sizes.slice(1));
  return {
    x: [batch, ...spatial(lines.map(({ size }) => size)), channels],
    y: [batch, ...spatial(lines.map((each) => outSize(each, pad))), channels],
    taps: spatial(lines.map(({ taps }) => taps)),
    strides: spatial(lines.map(({ stride }) => stride)),
  };
}

function assertWithin(
  actual: ArrayLike<number>,
  expected: readonly number[],
  bound: readonly number[],
  what: string,
) {
  assert.equal(actual.length, expected.length, what);
  expected.forEach((value, i) => {
    const error = Math.abs(actual[i]! - value);
    assert.ok(
      error <= bound[i]!,
      `${what}: number ${i} is ${actual[i]}, expected ${value} within ${bound[i]}`,
    );
  });
}

const zeros = (count: number) => Array<number>(count).fill(0);
const product = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1);

for (const volumes of [false, true]) {
  const kind = volumes ? 'volumes' : 'images';

  test(`max pooling of ${kind}: value and gradient, ties included`, () => {
    fc.assert(
      fc.property(windows(volumes), (each) => {
        const shapes = shapesOf(each, volumes);
        // Few different values: ties are common, and go to the first tap.
        const x = valuesOf({ shape: shapes.x, low: 0, high: 5, kind: 'integers' }, each.seed);
        const dy = valuesOf(real(shapes.y), each.seed + 1);
        const value = zeros(product(shapes.y));
        const dx = zeros(x.length);
        const size = zeros(x.length);
        visitWindows(each, (out, taps) => {
          const largest = Math.max(...taps.map(({ index }) => x[index]!));
          value[out] = taps.length === 0 ? Number.NEGATIVE_INFINITY : largest;
          const first = taps.find(({ index }) => x[index] === largest);
          if (first === undefined) return;
          dx[first.index]! += dy[out]!;
          size[first.index]! += Math.abs(dy[out]!);
        });
        const pool = (t: Tensor) =>
          volumes
            ? tf.maxPool3d(
                t as Tensor5D,
                shapes.taps as [number, number, number],
                shapes.strides as [number, number, number],
                each.pad,
              )
            : tf.maxPool(
                t as Tensor4D,
                shapes.taps as [number, number],
                shapes.strides as [number, number],
                each.pad,
              );
        const actual = valueAndGradient(pool, x, shapes.x, dy, shapes.y);
        assert.deepEqual(actual.value, value);
        // At most as many windows overlap as one has taps.
        const bound = size.map((sum) => gamma(product(shapes.taps)) * sum);
        assertWithin(actual.gradient, dx, bound, 'dx');
      }),
    );
  });

  test(`average pooling of ${kind}: the gradient, of windows over the border too`, () => {
    fc.assert(
      fc.property(windows(volumes), (each) => {
        const shapes = shapesOf(each, volumes);
        const x = valuesOf(real(shapes.x), each.seed);
        const dy = valuesOf(real(shapes.y), each.seed + 1);
        const dx = zeros(x.length);
        const size = zeros(x.length);
        visitWindows(each, (out, taps) => {
          for (const { index } of taps) {
            dx[index]! += dy[out]! / taps.length;
            size[index]! += Math.abs(dy[out]!) / taps.length;
          }
        });
        const pool = (t: Tensor) =>
          volumes
            ? tf.avgPool3d(
                t as Tensor5D,
                shapes.taps as [number, number, number],
                shapes.strides as [number, number, number],
                each.pad,
              )
            : tf.avgPool(
                t as Tensor4D,
                shapes.taps as [number, number],
                shapes.strides as [number, number],
                each.pad,
              );
        const { gradient } = valueAndGradient(pool, x, shapes.x, dy, shapes.y);
        // The quotient is rounded, then each sum.
        const bound = size.map((sum) => gamma(product(shapes.taps) + 1) * sum);
        assertWithin(gradient, dx, bound, 'dx');
      }),
    );
  });
}

function valueAndGradient(
  f: (x: Tensor) => Tensor,
  x: readonly number[],
  shape: readonly number[],
  dy: readonly number[],
  outShape: readonly number[],
): { value: number[]; gradient: Float32Array } {
  return tf.tidy(() => {
    const input = tf.tensor([...x], [...shape], 'float32');
    const value = Array.from(f(input).dataSync());
    const gradient = tf
      .grad(f)(input, tf.tensor([...dy], [...outShape]))
      .dataSync();
    return { value, gradient: Float32Array.from(gradient) };
  });
}

test('dilation: value and both gradients', () => {
  fc.assert(
    fc.property(windows(false), (each) => {
      const shapes = shapesOf(each, false);
      const x = valuesOf(real(shapes.x), each.seed);
      const filterShape = [...shapes.taps, each.channels] as [number, number, number];
      const filter = valuesOf(real(filterShape), each.seed + 1);
      const dy = valuesOf(real(shapes.y), each.seed + 2);
      const value = zeros(dy.length);
      const dx = zeros(x.length);
      const dFilter = zeros(filter.length);
      visitWindows(each, (out, taps, channel) => {
        const sums = taps.map(({ index, tap }) =>
          Math.fround(x[index]! + filter[tap * each.channels + channel]!),
        );
        const largest = Math.max(...sums);
        const { index, tap } = taps[sums.indexOf(largest)]!;
        value[out] = largest;
        dx[index]! += dy[out]!;
        dFilter[tap * each.channels + channel]! += dy[out]!;
      });
      const actual = tf.tidy(() => {
        const f = (a: Tensor, b: Tensor) =>
          tf.dilation2d(a as Tensor4D, b as Tensor3D, shapes.strides as [number, number], each.pad);
        const inputs = [tf.tensor(x, shapes.x), tf.tensor(filter, filterShape)];
        const gradients = tf.grads(f as (...ts: Tensor[]) => Tensor)(inputs, tf.tensor(dy, shapes.y));
        return [f(inputs[0]!, inputs[1]!), ...gradients].map((t) => Array.from(t.dataSync()));
      });
      assert.deepEqual(actual[0], value);
      // |dy| < 2; a number of dx sums one term for each tap, one of dFilter one for each output pixel.
      const pixels = product(shapes.y) / each.channels;
      assertWithin(
        actual[1]!,
        dx,
        dx.map(() => gamma(product(shapes.taps)) * 2 * product(shapes.taps)),
        'dx',
      );
      assertWithin(
        actual[2]!,
        dFilter,
        dFilter.map(() => gamma(pixels) * 2 * pixels),
        'dFilter',
      );
    }),
    { numRuns: 60 },
  );
});

test('depthwise convolution: both gradients, strides or dilations, channel multipliers', () => {
  const cases = fc.record({
    each: windows(false),
    multiplier: fc.integer({ min: 1, max: 3 }),
    dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
    dilated: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, ({ each: given, multiplier, dilations, dilated }) => {
      const [flat, height, width] = given.lines;
      const each: Windows = dilated
        ? {
            ...given,
            lines: [
              flat,
              { ...height, stride: 1, dilation: dilations[0] },
              { ...width, stride: 1, dilation: dilations[1] },
            ],
          }
        : given;
      fc.pre(each.lines.every((l) => outSize(l, each.pad) > 0));
      const shapes = shapesOf(each, false);
      const { channels } = each;
      const outShape = [...shapes.y.slice(0, 3), channels * multiplier];
      const filterShape = [...shapes.taps, channels, multiplier] as [number, number, number, number];
      const x = valuesOf(real(shapes.x), each.seed);
      const filter = valuesOf(real(filterShape), each.seed + 1);
      const dy = valuesOf(real(outShape), each.seed + 2);
      const [dx, dxSize] = [zeros(x.length), zeros(x.length)];
      const [dFilter, dFilterSize] = [zeros(filter.length), zeros(filter.length)];
      visitWindows(each, (out, taps, channel) => {
        for (const { index, tap } of taps) {
          for (let m = 0; m < multiplier; m++) {
            const w = (tap * channels + channel) * multiplier + m;
            const gradient = dy[out * multiplier + m]!;
            dx[index]! += gradient * filter[w]!;
            dxSize[index]! += Math.abs(gradient * filter[w]!);
            dFilter[w]! += gradient * x[index]!;
            dFilterSize[w]! += Math.abs(gradient * x[index]!);
          }
        }
      });
      // The kernels themselves: tfjs-core refuses to differentiate with dilations.
      const actual = tf.tidy(() => {
        const run = (name: string, inputs: object, shape: object) =>
          tf.engine().runKernel(`DepthwiseConv2dNativeBackprop${name}`, inputs as TensorMap, {
            strides: shapes.strides,
            dilations: dilated ? dilations : 1,
            pad: each.pad,
            ...shape,
          }) as Tensor;
        const gradient = tf.tensor(dy, outShape);
        return [
          run('Input', { dy: gradient, filter: tf.tensor(filter, filterShape) }, { inputShape: shapes.x }),
          run('Filter', { x: tf.tensor(x, shapes.x), dy: gradient }, { filterShape }),
        ].map((t) => t.dataSync());
      });
      const pixels = product(outShape);
      // A product and a sum for each term, one rounding more over the channel multiplier or the images.
      assertWithin(
        actual[0]!,
        dx,
        dxSize.map((size) => gamma(2 * product(shapes.taps) + 1) * size),
        'dx',
      );
      assertWithin(
        actual[1]!,
        dFilter,
        dFilterSize.map((size) => gamma(2 * pixels + 2) * size),
        'dFilter',
      );
    }),
    { numRuns: 60 },
  );
});

test('convolution of volumes: both gradients', () => {
  const cases = fc.record({ each: windows(true), outChannels: fc.constantFrom(1, 3, 4, 6) });
  fc.assert(
    fc.property(cases, ({ each, outChannels }) => {
      const shapes = shapesOf(each, true);
      const { channels } = each;
      const outShape = [...shapes.y.slice(0, 4), outChannels];
      const filterShape = [...shapes.taps, channels, outChannels] as [number, number, number, number, number];
      const x = valuesOf(real(shapes.x), each.seed);
      const filter = valuesOf(real(filterShape), each.seed + 1);
      const dy = valuesOf(real(outShape), each.seed + 2);
      const [dx, dxSize] = [zeros(x.length), zeros(x.length)];
      const [dFilter, dFilterSize] = [zeros(filter.length), zeros(filter.length)];
      visitWindows(each, (out, taps, channel) => {
        const pixel = (out - channel) / channels;
        for (const { index, tap } of taps) {
          for (let o = 0; o < outChannels; o++) {
            const w = (tap * channels + channel) * outChannels + o;
            const gradient = dy[pixel * outChannels + o]!;
            dx[index]! += gradient * filter[w]!;
            dxSize[index]! += Math.abs(gradient * filter[w]!);
            dFilter[w]! += gradient * x[index]!;
            dFilterSize[w]! += Math.abs(gradient * x[index]!);
          }
        }
      });
      const actual = tf.tidy(() => {
        const f = (a: Tensor, b: Tensor) =>
          tf.conv3d(a as Tensor5D, b as Tensor5D, shapes.strides as [number, number, number], each.pad);
        const inputs = [tf.tensor(x, shapes.x), tf.tensor(filter, filterShape)];
        const gradients = tf.grads(f as (...ts: Tensor[]) => Tensor)(inputs, tf.tensor(dy, outShape));
        return gradients.map((t) => t.dataSync());
      });
      const terms = product(shapes.taps) * outChannels;
      assertWithin(
        actual[0]!,
        dx,
        dxSize.map((size) => gamma(2 * terms) * size),
        'dx',
      );
      assertWithin(
        actual[1]!,
        dFilter,
        dFilterSize.map((size) => gamma(2 * product(outShape)) * size),
        'dFilter',
      );
    }),
    { numRuns: 60 },
  );
});
