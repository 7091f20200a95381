// The reference in TypeScript against PyTorch's autograd, both in float64.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParameterEntry } from '#src/model/model.js';
import { type ElboTerms, referenceElbo } from '../reference/elbo.js';
import { goldenPlaces } from './formula.js';
import { type GoldenCase, type GoldenTensor, goldenCases, goldenInputs, goldenName } from './golden.js';

/**
 * Rounding errors of float64 are 2⁻²⁹ of float32's, and float32's are recorded: the largest relative one of
 * the case's terms and tensors. Two float64 implementations that sum in different orders may differ by a few
 * times that; 64 leaves room for a tensor that float32 met better than it could expect.
 */
function relativeTolerance(golden: GoldenCase): number {
  const errors = golden.gradient.map(({ norm, float32 }) => float32.errorNorm / norm);
  for (const term of ['logLikelihood', 'kl'] as const) {
    for (const [i, value] of golden[term].entries())
      errors.push(Math.abs(golden.float32[term][i]! / value - 1));
  }
  return 64 * 2 ** -29 * Math.max(...errors);
}

for (const golden of goldenCases()) {
  test(`${goldenName(golden)}: float64 agrees with PyTorch's`, () => {
    const { model, parameters, x, epsilon } = goldenInputs(golden);
    const reference = referenceElbo(model, parameters, x, epsilon, golden.options);
    const tolerance = relativeTolerance(golden);
    assert.ok(tolerance < 1e-11, `a tolerance of ${tolerance} would notice too little`);
    assertTerms(golden, reference, tolerance);
    assert.deepEqual(
      model.parameters.entries.map(({ name, shape }) => ({ name, shape })),
      golden.gradient.map(({ name, shape }) => ({ name, shape })),
    );
    for (const [index, entry] of model.parameters.entries.entries()) {
      assertTensor(golden.gradient[index]!, entry, reference.gradient, tolerance);
    }
  });
}

function assertTerms(golden: GoldenCase, reference: ElboTerms, tolerance: number): void {
  for (const term of ['logLikelihood', 'kl'] as const) {
    assert.equal(reference[term].length, golden.examples);
    for (const [i, expected] of golden[term].entries()) {
      assertNear(reference[term][i]!, expected, tolerance * Math.abs(expected), `${term} of example ${i}`);
    }
  }
}

function assertTensor(
  golden: GoldenTensor,
  { offset, size }: ParameterEntry,
  gradient: Float64Array,
  tolerance: number,
): void {
  const g = gradient.subarray(offset, offset + size);
  const { name, norm } = golden;
  // No element is further off than the whole; a sum may be √size times further (Cauchy and Schwarz).
  assertNear(Math.sqrt(g.reduce((sum, v) => sum + v * v, 0)), norm, tolerance * norm, `norm of ${name}`);
  assertNear(
    g.reduce((sum, v) => sum + v, 0),
    golden.sum,
    Math.sqrt(size) * tolerance * norm,
    `sum of ${name}`,
  );
  for (const [j, place] of goldenPlaces(size).entries()) {
    assertNear(g[place]!, golden.elements[j]!, tolerance * norm, `${name}[${place}]`);
  }
}

function assertNear(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${what} is ${actual}, expected ${expected} ± ${tolerance}`,
  );
}
