// Products by lists of nonzeros have the bits of the dense kernels, up to the sign of a sum that is zero: −0
// + 0 is 0, and what the lists leave out is 0 or −0.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Address, NONE } from '#src/kernels/address.js';
import type { Kernels } from '#src/kernels/kernels.js';
import { gradientListBytes, inputListBytes } from '#src/kernels/listRoom.js';
import { LIST_WIDTHS } from '#src/kernels/tiles/tile.js';
import { modes } from './arithmeticMode.js';
import { fromBits, sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';
import { countNonzeros, gradientLists, inputLists, type Placed, thinned } from './nonzeroLists.js';

type Width = (typeof LIST_WIDTHS)[number];

const MEBIBYTE = 2 ** 20;

interface Layout {
  /** Columns beyond a width. */
  readonly more: number;
  /** Floats of poison behind each row of a matrix. */
  readonly gap: number;
  readonly density: number;
  readonly share: number;
  readonly seed: number;
}

interface InputsCase extends Layout {
  readonly images: number;
  readonly inputs: number;
  readonly relu: boolean;
}

interface GradientsCase extends Layout {
  readonly rows: number;
  /** Floats of an example before those of the gradient's rows. */
  readonly offset: number;
  /** Examples of each shard. */
  readonly shards: readonly number[];
}

/**
 * What a lister returned and wrote, and what the product with its lists is; nothing more than a return value
 * if that is −1.
 */
interface Product {
  readonly terms: number;
  readonly lists: Uint32Array;
  readonly expectedLists: Uint32Array;
  readonly values: Float32Array;
  readonly dense: Float32Array;
}

const share = fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));

const layout = {
  more: fc.integer({ min: 0, max: 93 }),
  gap: fc.integer({ min: 0, max: 3 }),
  density: fc.oneof(fc.constantFrom(0, 0.02, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  share,
  seed: fc.nat(),
};

const inputsCases: fc.Arbitrary<InputsCase> = fc.record({
  ...layout,
  images: fc.integer({ min: 1, max: 7 }),
  /** Blocks are of 64, then of sixteen. */
  inputs: fc.integer({ min: 1, max: 150 }),
  relu: fc.boolean(),
});

const examples = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 2, arbitrary: fc.integer({ min: 5, max: 70 }) },
);

const gradientsCases: fc.Arbitrary<GradientsCase> = fc.record({
  ...layout,
  /** Blocks are of sixteen. */
  rows: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 37 })),
  offset: fc.integer({ min: 0, max: 5 }),
  shards: fc.array(examples, { minLength: 1, maxLength: 17 }),
});

/** A matrix with poison behind each row, `offset` floats of poison before each. */
function place(
  harness: KernelHarness,
  values: Float32Array,
  columns: number,
  gap: number,
  offset = 0,
): Placed {
  const pitch = offset + columns + gap;
  const rows = values.length / columns;
  const matrix = new Float32Array(rows * pitch).fill(Number.NaN);
  for (let row = 0; row < rows; row++) {
    matrix.set(values.subarray(row * columns, (row + 1) * columns), row * pitch + offset);
  }
  return { address: harness.input(matrix), pitch: pitch * 4 };
}

/** Rows that a kernel writes, with gaps that it may not write; a reader of their values. */
function placeOutput(harness: KernelHarness, rows: number, columns: number, gap: number) {
  const pitch = (columns + gap) * 4;
  const address = harness.input(new Float32Array((rows * pitch) / 4).fill(-12345));
  for (let row = 0; row < rows; row++) harness.allow(address + row * pitch, columns * 4);
  const read = () => {
    const lines = Array.from({ length: rows }, (_, row) => harness.floats(address + row * pitch, columns));
    return Float32Array.from(lines.flatMap((line) => [...line]));
  };
  return { address, pitch, read };
}

/** As many widths as the tree has levels. */
function placeStack(harness: KernelHarness, width: Width, shards: number): Address {
  return harness.output(Math.ceil(Math.log2(shards)) * width * 4);
}

function sumInputs(harness: KernelHarness, width: Width, given: InputsCase, x: Float32Array): Product {
  harness.reset();
  const { images, inputs, gap, more, seed, relu } = given;
  const columns = width + more;
  const input = place(harness, x, inputs, gap);
  const weights = place(harness, sampleFloats(seed + 2, inputs * columns), columns, gap);
  // The dense kernel reads whole vectors of it.
  const bias = harness.input(sampleFloats(seed + 3, Math.ceil(columns / 8) * 8));
  const out = placeOutput(harness, images, columns, gap);
  const dense = placeOutput(harness, images, columns, gap);
  const expectedLists = Uint32Array.from(inputLists(x, inputs, bias, weights).flat());
  const lists = harness.output(images * inputListBytes(inputs));
  const rows = Array.from({ length: images }, (_, image) => image);
  const offsets = harness.u32(rows.map((row) => row * input.pitch));
  const outOffsets = harness.u32(rows.map((row) => row * dense.pitch));
  const segment = harness.u32([0, inputs]);
  let terms = 0;
  harness.run((kernels) => {
    terms = kernels.listInputs({
      x: input.address,
      images,
      inputs,
      pitch: input.pitch,
      bias,
      weights: weights.address,
      weightPitch: weights.pitch,
      lists,
      share: given.share,
    });
    if (terms < 0) return;
    // No stack: of one group, no sum waits.
    sum(
      kernels,
      width,
    )({
      rows: images,
      columns,
      lists,
      out: out.address,
      outPitch: out.pitch,
      stack: NONE,
      relu: relu ? 1 : 0,
    });
    kernels.gemmInPlace4x8({
      rows: images,
      columns,
      a: input.address,
      aOffsets: offsets,
      segments: 1,
      segmentTable: segment,
      b: weights.address,
      pitch: weights.pitch,
      bias,
      out: dense.address,
      outOffsets,
      relu: relu ? 1 : 0,
    });
  });
  const written = harness.words(lists, expectedLists.length);
  return { terms, lists: written, expectedLists, values: out.read(), dense: dense.read() };
}

function sumGradients(
  harness: KernelHarness,
  width: Width,
  given: GradientsCase,
  big: Float32Array,
): Product {
  harness.reset();
  const { rows, offset, shards, gap, more, seed } = given;
  const columns = width + more;
  const count = total(shards);
  const left = place(harness, big, rows, gap, offset);
  const right = place(harness, sampleFloats(seed + 2, count * columns), columns, gap);
  const first = shards.map((_, i) => total(shards.slice(0, i)));
  const table = harness.u32(
    shards.flatMap((n, i) => [
      left.address + first[i]! * left.pitch,
      right.address + first[i]! * right.pitch,
      n * right.pitch,
    ]),
  );
  const zeros = harness.input(new Float32Array(columns));
  const expectedLists = Uint32Array.from(gradientLists(big, rows, shards, right, zeros).flat());
  const lists = harness.output(gradientListBytes(rows, shards.length, count));
  const stack = placeStack(harness, width, shards.length);
  const out = placeOutput(harness, rows, columns, gap);
  const dense = harness.output(rows * columns * 4);
  const denseStack = harness.output((Math.ceil(Math.log2(shards.length)) + 1) * 32 * 4);
  let terms = 0;
  harness.run((kernels) => {
    const operands = {
      rows,
      bigOffset: offset * 4,
      shards: shards.length,
      table,
      bigPitch: left.pitch,
      smallPitch: right.pitch,
      zeros,
    };
    terms = kernels.listGradients({ ...operands, lists, share: given.share });
    if (terms < 0) return;
    sum(
      kernels,
      width,
    )({
      rows,
      columns,
      lists,
      out: out.address,
      outPitch: out.pitch,
      stack,
      relu: 0,
    });
    kernels.treeGradient4x8({ ...operands, columns, gradient: dense, stack: denseStack });
  });
  const written = harness.words(lists, expectedLists.length);
  return {
    terms,
    lists: written,
    expectedLists,
    values: out.read(),
    dense: harness.floats(dense, rows * columns),
  };
}

function sum(kernels: Kernels, width: Width) {
  return kernels[`sumRows${width}`];
}

/**
 * Terms of all rows, or −1 where those of the first few are more than `share` of their `columns` floats; in
 * float32, as the kernels count.
 */
function expectedTerms(rows: readonly Float32Array[], { share }: Layout): number {
  let terms = 0;
  for (const [i, row] of rows.entries()) {
    terms += countNonzeros(row);
    if (terms > Math.fround(Math.fround(share) * (i + 1) * row.length)) return -1;
  }
  return terms;
}

function assertRight(product: Product, rows: readonly Float32Array[], given: Layout, width: Width): void {
  const what = `${width} columns of ${JSON.stringify(given)}`;
  assert.equal(product.terms, expectedTerms(rows, given), what);
  if (product.terms < 0) return;
  assert.deepEqual(product.lists, product.expectedLists, what);
  assertSameBits(unsignedZeros(product.values), unsignedZeros(product.dense), what);
}

function unsignedZeros(values: Float32Array): Float32Array {
  return values.map((value) => value + 0);
}

function rowsOf(x: Float32Array, columns: number): Float32Array[] {
  return Array.from({ length: x.length / columns }, (_, row) =>
    x.subarray(row * columns, (row + 1) * columns),
  );
}

function columnsOf(x: Float32Array, columns: number): Float32Array[] {
  return Array.from({ length: columns }, (_, column) => x.filter((_, i) => i % columns === column));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function inputsOf({ images, inputs, density, seed }: InputsCase): Float32Array {
  return thinned(sampleFloats(seed, images * inputs), density, seed + 1);
}

function gradientsOf({ rows, shards, density, seed }: GradientsCase): Float32Array {
  return thinned(sampleFloats(seed, total(shards) * rows), density, seed + 1);
}

for (const { arithmetic, skip } of modes) {
  describe(`${arithmetic}: products by lists of nonzeros`, { skip }, () => {
    const harness = new KernelHarness(4 * MEBIBYTE, arithmetic);

    for (const width of LIST_WIDTHS) {
      test(`rows of data, ${width} columns at a time: the documented lists, and the bits of gemmInPlace`, () => {
        fc.assert(
          fc.property(inputsCases, (given) => {
            const x = inputsOf(given);
            assertRight(sumInputs(harness, width, given, x), rowsOf(x, given.inputs), given, width);
          }),
        );
      });

      test(`rows of data, ${width} columns at a time, listed whatever their share`, () => {
        fc.assert(
          fc.property(inputsCases, (any) => {
            const given = { ...any, share: 1 };
            const x = inputsOf(given);
            assertRight(sumInputs(harness, width, given, x), rowsOf(x, given.inputs), given, width);
          }),
        );
      });

      test(`gradients, ${width} columns at a time: the documented lists, and the bits of treeGradient`, () => {
        fc.assert(
          fc.property(gradientsCases, (given) => {
            const x = gradientsOf(given);
            assertRight(sumGradients(harness, width, given, x), columnsOf(x, given.rows), given, width);
          }),
        );
      });

      test(`gradients, ${width} columns at a time, listed whatever their share`, () => {
        fc.assert(
          fc.property(gradientsCases, (any) => {
            const given = { ...any, share: 1 };
            const x = gradientsOf(given);
            assertRight(sumGradients(harness, width, given, x), columnsOf(x, given.rows), given, width);
          }),
        );
      });

      test(`${width} columns at a time: every number of shards to 33`, () => {
        for (let n = 1; n <= 33; n++) {
          for (const density of [0.2, 1]) {
            const shards = Array.from({ length: n }, (_, i) => (i * 7) % 4);
            const given = { ...plain, rows: 3, offset: 1, shards, density, seed: n };
            const x = gradientsOf(given);
            assertRight(sumGradients(harness, width, given, x), columnsOf(x, given.rows), given, width);
          }
        }
      });
    }
  });
}

const harness = new KernelHarness(MEBIBYTE);

const plain: Layout = { more: 7, gap: 2, density: 1, share: 1, seed: 5 };

/** More than two blocks of sixteen. */
const row: InputsCase = { ...plain, images: 1, inputs: 37, relu: false };

const column: GradientsCase = { ...plain, rows: 1, offset: 2, shards: [3, 0, 4] };

describe('lists of nonzeros', () => {
  test('black images give the bias, with a ReLU what is positive of it', () => {
    for (const relu of [false, true]) {
      const given = { ...row, images: 3, relu };
      const { terms, values } = sumInputs(harness, 40, given, new Float32Array(3 * 37));
      assert.equal(terms, 0);
      const bias = sampleFloats(given.seed + 3, 47).map((b) => (relu && b < 0 ? 0 : b));
      for (const image of rowsOf(values, 47)) assertSameBits(image, bias, `ReLU: ${relu}`);
    }
  });

  test('rows without terms give zeros, with examples and without', () => {
    for (const shards of [[3, 0, 4], [0, 0, 0], [0]]) {
      const given = { ...column, rows: 3, shards };
      const { terms, values } = sumGradients(harness, 40, given, new Float32Array(3 * total(shards)));
      assert.equal(terms, 0);
      assertSameBits(values, new Float32Array(3 * 47), `shards ${shards}`);
    }
  });

  const notZero = [1, -1, fromBits(1), fromBits(0x80000001), Infinity, -Infinity, Number.NaN];

  test('in every place: what is not zero is a term, subnormal numbers and NaN too; −0 is none', () => {
    for (let place = 0; place < 37; place++) {
      for (const value of notZero) {
        const x = new Float32Array(37).fill(-0);
        x[place] = value;
        const { terms, lists, expectedLists } = sumInputs(harness, 40, row, x);
        assert.equal(terms, 1, `${value} in place ${place}`);
        assert.deepEqual(lists, expectedLists, `${value} in place ${place}`);
      }
    }
    for (let place = 0; place < 7; place++) {
      for (const value of notZero) {
        const x = new Float32Array(7).fill(-0);
        x[place] = value;
        const { terms, lists, expectedLists } = sumGradients(harness, 40, column, x);
        assert.equal(terms, 1, `${value} in place ${place}`);
        assert.deepEqual(lists, expectedLists, `${value} in place ${place}`);
      }
    }
  });

  test('NaN shows in the sums, behind a ReLU too', () => {
    const x = new Float32Array(37);
    x[20] = Number.NaN;
    for (const relu of [false, true]) {
      const { values } = sumInputs(harness, 40, { ...row, relu }, x);
      assert.ok(values.every(Number.isNaN));
    }
    const { values } = sumGradients(
      harness,
      40,
      column,
      Float32Array.from({ length: 7 }, (_, i) => (i === 5 ? Number.NaN : 0)),
    );
    assert.ok(values.every(Number.isNaN));
  });

  /** Lists two images, or the gradients from sixteen examples, with so many nonzeros in each. */
  function listed(share: number, counts: readonly [number, number]): readonly [number, number] {
    const x = new Float32Array(32).map((_, i) => (i % 16 < counts[i >> 4]! ? 1 : 0));
    const transposed = x.map((_, i) => x[(i % 2) * 16 + (i >> 1)]!);
    const inputs = sumInputs(harness, 40, { ...row, images: 2, inputs: 16, share }, x);
    const gradients = sumGradients(harness, 40, { ...column, rows: 2, shards: [7, 9], share }, transposed);
    return [inputs.terms, gradients.terms];
  }

  test('−1 as soon as more than the share is not zero', () => {
    assert.deepEqual(listed(0.5, [8, 8]), [16, 16], 'no more than the share');
    assert.deepEqual(listed(0.5, [8, 9]), [-1, -1], 'one more');
    assert.deepEqual(listed(0.5, [9, 0]), [-1, -1], 'more in what was seen first, not in all');
    assert.deepEqual(listed(0.5, [0, 16]), [16, 16], 'not in all, though in a row');
    assert.deepEqual(listed(1, [16, 16]), [32, 32], 'all');
    assert.deepEqual(listed(0, [0, 0]), [0, 0], 'nothing of nothing');
    assert.deepEqual(listed(0, [0, 1]), [-1, -1], 'something of nothing');
  });
});
