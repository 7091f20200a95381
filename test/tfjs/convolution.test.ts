import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { float32, gamma } from '../reference/rounding.js';
import {
  assertSums,
  assertWithin,
  forEachProduct,
  type Geometry,
  Sums,
  sampleValues,
  sizeOf,
} from './boundedProduct.js';
import { ACTIVATIONS, type Activation, fusedReference } from './fusedReference.js';
import { tf, useBackend } from './onWasm.js';

type Pad = 'same' | 'valid' | number | [[0, 0], [number, number], [number, number], [0, 0]];
type Rounding = 'floor' | 'ceil' | 'round' | undefined;

interface Case {
  readonly batch: number;
  readonly size: readonly [number, number];
  readonly channels: number;
  readonly filters: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pad: Pad;
  readonly rounding: Rounding;
}

/**
 * TensorFlow.js's own extents, or undefined where there is no output. For a number as padding it computes the
 * width with the filter's height, so that it is given the same as a list.
 */
function geometryOf(given: Case): Geometry | undefined {
  const { batch, size, channels, filters, kernel, strides, dilations, pad, rounding } = given;
  const info = tf.backend_util.computeConv2DInfo(
    [batch, ...size, channels],
    [...kernel, channels, filters],
    [...strides],
    [...dilations],
    typeof pad === 'number' ? explicit(pad) : pad,
    rounding,
  );
  if (info.outHeight < 1 || info.outWidth < 1) return undefined;
  return {
    batch,
    big: [...size, channels],
    small: [info.outHeight, info.outWidth, filters],
    kernel,
    strides,
    dilations,
    padding: [info.padInfo.top, info.padInfo.left],
  };
}

function explicit(pad: number): Exclude<Pad, string | number> {
  return [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ];
}

interface Maps {
  readonly x: Float32Array;
  readonly filter: Float32Array;
  readonly y: Float32Array;
}

function mapsOf({ batch, big, small, kernel }: Geometry): Maps {
  return {
    x: sampleValues(batch * sizeOf(big), 1),
    filter: sampleValues(sizeOf(kernel) * big[2] * small[2], 2),
    y: sampleValues(batch * sizeOf(small), 3),
  };
}

function forwardSums(geometry: Geometry, { x, filter }: Maps): Sums {
  const sums = new Sums(geometry.batch * sizeOf(geometry.small));
  forEachProduct(geometry, (ix, iFilter, iy) => sums.add(iy, x[ix]! * filter[iFilter]!));
  return sums;
}

/** As kernels; those of dilated convolutions, which TensorFlow.js does not have, by its tape. */
function gradients(given: Case, x: Tensor4D, filter: Tensor4D, dy: Tensor4D): [Tensor, Tensor] {
  const { strides, dilations, pad, rounding } = given;
  if (dilations.some((dilation) => dilation > 1)) {
    const convolved = (a: Tensor, b: Tensor) =>
      tf.conv2d(a as Tensor4D, b as Tensor4D, [...strides], pad, 'NHWC', [...dilations], rounding);
    return tf.grads(convolved)([x, filter], dy) as [Tensor, Tensor];
  }
  const attributes = {
    strides: [...strides],
    pad: pad as string,
    dataFormat: 'NHWC',
    ...(rounding && { dimRoundingMode: rounding }),
  };
  const run = (name: string, inputs: Record<string, Tensor>, more: Record<string, number[]>): Tensor =>
    tf.engine().runKernel(name, inputs, { ...attributes, ...more });
  return [
    run('Conv2DBackpropInput', { dy, filter }, { inputShape: x.shape }),
    run('Conv2DBackpropFilter', { x, dy }, { filterShape: filter.shape }),
  ];
}

/** The forward pass and both gradients. */
function checkKernels(given: Case): void {
  const geometry = geometryOf(given);
  if (geometry === undefined) return;
  const maps = mapsOf(geometry);
  const { batch, big, small, kernel } = geometry;
  const { strides, dilations, pad, rounding } = given;
  const filterShape: [number, number, number, number] = [kernel[0], kernel[1], big[2], small[2]];
  const what = JSON.stringify(given);
  tf.tidy(() => {
    const x = tf.tensor4d(maps.x, [batch, ...big]);
    const filter = tf.tensor4d(maps.filter, filterShape);
    const dy = tf.tensor4d(maps.y, [batch, ...small]);
    const y = tf.conv2d(x, filter, [...strides], pad, 'NHWC', [...dilations], rounding);
    assertSums(y.dataSync(), forwardSums(geometry, maps), `conv2d ${what}`);
    const [dx, dFilter] = gradients(given, x, filter, dy);
    const [dxSums, dFilterSums] = [new Sums(maps.x.length), new Sums(maps.filter.length)];
    forEachProduct(geometry, (ix, iFilter, iy) => {
      dxSums.add(ix, maps.y[iy]! * maps.filter[iFilter]!);
      dFilterSums.add(iFilter, maps.x[ix]! * maps.y[iy]!);
    });
    assert.deepEqual(dx.shape, x.shape);
    assertSums(dx.dataSync(), dxSums, `input gradient ${what}`);
    assert.deepEqual(dFilter.shape, filterShape);
    assertSums(dFilter.dataSync(), dFilterSums, `filter gradient ${what}`);
  });
}

const side = fc.integer({ min: 0, max: 2 });
const pads: fc.Arbitrary<Pad> = fc.oneof(
  fc.constantFrom<Pad>('same', 'valid'),
  side,
  fc.tuple(side, side, side, side).map(
    ([t, b, l, r]): Pad => [
      [0, 0],
      [t, b],
      [l, r],
      [0, 0],
    ],
  ),
);
const pair = (max: number) => fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
const channelCounts = fc.constantFrom(1, 2, 3, 4, 5, 8, 17);

const cases: fc.Arbitrary<Case> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    size: pair(9),
    channels: channelCounts,
    filters: channelCounts,
    kernel: pair(4),
    strides: pair(3),
    dilations: pair(3),
    dilated: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    pad: pads,
    mode: fc.constantFrom<Rounding>(undefined, 'floor', 'ceil', 'round'),
  })
  .map(({ strides, dilations, dilated, mode, ...rest }) => ({
    ...rest,
    // TensorFlow.js has strides or dilations, and rounds explicit padding alone.
    strides: dilated ? ([1, 1] as const) : strides,
    dilations: dilated ? dilations : ([1, 1] as const),
    rounding: typeof rest.pad === 'string' ? undefined : mode,
  }));

const PLAIN = { strides: [1, 1], dilations: [1, 1], rounding: undefined } as const;

describe('conv2d and its gradients', () => {
  before(() => useBackend('wasm'));

  it('are the sums of their definition at every stride, dilation, padding and rounding', () => {
    fc.assert(fc.property(cases, checkKernels), { numRuns: 150 });
  });

  it('are right where a map is cut into bands of lines', () => {
    const large = { ...PLAIN, batch: 2, size: [190, 160], channels: 16, filters: 4, kernel: [3, 2] } as const;
    checkKernels({ ...large, pad: 'same' });
    checkKernels({
      ...large,
      pad: [
        [0, 0],
        [2, 1],
        [0, 3],
        [0, 0],
      ],
      strides: [3, 2],
    });
  });

  it('are right where the last band has fewer lines than the stride', () => {
    // Bands of 48 lines: the one that is left meets one phase of the stride alone.
    const odd = { ...PLAIN, batch: 1, size: [145, 240], channels: 16, filters: 4, kernel: [3, 2] } as const;
    checkKernels({ ...odd, pad: 'same', strides: [3, 2] });
  });

  it('are right where a batch is cut into blocks of images', () => {
    const many = { ...PLAIN, batch: 37, size: [9, 9], channels: 24, filters: 40, kernel: [3, 3] } as const;
    checkKernels({ ...many, pad: 'same' });
    checkKernels({ ...many, pad: 'valid', strides: [2, 2], filters: 2 });
    checkKernels({ ...many, batch: 200, size: [3, 3], pad: 'valid' });
  });

  it('of an empty batch are empty, and the filter gradient is zero', () => {
    checkKernels({ ...PLAIN, batch: 0, size: [5, 5], channels: 2, filters: 3, kernel: [2, 2], pad: 'same' });
  });
});

describe('fused conv2d', () => {
  before(() => useBackend('wasm'));

  it('adds every bias and applies every activation', () => {
    fc.assert(
      fc.property(
        cases,
        fc.constantFrom(...ACTIVATIONS),
        fc.constantFrom(undefined, 'channels', 'one', 'scalar'),
        fc.constantFrom('channels', 'map', 'one'),
        (given, activation, biasKind, slopesKind) => {
          const geometry = geometryOf(given);
          if (geometry === undefined) return;
          checkFused(given, geometry, activation, biasKind, slopesKind);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function checkFused(
  given: Case,
  geometry: Geometry,
  activation: Activation,
  biasKind: 'channels' | 'one' | 'scalar' | undefined,
  slopesKind: 'channels' | 'map' | 'one',
): void {
  const maps = mapsOf(geometry);
  const { batch, big, small, kernel } = geometry;
  const shapes = { channels: [small[2]], one: [1], scalar: [], map: [...small] };
  const sample = (shape: number[], seed: number) => ({ shape, values: sampleValues(sizeOf(shape), seed) });
  const bias = biasKind && sample(shapes[biasKind], 4);
  const slopes = activation === 'prelu' ? sample(shapes[slopesKind], 5) : undefined;
  tf.tidy(() => {
    const out = tf.fused.conv2d({
      x: tf.tensor4d(maps.x, [batch, ...big]),
      filter: tf.tensor4d(maps.filter, [kernel[0], kernel[1], big[2], small[2]]),
      strides: [...given.strides],
      pad: given.pad,
      dilations: [...given.dilations],
      activation,
      leakyreluAlpha: 0.3,
      ...(given.rounding && { dimRoundingMode: given.rounding }),
      ...(bias && { bias: tf.tensor(bias.values, bias.shape) }),
      ...(slopes && { preluActivationWeights: tf.tensor(slopes.values, slopes.shape) }),
    });
    const slope = Math.fround(0.3);
    const sums = forwardSums(geometry, maps);
    const expected = fusedReference(sums, [batch, ...small], { bias, activation, slope, slopes });
    assertWithin(out.dataSync(), expected, JSON.stringify({ ...given, activation, biasKind, slopesKind }));
  });
}

describe('gradients on the wasm backend', () => {
  /**
   * The same function of the same tensors on two backends. Each rounds sums of `terms` terms up to
   * `magnitude` in all: they differ by at most 2 γ_{terms + 1} · magnitude.
   */
  async function compare(
    shapes: readonly number[][],
    run: (tensors: Tensor[]) => Tensor[],
    { terms, magnitude }: { readonly terms: number; readonly magnitude: number },
  ): Promise<void> {
    const compute = async (backend: 'wasm' | 'cpu') => {
      await useBackend(backend);
      const inputs = shapes.map((shape, i) => tf.tensor(sampleValues(sizeOf(shape), i + 1), shape));
      return tf.tidy(() => run(inputs).map((tensor) => tensor.dataSync()));
    };
    const [actual, expected] = [await compute('wasm'), await compute('cpu')];
    assert.equal(actual.length, expected.length);
    const bound = 2 * gamma(float32, terms + 1) * magnitude;
    for (const [i, values] of actual.entries()) {
      const other = expected[i]!;
      const reference = { size: other.length, value: (j: number) => other[j]!, bound: () => bound };
      assertWithin(values, reference, `tensor ${i}`);
    }
  }

  it('of conv2d', () =>
    compare(
      [
        [3, 8, 9, 5],
        [3, 2, 5, 7],
        [3, 4, 5, 7],
      ],
      ([x, filter, dy]) =>
        tf.grads((a, b) => tf.conv2d(a as Tensor4D, b as Tensor4D, 2, 'same'))([x!, filter!], dy),
      // A filter's gradient sums over 3 images of 4×5 pixels, an input's over at most 3×2 taps of 7 filters.
      { terms: 60, magnitude: 60 },
    ));

  it('of conv2dTranspose', () =>
    compare(
      [
        [2, 4, 5, 6],
        [3, 3, 4, 6],
        [2, 8, 10, 4],
      ],
      ([x, filter, dy]) =>
        tf.grads((a, b) => tf.conv2dTranspose(a as Tensor4D, b as Tensor4D, [2, 8, 10, 4], 2, 'same'))(
          [x!, filter!],
          dy,
        ),
      // A filter's gradient sums over 2 images of 4×5 pixels, an input's over 3×3 taps of 4 channels.
      { terms: 40, magnitude: 40 },
    ));

  it('of fused conv2d and matMul with bias', () =>
    compare(
      [[2, 6, 6, 3], [3, 3, 3, 8], [8], [128, 10], [10]],
      ([x, filter, bias, weights, offset]) =>
        tf.grads((a, b, c, d, e) => {
          const map = tf.fused.conv2d({
            x: a as Tensor4D,
            filter: b as Tensor4D,
            strides: 1,
            pad: 'valid',
            bias: c as Tensor,
          });
          const flat = tf.reshape(map, [2, 128]) as Tensor2D;
          return tf.fused.matMul({ a: flat, b: d as Tensor2D, bias: e as Tensor });
        })([x!, filter!, bias!, weights!, offset!]),
      // The map's gradient sums 10 weights; the input's gradient 9 taps of 8 of these, the filter's and the
      // bias's 32 pixels.
      { terms: 72 + 10, magnitude: 720 },
    ));
});
