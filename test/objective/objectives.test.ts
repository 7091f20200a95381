import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exp, expNegative, log } from '#src/arithmetic/exponential.js';
import { OBJECTIVES, type ObjectiveName, objectiveOf } from '#src/objective/registry.js';
import { referenceWeights } from '../reference/objectives.js';

test('expNegative: within 4 · 2⁻⁵³ of itself, 0 at last', () => {
  assert.equal(expNegative(0), 1);
  assert.equal(expNegative(-746), 0);
  assert.equal(expNegative(-1e300), 0);
  assert.ok(Number.isNaN(expNegative(Number.NaN)));
  for (let i = 0; i <= 200_000; i++) {
    const x = -i * (700 / 200_000);
    const expected = Math.exp(x);
    // Math.exp itself is granted a unit in the last place, which is 2 · 2⁻⁵³.
    const error = Math.abs(expNegative(x) - expected);
    assert.ok(error <= (4 + 2) * 2 ** -53 * expected, `exp(${x}) is off by ${error / expected}`);
  }
});

test('exp: within 5 · 2⁻⁵³ of itself on both sides of 0, 0 and infinite at last', () => {
  assert.deepEqual([exp(0), exp(-1e4), exp(1e4)], [1, 0, Number.POSITIVE_INFINITY]);
  assert.ok(Number.isNaN(exp(Number.NaN)));
  for (let x = -700; x <= 700; x += 0.0137) {
    const expected = Math.exp(x);
    const error = Math.abs(exp(x) - expected);
    assert.ok(error <= (5 + 2) * 2 ** -53 * expected, `exp(${x}) is off by ${error / expected}`);
  }
});

test('log: within 2⁻⁵⁰ of max(1, |log x|), exactly 0 at 1', () => {
  assert.equal(log(1), 0);
  assert.ok(Number.isNaN(log(Number.NaN)));
  for (let i = 0; i <= 200_000; i++) {
    const x = 1e-6 * 1.0002 ** i;
    if (x > 1e9) break;
    const expected = Math.log(x);
    const error = Math.abs(log(x) - expected);
    assert.ok(error <= 2 ** -50 * Math.max(1, Math.abs(expected)), `log(${x}) is off by ${error}`);
  }
});

const rows = fc.array(fc.double({ min: -2000, max: 50, noNaN: true }), { minLength: 1, maxLength: 60 });

for (const name of Object.keys(OBJECTIVES) as ObjectiveName[]) {
  const { weigh, klEstimates } = objectiveOf(name);
  if (weigh === undefined) {
    test(`${name}: its kernels have the weights 1/K built in, and any KL`, () => {
      assert.equal(referenceWeights[name], undefined);
      assert.deepEqual(klEstimates, ['analytic', 'monteCarlo']);
    });
    continue;
  }

  test(`${name}: bound and weights are the reference's, and the weights are the bound's gradient`, () => {
    fc.assert(
      fc.property(rows, (values) => {
        const logWeights = Float64Array.from(values);
        const weights = new Float64Array(values.length);
        const bound = weigh(logWeights, weights);
        const expected = referenceWeights[name]!(logWeights);
        // Some roundings of numbers up to 2000.
        assert.ok(Math.abs(bound - expected.bound) <= 2000 * 2 ** -50, `${bound}, ${expected.bound}`);
        weights.forEach((weight, k) => {
          assert.ok(Math.abs(weight - expected.weights[k]!) <= (values.length + 16) * 2 ** -52);
        });
        const sum = weights.reduce((total, weight) => total + weight, 0);
        assert.ok(Math.abs(sum - 1) <= values.length * 2 ** -52, `the weights sum to ${sum}`);
      }),
    );
  });

  test(`${name}: the weights are the slopes of the bound, by central differences`, () => {
    const logWeights = Float64Array.of(-101.5, -100, -103, -99.25, -99.5);
    const weights = new Float64Array(5);
    weigh(logWeights, weights);
    const h = 2 ** -13;
    const none = new Float64Array(5);
    for (const [k, weight] of weights.entries()) {
      const moved = (by: number) => weigh(logWeights.with(k, logWeights[k]! + by), none);
      // h²/6 of a third derivative below 1; roundings of numbers near 100 over h.
      const slope = (moved(h) - moved(-h)) / (2 * h);
      assert.ok(Math.abs(weight - slope) <= h ** 2 / 6 + (200 * 2 ** -52) / h, `${weight}, slope ${slope}`);
    }
  });

  test(`${name}: one row is itself with weight 1, equal rows share it, NaN shows`, () => {
    const one = new Float64Array(1);
    assert.equal(weigh(Float64Array.of(-123.456), one), -123.456);
    assert.deepEqual([...one], [1]);
    const four = new Float64Array(4);
    assert.equal(weigh(new Float64Array(4).fill(-7), four), -7);
    assert.deepEqual([...four], [0.25, 0.25, 0.25, 0.25]);
    assert.ok(Number.isNaN(weigh(Float64Array.of(-1, Number.NaN), new Float64Array(2))));
    assert.ok(Number.isNaN(weigh(Float64Array.of(-Infinity, -Infinity), new Float64Array(2))));
  });
}
