// The bounds of the whole loss: the pass that computes them is the reference's, and the normwise ones are
// sharp.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance, normwiseBound, tensorDistances } from './conditioning.js';
import { referenceElbo } from './elbo.js';
import { boundedElbo } from './errorBound.js';
import { float64 } from './rounding.js';
import { drawInputs, smallModels } from './smallModels.js';

const optionSets = [
  { samples: 2, kl: 'analytic', beta: 0.5 },
  { samples: 2, kl: 'monteCarlo', beta: 2, reduction: 'mean' },
] as const;

for (const model of smallModels) {
  for (const options of optionSets) {
    test(`${model.name}, ${options.kl} KL: the bounded pass computes what the reference computes`, () => {
      const { parameters, x, epsilon } = drawInputs(model, 2, 2, 41);
      const reference = referenceElbo(model, parameters, x, epsilon, options);
      const analysis = { arithmetic: float64, carry: <T>(result: T) => result };
      const { value, bound } = boundedElbo(model, parameters, x, epsilon, options, analysis);
      for (const term of ['logLikelihood', 'kl', 'gradient'] as const) {
        for (const [i, expected] of reference[term].entries()) {
          // Both are float64 implementations of the same numbers.
          assert.ok(Math.abs(value[term][i]! - expected) <= 2 * bound[term][i]!, `${term}[${i}]`);
        }
      }
    });

    test(`${model.name}, ${options.kl} KL: the normwise bound takes float32 for right, and β + 0.1 % for wrong`, () => {
      const { parameters, x, epsilon } = drawInputs(model, 2, 2, 41);
      const reference = referenceElbo(model, parameters, x, epsilon, options);
      const bound = normwiseBound(model, parameters, x, epsilon, options, reference);
      const single = tensorDistances(model, reference.gradient.map(Math.fround), reference.gradient);
      const beta = options.beta * 1.001;
      const other = referenceElbo(model, parameters, x, epsilon, { ...options, beta });
      const wrong = tensorDistances(model, other.gradient, reference.gradient);
      for (const [i, { name }] of model.parameters.entries.entries()) {
        assert.ok(single[i]! <= bound.gradient[i]!, `${name}: ${single[i]} beyond ${bound.gradient[i]}`);
        if (!name.startsWith('encoder/')) continue;
        assert.ok(wrong[i]! > bound.gradient[i]!, `${name}: ${wrong[i]} within ${bound.gradient[i]}`);
      }
      assert.ok(distance(reference.kl.map(Math.fround), reference.kl) <= bound.kl);
      assert.ok(
        distance(
          reference.kl.map((kl) => kl * 1.001),
          reference.kl,
        ) > bound.kl,
      );
    });
  }
}
