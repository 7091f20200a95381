import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TILE_NAMES } from '#src/kernels/tiles/tile.js';
import { type ArithmeticMode, modes } from './arithmeticMode.js';
import {
  exactGemm,
  fourLaneGemm,
  type GemmCase,
  type GemmName,
  type Operands,
  operands,
  runGemm,
  sequentialGemm,
} from './gemmCase.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

/** Kernels that must give the same bits, those of a scalar loop. */
interface Family {
  readonly name: string;
  readonly kernels: readonly GemmName[];
  readonly bits: typeof sequentialGemm;
  /** Rows and columns below, at and above every tile, and its multiples. */
  readonly rows: number;
  readonly columns: number;
}

const families: readonly Family[] = [
  {
    name: 'tiles',
    kernels: TILE_NAMES.map((name) => `gemm${name}` as const),
    bits: sequentialGemm,
    rows: 13,
    columns: 33,
  },
  { name: 'gemmDot4', kernels: ['gemmDot4'], bits: fourLaneGemm, rows: 17, columns: 5 },
];

/** The fused mode rounds less often: the same bound. */
function assertWithinBound(result: Float32Array, gemm: GemmCase, given: Operands): void {
  const { value, bound } = exactGemm(gemm, given);
  for (let i = 0; i < result.length; i++) {
    const error = Math.abs(result[i]! - value[i]!);
    assert.ok(
      error <= bound[i]!,
      `${JSON.stringify(gemm)}: element ${i} is off by ${error}, bound ${bound[i]}`,
    );
  }
}

interface Subject extends Family {
  readonly mode: ArithmeticMode;
  readonly harness: KernelHarness;
}

function assertRight({ mode, harness, kernels, bits }: Subject, gemm: GemmCase): void {
  const given = operands(gemm);
  const expected = bits(mode, gemm, given);
  for (const kernel of kernels) {
    const result = runGemm(harness, kernel, gemm, given);
    assertSameBits(result, expected, `${kernel} of ${JSON.stringify(gemm)}`);
  }
  assertWithinBound(expected, gemm, given);
}

function testShapes(subject: Subject): void {
  const { rows: mostRows, columns: mostColumns } = subject;

  test('every number of rows and columns below, at and above the tile', () => {
    for (let rows = 1; rows <= mostRows; rows++) {
      for (let columns = 1; columns <= mostColumns; columns++) {
        const seed = 100 * rows + columns;
        assertRight(subject, { rows, columns, segments: [3, 5], bias: true, relu: false, seed });
        assertRight(subject, { rows, columns, segments: [4], bias: false, relu: true, seed });
      }
    }
  });

  test('every depth, in one segment, two and three', () => {
    for (let depth = 1; depth <= 33; depth++) {
      for (const segments of [[depth], [depth, 34 - depth], [1, depth, 2]]) {
        assertRight(subject, { rows: 7, columns: 18, segments, bias: true, relu: false, seed: depth });
      }
    }
  });

  test('any shape', () => {
    const gemms: fc.Arbitrary<GemmCase> = fc.record({
      rows: fc.integer({ min: 1, max: mostRows }),
      columns: fc.integer({ min: 1, max: mostColumns }),
      segments: fc.array(fc.integer({ min: 1, max: 33 }), { maxLength: 3 }),
      bias: fc.boolean(),
      relu: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(fc.property(gemms, (gemm) => assertRight(subject, gemm)));
  });

  test('B where it stands: every number of columns, poison behind its rows', () => {
    for (let columns = 1; columns <= mostColumns; columns++) {
      for (const inPlace of [false, true]) {
        const gemm = { rows: 7, columns, segments: [3, 5], bias: true, relu: false, seed: columns };
        assertRight(subject, { ...gemm, inPlace });
      }
    }
  });

  test('without a segment the result is the bias, or 0', () => {
    for (const bias of [false, true]) {
      assertRight(subject, { rows: 5, columns: 9, segments: [], bias, relu: false, seed: 1 });
    }
  });
}

function testRows({ harness }: Subject, kernel: GemmName): void {
  test(`${kernel}: a NaN stays in its row, through ReLU too`, () => {
    for (const relu of [false, true]) {
      const gemm: GemmCase = { rows: 7, columns: 9, segments: [3, 6], bias: true, relu, seed: 8 };
      const given = operands(gemm);
      given.a[4 * 9 + 7] = Number.NaN;
      const result = runGemm(harness, kernel, gemm, given);
      result.forEach((value, i) => {
        assert.equal(Number.isNaN(value), Math.floor(i / 9) === 4, `element ${i} is ${value}`);
      });
    }
  });

  test(`${kernel}: a row's bits do not depend on its place in a tile or on its neighbours`, () => {
    const gemm: GemmCase = { rows: 13, columns: 17, segments: [7, 6], bias: true, relu: false, seed: 5 };
    const given = operands(gemm);
    const together = runGemm(harness, kernel, gemm, given);
    for (let row = 0; row < gemm.rows; row++) {
      const a = given.a.slice(row * 13, (row + 1) * 13);
      const alone = runGemm(harness, kernel, { ...gemm, rows: 1 }, { ...given, a });
      assertSameBits(alone, together.subarray(row * 17, (row + 1) * 17), `row ${row}`);
    }
  });
}

for (const mode of modes) {
  for (const family of families) {
    describe(`${mode.arithmetic} ${family.name}`, { skip: mode.skip }, () => {
      const subject = { ...family, mode, harness: new KernelHarness(undefined, mode.arithmetic) };
      testShapes(subject);
      for (const kernel of family.kernels) testRows(subject, kernel);
    });
  }
}
