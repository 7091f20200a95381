// Pools and upsampling: bits against plain loops in the kernels' order, NaN, ties, and nothing written beside
// the pixels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, plus } from '#src/kernels/address.js';
import type { MaxPoolForwardArguments } from '#src/kernels/bindings.js';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();
const IMAGES = 2;

/** Windows of different sizes over six big pixels, each `gap` floats wider than its channels; two overlap. */
const WINDOWS = [[0, 1, 3], [4], [1, 5]] as const;
const BIG = 6;

interface Layout {
  readonly channels: number;
  readonly gap: number;
}

const layouts: readonly Layout[] = [1, 2, 3, 4, 5, 8, 9].flatMap((channels) => [
  { channels, gap: 0 },
  { channels, gap: 3 },
]);

function tableOf({ channels, gap }: Layout): number[] {
  const pitch = 4 * (channels + gap);
  return WINDOWS.flatMap((pixels, i) => [i * pitch, pixels.length, ...pixels.map((pixel) => pixel * pitch)]);
}

type Call = (kernels: Parameters<Parameters<KernelHarness['run']>[0]>[0], place: Place) => void;

interface Place {
  readonly big: Address;
  readonly small: Address;
  readonly dBig: Address;
  /** The arguments that all six kernels have. */
  readonly windows: Omit<MaxPoolForwardArguments, 'big' | 'small'>;
}

/**
 * Runs a kernel; returns the channels of every pixel of the map that it writes. `first` and `second` are what
 * it reads.
 */
function run(
  layout: Layout,
  call: Call,
  big: Float32Array,
  small: Float32Array,
  writes: 'big' | 'small' | 'dBig',
): Float32Array {
  const { channels, gap } = layout;
  const width = channels + gap;
  harness.reset();
  const [bigStride, smallStride] = [BIG * width * 4, WINDOWS.length * width * 4];
  const table = harness.u32(tableOf(layout));
  const place = {
    big: harness.input(writes === 'big' ? new Float32Array(big.length) : big),
    small: harness.input(writes === 'small' ? new Float32Array(small.length) : small),
    // Zeroed as a whole, with its borders.
    dBig: harness.output(IMAGES * bigStride),
    windows: { table, windows: WINDOWS.length, channels, images: IMAGES, bigStride, smallStride },
  } as const;
  const pixels = IMAGES * (writes === 'small' ? WINDOWS.length : BIG);
  if (writes !== 'dBig') {
    for (let pixel = 0; pixel < pixels; pixel++)
      harness.allow(plus(place[writes], pixel * width * 4), channels * 4);
  }
  harness.run((kernels) => call(kernels, place));
  return pixelsOf(harness.floats(place[writes], pixels * width), layout);
}

/** The channels of all pixels, without the gaps. */
function pixelsOf(values: Float32Array, { channels, gap }: Layout): Float32Array {
  return values.filter((_, i) => i % (channels + gap) < channels);
}

function eachWindow({ channels }: Layout, visit: (small: number, big: readonly number[]) => void): void {
  for (let image = 0; image < IMAGES; image++) {
    WINDOWS.forEach((pixels, window) => {
      for (let c = 0; c < channels; c++) {
        visit(
          (image * WINDOWS.length + window) * channels + c,
          pixels.map((pixel) => (image * BIG + pixel) * channels + c),
        );
      }
    });
  }
}

/** Big values with ties, and small ones. */
function inputs({ channels, gap }: Layout) {
  const width = channels + gap;
  const big = sampleFloats(5, IMAGES * BIG * width).map((v, i) => (i % 5 === 0 ? 0 : v));
  return { big, small: sampleFloats(6, IMAGES * WINDOWS.length * width) };
}

const { fround } = Math;

for (const layout of layouts) {
  const title = `${layout.channels} channels, ${layout.gap} floats between pixels`;
  const { big, small } = inputs(layout);
  const [bigPixels, smallPixels] = [pixelsOf(big, layout), pixelsOf(small, layout)];

  test(`maxPool: ${title}`, () => {
    const forward = run(
      layout,
      (k, p) => k.maxPoolForward({ ...p.windows, big: p.big, small: p.small }),
      big,
      small,
      'small',
    );
    const expected = new Float32Array(forward.length);
    const dBig = new Float32Array(bigPixels.length);
    eachWindow(layout, (s, window) => {
      const first = window.reduce((best, at) => (bigPixels[at]! > bigPixels[best]! ? at : best));
      expected[s] = bigPixels[first]!;
      dBig[first] = dBig[first]! + smallPixels[s]!;
    });
    assertSameBits(forward, expected, 'largest');
    const backward: Call = (k, p) =>
      k.maxPoolBackward({ ...p.windows, big: p.big, dSmall: p.small, dBig: p.dBig });
    assertSameBits(run(layout, backward, big, small, 'dBig'), dBig, 'gradient');
  });

  test(`avgPool: ${title}`, () => {
    const forward = run(
      layout,
      (k, p) => k.averagePoolForward({ ...p.windows, big: p.big, small: p.small }),
      big,
      small,
      'small',
    );
    const expected = new Float32Array(forward.length);
    const dBig = new Float32Array(bigPixels.length);
    eachWindow(layout, (s, window) => {
      expected[s] = window.map((at) => bigPixels[at]!).reduce((sum, v) => fround(sum + v)) / window.length;
      const part = fround(smallPixels[s]! / window.length);
      for (const at of window) dBig[at] = dBig[at]! + part;
    });
    assertSameBits(forward, expected, 'mean');
    const backward: Call = (k, p) => k.averagePoolBackward({ ...p.windows, dSmall: p.small, dBig: p.dBig });
    assertSameBits(run(layout, backward, big, small, 'dBig'), dBig, 'gradient');
  });

  test(`upsample: ${title}`, () => {
    const sums = run(
      layout,
      (k, p) => k.upsampleBackward({ ...p.windows, dBig: p.big, dSmall: p.small }),
      big,
      small,
      'small',
    );
    const expected = new Float32Array(sums.length);
    eachWindow(layout, (s, window) => {
      expected[s] = window.map((at) => bigPixels[at]!).reduce((sum, v) => fround(sum + v));
    });
    assertSameBits(sums, expected, 'sum');
    const forward: Call = (k, p) => k.upsampleForward({ ...p.windows, small: p.small, big: p.big });
    const copies = run(layout, forward, big, small, 'big');
    // Where windows overlap, the later one stays; pixel 2 is in none.
    eachWindow(layout, (s, window) => {
      for (const at of window) {
        const pixel = Math.floor(at / layout.channels) % BIG;
        if (pixel !== 1 || window.length === 2) assert.equal(copies[at], smallPixels[s]);
      }
    });
  });
}

test('maxPool: a NaN in a window is its largest, and gets the gradient', () => {
  const layout = { channels: 1, gap: 0 };
  const big = Float32Array.of(3, Number.NaN, 0, Number.NaN, 0, 0, 3, 2, 0, 1, 0, 0);
  const small = Float32Array.of(1, 2, 4, 1, 2, 4);
  const forward: Call = (k, p) => k.maxPoolForward({ ...p.windows, big: p.big, small: p.small });
  const expected = Float32Array.of(Number.NaN, 0, Number.NaN, 3, 0, 2);
  assertSameBits(run(layout, forward, big, small, 'small'), expected, 'largest');
  const backward: Call = (k, p) =>
    k.maxPoolBackward({ ...p.windows, big: p.big, dSmall: p.small, dBig: p.dBig });
  assertSameBits(
    run(layout, backward, big, small, 'dBig'),
    Float32Array.of(0, 5, 0, 0, 2, 0, 1, 4, 0, 0, 2, 0),
    'gradient',
  );
});

test('addFloats: each sum is rounded once', () => {
  for (const count of [1, 3, 4, 5, 17]) {
    harness.reset();
    const [a, b] = [sampleFloats(7, count), sampleFloats(8, count)];
    const [left, right] = [harness.input(a), harness.input(b)];
    const out = harness.output(count * 4, Math.ceil(count / 4) * 16);
    harness.run((kernels) => kernels.addFloats(left, right, out, count));
    assertSameBits(
      harness.floats(out, count),
      a.map((v, i) => v + b[i]!),
      'sum',
    );
  }
});
