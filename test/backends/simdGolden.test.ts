// The simd engine's loss and gradient against PyTorch's float64 autograd (test/golden), for every model, K
// and KL.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatentModel } from '#src/inference/latentModel.js';
import { goldenPlaces } from '../golden/formula.js';
import { goldenCases, goldenInputs, goldenName } from '../golden/golden.js';
import { distance, normwiseBound, tensorDistances } from '../reference/conditioning.js';
import { referenceElbo } from '../reference/elbo.js';

for (const golden of goldenCases()) {
  test(`${goldenName(golden)}: the engine agrees with PyTorch's float64`, () => {
    const { model, parameters, x, epsilon } = goldenInputs(golden);
    const options = { ...golden.options, reduction: 'mean' } as const;
    const reference = referenceElbo(model, parameters, x, epsilon, options);
    // Ten times the spread that roundings of this size make in this very computation: derived there, not
    // tuned here.
    const bound = normwiseBound(model, parameters, x, epsilon, options, reference);
    const flat = Float32Array.from(parameters);
    const engine = new LatentModel(model, flat);
    const { samples: _, ...engineOptions } = golden.options;
    const actual = engine.elboGradients(
      flat,
      Float32Array.from(x),
      Float32Array.from(epsilon),
      engineOptions,
    );

    assert.equal(actual.gradient.length, parameters.length);
    assert.ok(
      distance(actual.logLikelihood, golden.logLikelihood) <= bound.logLikelihood,
      `log-likelihood is off by ${distance(actual.logLikelihood, golden.logLikelihood)}, bound ${bound.logLikelihood}`,
    );
    assert.ok(
      distance(actual.kl, golden.kl) <= bound.kl,
      `KL is off by ${distance(actual.kl, golden.kl)}, bound ${bound.kl}`,
    );
    const distances = tensorDistances(model, actual.gradient, reference.gradient);
    model.parameters.entries.forEach(({ name, offset, size }, tensor) => {
      const limit = bound.gradient[tensor]!;
      assert.ok(distances[tensor]! <= limit, `${name} is off by ${distances[tensor]}, bound ${limit}`);
      // PyTorch's own numbers, without our reference in between.
      goldenPlaces(size).forEach((place, i) => {
        const expected = golden.gradient[tensor]!.elements[i]! / golden.examples;
        const error = Math.abs(actual.gradient[offset + place]! - expected);
        assert.ok(error <= limit, `${name}[${place}] is off by ${error}, bound ${limit}`);
      });
    });
  });
}
