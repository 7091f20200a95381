import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exactGemm, fourLaneGemm, type GemmCase, operands, runGemm, sequentialGemm } from './gemmCase.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();

const kernels = [
  { kernel: 'gemm4x8', bits: sequentialGemm },
  { kernel: 'gemmDot4', bits: fourLaneGemm },
] as const;

function assertRight({ kernel, bits }: (typeof kernels)[number], gemm: GemmCase): void {
  const given = operands(gemm);
  const result = runGemm(harness, kernel, gemm, given);
  const what = `${kernel} of ${JSON.stringify(gemm)}`;
  assertSameBits(result, bits(gemm, given), what);
  const { value, bound } = exactGemm(gemm, given);
  for (let i = 0; i < result.length; i++) {
    const error = Math.abs(result[i]! - value[i]!);
    assert.ok(error <= bound[i]!, `${what}: element ${i} is off by ${error}, bound ${bound[i]}`);
  }
}

for (const variant of kernels) {
  const { kernel } = variant;

  test(`${kernel}: every number of rows and columns below, at and above the tile`, () => {
    for (let rows = 1; rows <= 9; rows++) {
      for (let columns = 1; columns <= 17; columns++) {
        const seed = 100 * rows + columns;
        assertRight(variant, { rows, columns, segments: [3, 5], bias: true, relu: false, seed });
        assertRight(variant, { rows, columns, segments: [4], bias: false, relu: true, seed });
      }
    }
  });

  test(`${kernel}: every depth, in one segment, two and three`, () => {
    for (let depth = 1; depth <= 33; depth++) {
      for (const segments of [[depth], [depth, 34 - depth], [1, depth, 2]]) {
        assertRight(variant, { rows: 5, columns: 9, segments, bias: true, relu: false, seed: depth });
      }
    }
  });

  test(`${kernel}: any shape`, () => {
    const gemms: fc.Arbitrary<GemmCase> = fc.record({
      rows: fc.integer({ min: 1, max: 9 }),
      columns: fc.integer({ min: 1, max: 17 }),
      segments: fc.array(fc.integer({ min: 1, max: 33 }), { maxLength: 3 }),
      bias: fc.boolean(),
      relu: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(fc.property(gemms, (gemm) => assertRight(variant, gemm)));
  });

  test(`${kernel}: without a segment the result is the bias, or 0`, () => {
    for (const bias of [false, true]) {
      assertRight(variant, { rows: 5, columns: 9, segments: [], bias, relu: false, seed: 1 });
    }
  });

  test(`${kernel}: a NaN stays in its row, through ReLU too`, () => {
    for (const relu of [false, true]) {
      const gemm: GemmCase = { rows: 6, columns: 9, segments: [3, 6], bias: true, relu, seed: 8 };
      const given = operands(gemm);
      given.a[4 * 9 + 7] = Number.NaN;
      const result = runGemm(harness, kernel, gemm, given);
      result.forEach((value, i) => {
        assert.equal(Number.isNaN(value), Math.floor(i / 9) === 4, `element ${i} is ${value}`);
      });
    }
  });

  test(`${kernel}: a row's bits do not depend on its place in a tile or on its neighbours`, () => {
    const gemm: GemmCase = { rows: 9, columns: 17, segments: [7, 6], bias: true, relu: false, seed: 5 };
    const given = operands(gemm);
    const together = runGemm(harness, kernel, gemm, given);
    for (let row = 0; row < gemm.rows; row++) {
      const a = given.a.slice(row * 13, (row + 1) * 13);
      const alone = runGemm(harness, kernel, { ...gemm, rows: 1 }, { ...given, a });
      assertSameBits(alone, together.subarray(row * 17, (row + 1) * 17), `row ${row}`);
    }
  });
}
