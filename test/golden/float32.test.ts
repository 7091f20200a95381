// The error bounds against a float32 implementation that knows nothing of them: PyTorch's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normwiseBound } from '../reference/conditioning.js';
import { boundedElbo } from '../reference/errorBound.js';
import { goldenPlaces } from './formula.js';
import { type GoldenCase, goldenCases, goldenInputs, goldenName } from './golden.js';

const oneSample = goldenCases().filter(({ options }) => options.samples === 1);

for (const golden of oneSample.filter(({ gain }) => gain === 1)) {
  test(`${goldenName(golden)}: PyTorch's float32 stays within the elementwise bounds`, () => {
    const { model, parameters, x, epsilon } = goldenInputs(golden);
    const { bound } = boundedElbo(model, parameters, x, epsilon, golden.options);
    for (const term of ['logLikelihood', 'kl'] as const) {
      for (const [i, expected] of golden[term].entries()) {
        const error = Math.abs(golden.float32[term][i]! - expected);
        assert.ok(error <= bound[term][i]!, `${term} of example ${i} is off by ${error}`);
      }
    }
    for (const [index, { name, offset, size }] of model.parameters.entries.entries()) {
      const { elements, float32 } = golden.gradient[index]!;
      for (const [j, place] of goldenPlaces(size).entries()) {
        const error = Math.abs(float32.elements[j]! - elements[j]!);
        const allowed = bound.gradient[offset + place]!;
        assert.ok(error <= allowed, `${name}[${place}] is off by ${error}, bound ${allowed}`);
      }
    }
  });
}

// One case of cvae, which takes longer than all others together.
const drawn = oneSample.filter(
  ({ model, options, gain }) => options.kl === 'monteCarlo' && (model !== 'cvae' || gain === 1),
);

for (const golden of drawn) {
  test(`${goldenName(golden)}: PyTorch's float32 stays within the normwise bounds`, () => {
    const { model, parameters, x, epsilon } = goldenInputs(golden);
    const { value } = boundedElbo(model, parameters, x, epsilon, golden.options);
    const bound = normwiseBound(model, parameters, x, epsilon, golden.options, value);
    for (const term of ['logLikelihood', 'kl'] as const) {
      const error = Math.hypot(...golden[term].map((expected, i) => golden.float32[term][i]! - expected));
      assert.ok(error <= bound[term], `${term} is off by ${error}, bound ${bound[term]}`);
    }
    for (const [index, { name, norm, float32 }] of golden.gradient.entries()) {
      const allowed = bound.gradient[index]!;
      assert.ok(float32.errorNorm <= allowed, `${name} is off by ${float32.errorNorm}, bound ${allowed}`);
      assertTelling(golden, name, allowed / norm);
    }
  });
}

/**
 * A bound near the gradient's own size would let a wrong gradient pass. One per cent is what separates a
 * rounding error from, say, a sum that leaves out one of cvae's 49 to 784 pixels a map; the wide weights may
 * cost more.
 */
function assertTelling(golden: GoldenCase, name: string, relative: number): void {
  const enough = golden.gain === 1 ? 1e-2 : 1e-1;
  assert.ok(relative < enough, `the bound of ${name} is ${relative} of its gradient`);
}
