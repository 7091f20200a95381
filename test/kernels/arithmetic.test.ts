import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Kernels } from '#src/kernels/kernels.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { modes, noFusing } from './arithmeticMode.js';
import { EveryKernel, kernelNames } from './everyKernel.js';
import { fusedMultiplyAdd, multiplyAdd } from './float32.js';

/** Kernels whose sums of products the mode decides; no other may depend on it. */
function multipliesAndAdds(name: keyof Kernels): boolean {
  return /^gemm|^filterGradient|^treeGradient|^sumRows|^depthwise|^volume|Probe$/.test(name);
}

for (const { arithmetic, skip } of modes) {
  test(`${arithmetic}: the module exports the kernels of the interface, no more`, { skip }, () => {
    const { kernels } = new EveryKernel(compileKernels(arithmetic));
    assert.deepEqual(Object.keys(kernels).sort(), [...kernelNames].sort());
  });
}

test('the modes differ in sums of products, and in nothing else', { skip: noFusing }, () => {
  const portable = new EveryKernel(compileKernels('portable'));
  const fused = new EveryKernel(compileKernels('fused'));
  for (const name of kernelNames) {
    const differs = portable.digest(name) !== fused.digest(name);
    assert.equal(differs, multipliesAndAdds(name), `${name} gives ${differs ? 'other' : 'the same'} bits`);
  }
});

/** Any float32 number, of any size. */
const float = fc.float({ noNaN: true, noDefaultInfinity: true });

/**
 * Sums that a second rounding would spoil: c has 24 bits, and a · b is almost half of its last place, by so
 * little that float64 rounds to the half.
 */
const nearTie = fc
  .record({
    m: fc.integer({ min: 2 ** 23, max: 2 ** 24 - 1 }),
    j: fc.integer({ min: 1, max: 2 ** 8 }),
    exponent: fc.integer({ min: -40, max: 40 }),
    signs: fc.tuple(fc.constantFrom(1, -1), fc.constantFrom(1, -1)),
  })
  .map(({ m, j, exponent, signs }) => [
    signs[0] * 2 ** (exponent - 1) * (1 + j * 2 ** -23),
    1 - j * 2 ** -23,
    signs[1] * m * 2 ** exponent,
  ]);

const cancelling = fc.tuple(float, float).map(([a, b]) => [a, b, -Math.fround(a * b)]);

const terms = fc.oneof(fc.tuple(float, float, float), nearTie, cancelling);

for (const { arithmetic, multiplyAdd: reference, skip } of modes) {
  test(`${arithmetic}: a multiply-add of any numbers has the reference's bits`, { skip }, () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const { multiplyAddProbe } = bindKernels(compileKernels(arithmetic), memory);
    const property = fc.property(terms, ([a, b, c]) => {
      const result = multiplyAddProbe(a!, b!, c!);
      assert.ok(Object.is(result, reference(a!, b!, c!)), `${a} · ${b} + ${c} gave ${result}`);
    });
    fc.assert(property, { numRuns: 20_000 });
  });
}

test('the references: one rounding, two, and what float64 would make of one', () => {
  const x = 1 + 2 ** -12;
  assert.equal(fusedMultiplyAdd(x, x, -(1 + 2 ** -11)), 2 ** -24);
  assert.equal(multiplyAdd(x, x, -(1 + 2 ** -11)), 0);
  // 2³⁰ + 192 − 2⁻³⁴ lies below the tie of 2³⁰ + 128 and 2³⁰ + 256, but float64 rounds it to the tie.
  const [a, b, c] = [64 * (1 + 2 ** -20), 1 - 2 ** -20, 2 ** 30 + 128] as const;
  assert.equal(Math.fround(a * b + c), 2 ** 30 + 256);
  assert.equal(fusedMultiplyAdd(a, b, c), 2 ** 30 + 128);
  assert.equal(fusedMultiplyAdd(a, b, 2 ** 30), 2 ** 30);
  assert.ok(Object.is(fusedMultiplyAdd(-0, 1, -0), -0) && Object.is(fusedMultiplyAdd(-0, 1, 0), 0));
  assert.equal(fusedMultiplyAdd(2 ** 127, 2, -Infinity), -Infinity);
});
