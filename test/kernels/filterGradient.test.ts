import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { NONE, plus } from '#src/kernels/address.js';
import { TILE_NAMES, TILES, type TileName } from '#src/kernels/tiles/tile.js';
import { type ArithmeticMode, modes } from './arithmeticMode.js';
import { gamma, sampleFloats, underflow } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

/**
 * Maps of [lines, pixels, channels] with floats of poison behind each pixel's values and each line's pixels.
 */
interface FilterCase {
  /** Floats of the big map that one pixel meets: a row of taps. */
  readonly rows: number;
  /** Channels of the small map. */
  readonly columns: number;
  readonly pixels: number;
  readonly lines: number;
  /** Floats from pixel to pixel of the big map; below `rows`, neighbours share values. */
  readonly bigStep: number;
  readonly gap: number;
  readonly seed: number;
}

interface Block {
  readonly firstLine: number;
  readonly lines: number;
  readonly firstPixel: number;
  readonly pixels: number;
  readonly accumulate: boolean;
}

interface Subject {
  readonly mode: ArithmeticMode;
  readonly harness: KernelHarness;
}

function maps({ rows, columns, pixels, lines, bigStep, gap, seed }: FilterCase) {
  const bigLine = (pixels - 1) * bigStep + rows + gap;
  const smallLine = pixels * (columns + gap) + gap;
  const big = sampleFloats(seed, lines * bigLine);
  const small = sampleFloats(seed + 1, lines * smallLine);
  for (let line = 0; line < lines; line++) {
    big.fill(Number.NaN, (line + 1) * bigLine - gap, (line + 1) * bigLine);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const end = line * smallLine + (pixel + 1) * (columns + gap);
      small.fill(Number.NaN, end - gap, end);
    }
  }
  return { big, small, bigLine, smallLine };
}

/** The gradient, [rows, columns], from `initial` or nothing, by calls for each block. */
function runBlocks(
  { harness }: Subject,
  tile: TileName,
  filter: FilterCase,
  blocks: readonly Block[],
  initial: Float32Array,
): Float32Array {
  const { rows, columns, bigStep, gap } = filter;
  const { big, small, bigLine, smallLine } = maps(filter);
  harness.reset();
  const bigAddress = harness.input(big);
  const smallAddress = harness.input(small);
  const gradient = harness.inPlace(initial);
  const zeros = harness.input(new Float32Array(TILES[tile].columns));
  for (const { firstLine, lines, firstPixel, pixels, accumulate } of blocks) {
    harness.run((kernels) =>
      kernels[`filterGradient${tile}`]({
        rows,
        columns,
        gradient,
        big: plus(bigAddress, (firstLine * bigLine + firstPixel * bigStep) * 4),
        bigPixelStride: bigStep * 4,
        bigLineStride: bigLine * 4,
        small: plus(smallAddress, (firstLine * smallLine + firstPixel * (columns + gap)) * 4),
        smallPixelStride: (columns + gap) * 4,
        smallLineStride: smallLine * 4,
        pixels,
        lines,
        zeros: accumulate ? NONE : zeros,
      }),
    );
  }
  return harness.floats(gradient, rows * columns);
}

/** Element by element in the documented order, and with it the float64 value and its bound. */
function reference({ multiplyAdd }: ArithmeticMode, filter: FilterCase, initial: Float32Array) {
  const { rows, columns, pixels, lines, bigStep, gap } = filter;
  const { big, small, bigLine, smallLine } = maps(filter);
  const bits = new Float32Array(rows * columns);
  const exact = new Float64Array(rows * columns);
  const bound = new Float64Array(rows * columns);
  for (let i = 0; i < bits.length; i++) {
    const [m, n] = [Math.floor(i / columns), i % columns];
    let [rounded, sum, magnitude] = [initial[i]!, initial[i]!, Math.abs(initial[i]!)];
    for (let line = 0; line < lines; line++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        const a = big[line * bigLine + pixel * bigStep + m]!;
        const b = small[line * smallLine + pixel * (columns + gap) + n]!;
        rounded = multiplyAdd(a, b, rounded);
        sum += a * b;
        magnitude += Math.abs(a * b);
      }
    }
    const terms = lines * pixels;
    [bits[i], exact[i], bound[i]] = [rounded, sum, gamma(terms + 1) * magnitude + terms * underflow];
  }
  return { bits, exact, bound };
}

function assertRight(subject: Subject, filter: FilterCase, accumulate: boolean): void {
  const { rows, columns, pixels, lines, seed } = filter;
  // What stands in the gradient is overwritten without `accumulate`: NaN would show.
  const before = accumulate
    ? sampleFloats(seed + 2, rows * columns)
    : new Float32Array(rows * columns).fill(NaN);
  const start = accumulate ? before : new Float32Array(rows * columns);
  const whole: Block = { firstLine: 0, lines, firstPixel: 0, pixels, accumulate };
  const { bits, exact, bound } = reference(subject.mode, filter, start);
  for (const tile of TILE_NAMES) {
    const result = runBlocks(subject, tile, filter, [whole], before);
    assertSameBits(result, bits, `${tile} of ${JSON.stringify({ ...filter, accumulate })}`);
  }
  bits.forEach((value, i) => {
    const error = Math.abs(value - exact[i]!);
    assert.ok(
      error <= bound[i]!,
      `${JSON.stringify(filter)}: element ${i} is off by ${error}, bound ${bound[i]}`,
    );
  });
}

const shape = {
  pixels: fc.integer({ min: 1, max: 7 }),
  lines: fc.integer({ min: 1, max: 4 }),
  bigStep: fc.integer({ min: 1, max: 12 }),
  gap: fc.integer({ min: 0, max: 9 }),
  seed: fc.nat(),
};

const cases: fc.Arbitrary<FilterCase> = fc.record({
  ...shape,
  rows: fc.integer({ min: 1, max: 13 }),
  columns: fc.integer({ min: 1, max: 33 }),
});

const tiles = fc.constantFrom(...TILE_NAMES);

function testShapes(subject: Subject): void {
  test('every number of rows and columns below, at and above every tile: the bits of one scalar loop', () => {
    for (let rows = 1; rows <= 13; rows++) {
      for (let columns = 1; columns <= 33; columns++) {
        const filter = { rows, columns, pixels: 3, lines: 2, bigStep: 2, gap: 8, seed: 100 * rows + columns };
        assertRight(subject, filter, false);
        assertRight(subject, filter, true);
      }
    }
  });

  test('few rows of any number of columns', () => {
    const fewRows = fc.record({
      ...shape,
      rows: fc.integer({ min: 1, max: 3 }),
      columns: fc.integer({ min: 1, max: 70 }),
    });
    fc.assert(
      fc.property(fewRows, fc.boolean(), (filter, accumulate) => assertRight(subject, filter, accumulate)),
    );
  });

  test('any shape and strides', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), (filter, accumulate) => assertRight(subject, filter, accumulate)),
    );
  });
}

function testBlocks(subject: Subject): void {
  test('blocks of lines do not change a bit', () => {
    fc.assert(
      fc.property(tiles, cases, fc.nat(), fc.boolean(), (tile, filter, at, accumulate) => {
        const { rows, columns, pixels, lines, seed } = filter;
        const initial = sampleFloats(seed + 2, rows * columns);
        const split = at % lines;
        const block = { firstPixel: 0, pixels };
        const whole = [{ ...block, firstLine: 0, lines, accumulate }];
        const parts = [
          { ...block, firstLine: 0, lines: split, accumulate },
          // An empty first block leaves zeros, or what stood there.
          { ...block, firstLine: split, lines: lines - split, accumulate: true },
        ];
        assertSameBits(
          runBlocks(subject, tile, filter, parts, initial),
          runBlocks(subject, tile, filter, whole, initial),
          'blocks of lines',
        );
      }),
    );
  });

  test('blocks of pixels of one line do not change a bit', () => {
    fc.assert(
      fc.property(tiles, cases, fc.nat(), (tile, anyCase, at) => {
        const filter = { ...anyCase, lines: 1 };
        const { rows, columns, pixels, seed } = filter;
        const initial = sampleFloats(seed + 2, rows * columns);
        const split = at % pixels;
        const line = { firstLine: 0, lines: 1 };
        const whole = [{ ...line, firstPixel: 0, pixels, accumulate: false }];
        const parts = [
          { ...line, firstPixel: 0, pixels: split, accumulate: false },
          { ...line, firstPixel: split, pixels: pixels - split, accumulate: true },
        ];
        assertSameBits(
          runBlocks(subject, tile, filter, parts, initial),
          runBlocks(subject, tile, filter, whole, initial),
          'blocks of pixels',
        );
      }),
    );
  });
}

for (const mode of modes) {
  describe(mode.arithmetic, { skip: mode.skip }, () => {
    const subject = { mode, harness: new KernelHarness(undefined, mode.arithmetic) };
    testShapes(subject);
    testBlocks(subject);
  });
}
