// The gradient of the whole loss against its differences in every parameter, and the loss terms' own
// identities.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Model } from '#src/model/model.js';
import { bernoulliLogLikelihood, sigmoid, softplus } from './bernoulli.js';
import { type ElboOptions, referenceElbo, referenceObjective } from './elbo.js';
import { boundedElbo } from './errorBound.js';
import { klAnalytic, klMonteCarlo, reparameterise } from './gaussian.js';
import { gaussianLogLikelihood } from './gaussianLikelihood.js';
import { float64 } from './rounding.js';
import { draw, drawInputs, smallModels } from './smallModels.js';

const examples = 2;

const optionSets: readonly ElboOptions[] = (['analytic', 'monteCarlo'] as const).flatMap((kl) => [
  { samples: 1, kl, beta: 1 },
  { samples: 3, kl, beta: 0.5 },
  { samples: 3, kl, beta: 2, reduction: 'mean' as const },
]);

const gaussian = { name: 'gaussian', values: { sigma: 0.4 } } as const;

const seamSets: readonly ElboOptions[] = [
  { samples: 2, kl: 'analytic', beta: 1, likelihood: gaussian },
  { samples: 1, kl: 'monteCarlo', beta: 0.5, objective: 'iwae' },
  { samples: 4, kl: 'monteCarlo', beta: 1, objective: 'iwae' },
  { samples: 3, kl: 'monteCarlo', beta: 0.5, objective: 'iwae', reduction: 'mean', likelihood: gaussian },
];

function optionsTitle(options: ElboOptions): string {
  const { samples, kl, beta, reduction = 'sum', objective = 'elbo', likelihood } = options;
  return `${objective}, ${likelihood?.name ?? 'bernoulli'}, K = ${samples}, ${kl} KL, β = ${beta}, ${reduction}`;
}

/** The scalar whose gradient referenceElbo returns, with its own sign and weights. */
function loss(objective: Float64Array, { reduction }: ElboOptions): number {
  const sum = objective.reduce((total, value) => total - value, 0);
  return reduction === 'mean' ? sum / objective.length : sum;
}

/**
 * A central difference D(h) errs by h²/6·f‴, of which D(2h) has four times as much, so by a third of |D(2h) −
 * D(h)|, and by at most B/h, where B bounds the rounding errors of the two losses. h ≈ cbrt(ε) balances the
 * two.
 */
function assertIsGradient(model: Model, options: ElboOptions): void {
  const { parameters, x, epsilon } = drawInputs(model, examples, options.samples, 11);
  const { gradient } = referenceElbo(model, parameters, x, epsilon, options);
  const analysis = { arithmetic: float64, carry: <T>(result: T) => result };
  const { bound } = boundedElbo(model, parameters, x, epsilon, options, analysis);
  const sum = bound.objective.reduce((total, b) => total + b, 0);
  const rounding = options.reduction === 'mean' ? sum / examples : sum;
  const h = 2 ** -17;
  const f = (parameter: number, shift: number) => {
    const moved = Float64Array.from(parameters);
    moved[parameter]! += shift;
    return loss(referenceObjective(model, moved, x, epsilon, options), options);
  };
  const largest = gradient.reduce((a, g) => Math.max(a, Math.abs(g)), 0);
  for (const { name, offset, size } of model.parameters.entries) {
    for (let parameter = offset; parameter < offset + size; parameter++) {
      const difference = (f(parameter, h) - f(parameter, -h)) / (2 * h);
      const wider = (f(parameter, 2 * h) - f(parameter, -2 * h)) / (4 * h);
      const tolerance = Math.abs(wider - difference) + (2 * rounding) / h;
      const place = `${name}[${parameter - offset}]`;
      // A relu that turns within 2h shows as a jump between the two differences; the draws were chosen
      // without one.
      assert.ok(tolerance < 1e-5 * largest, `${place}: a tolerance of ${tolerance} would notice too little`);
      const error = Math.abs(gradient[parameter]! - difference);
      assert.ok(
        error <= tolerance,
        `${place} is ${gradient[parameter]}, expected ${difference} ± ${tolerance}`,
      );
    }
  }
}

for (const model of smallModels) {
  for (const options of [...optionSets, ...seamSets]) {
    test(`${model.name}, ${optionsTitle(options)}: the gradient is the central difference`, () => {
      assertIsGradient(model, options);
    });
  }
}

test('softplus and sigmoid keep their accuracy where exp overflows or vanishes', () => {
  assert.equal(softplus(0), Math.LN2);
  assert.equal(softplus(1000), 1000);
  assert.equal(softplus(-1000), 0);
  // log1p(e) = e − e²/2 + …: 2⁻⁵⁷ of e beside e = exp(−40).
  assert.equal(softplus(-40), Math.exp(-40));
  assert.equal(sigmoid(0), 0.5);
  assert.equal(sigmoid(1000), 1);
  assert.equal(sigmoid(-40), Math.exp(-40));
});

test('the log-likelihood of certain pixels is 0, of even ones −log 2 each', () => {
  const x = Float64Array.of(1, 0);
  assert.deepEqual([...bernoulliLogLikelihood(Float64Array.of(1000, -1000), x, 1, 2)], [0]);
  assert.deepEqual([...bernoulliLogLikelihood(new Float64Array(4), x, 2, 2)], [-2 * Math.LN2, -2 * Math.LN2]);
});

test('the KL of the prior to itself is 0, analytic and sampled', () => {
  const posterior = new Float64Array(6); // μ = 0, logvar = 0, d = 3
  const epsilon = draw(2 * 3, 21, 2);
  const z = reparameterise(posterior, epsilon, 2, 3);
  assert.deepEqual([...z], [...epsilon]);
  assert.deepEqual([...klAnalytic(posterior, 3)], [0]);
  assert.deepEqual([...klMonteCarlo(posterior, epsilon, z, 2, 3)], [0]);
});

test('the sampled KL has the analytic KL as its mean', () => {
  // ε over a grid of normal quantiles stands for the expectation. The sampled KL is quadratic in ε, so all
  // that matters is that mean and third moment of ε are 0 and its variance is 1: ±1 with equal weights has
  // them.
  const posterior = Float64Array.of(0.7, -0.4, 0.3, -1.1); // d = 2
  const epsilon = Float64Array.of(1, 1, 1, -1, -1, 1, -1, -1); // K = 4
  const z = reparameterise(posterior, epsilon, 4, 2);
  const [sampled] = klMonteCarlo(posterior, epsilon, z, 4, 2);
  const [analytic] = klAnalytic(posterior, 2);
  // Some 40 operations on numbers below 3.
  assert.ok(Math.abs(sampled! - analytic!) < 40 * 3 * 2 ** -52, `${sampled} and ${analytic}`);
});

test('inputs of the wrong length are refused in words', () => {
  const model = smallModels[1]!;
  const { parameters, x, epsilon } = drawInputs(model, 2, 1, 31);
  const options = { samples: 1, kl: 'analytic', beta: 1 } as const;
  assert.throws(
    () => referenceElbo(model, parameters, x.subarray(1), epsilon, options),
    /whole examples of 6/,
  );
  assert.throws(
    () => referenceElbo(model, parameters.subarray(1), x, epsilon, options),
    /has 153 parameters/,
  );
  assert.throws(
    () => referenceElbo(model, parameters, x, epsilon, { ...options, samples: 2 }),
    /epsilon must be \[2, 2, 3\], which is 12 numbers, but 6 were given/,
  );
});

test('the importance-weighted bound of one sample is the ELBO with the sampled KL, its gradient too', () => {
  for (const model of smallModels) {
    const { parameters, x, epsilon } = drawInputs(model, 3, 1, 61);
    const options = { samples: 1, kl: 'monteCarlo', beta: 0.7 } as const;
    const elbo = referenceElbo(model, parameters, x, epsilon, options);
    const iwae = referenceElbo(model, parameters, x, epsilon, { ...options, objective: 'iwae' });
    const near = (a: number, b: number) => Math.abs(a - b) <= 2 ** -48 * (1 + Math.abs(a));
    assert.ok(iwae.objective.every((value, i) => near(value, elbo.objective[i]!)));
    assert.ok(iwae.gradient.every((value, i) => near(value, elbo.gradient[i]!)));
  }
});

test('the bound of more samples lies between the mean and the largest of their log-weights', () => {
  const model = smallModels[1]!;
  const { parameters, x, epsilon } = drawInputs(model, 4, 5, 71);
  const options = { samples: 5, kl: 'monteCarlo', beta: 1, objective: 'iwae' } as const;
  const { bound, logLikelihood, kl } = referenceElbo(model, parameters, x, epsilon, options);
  bound.forEach((value, i) => {
    const elbo = logLikelihood[i]! - kl[i]!;
    assert.ok(value > elbo && value < elbo + 50, `${value}, ELBO ${elbo}`);
  });
});

test('the Gaussian density of a pixel at its mean is 1 / (σ √(2π)), and one σ away e^−½ of it', () => {
  const x = Float64Array.of(0.25, 0.5);
  const density = (means: Float64Array) => Math.exp(gaussianLogLikelihood(means, x, 1, 2, 0.1)[0]!);
  const peak = 1 / (0.1 * Math.sqrt(2 * Math.PI));
  const near = (a: number, b: number) => Math.abs(a / b - 1) < 1e-13;
  assert.ok(near(density(Float64Array.of(0.25, 0.5)), peak ** 2));
  assert.ok(near(density(Float64Array.of(0.35, 0.5)), peak ** 2 * Math.exp(-0.5)));
});
