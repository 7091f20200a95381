import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OBJECTIVES, type ObjectiveName, objectiveOf } from '#src/objective/registry.js';
import { referenceWeights } from '../reference/objectives.js';

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
