import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatentModel } from '#src/index.js';
import { elboTerms, latentActivity } from '#src/inference/elboTerms.js';
import { importanceBounds, LogSum } from '#src/inference/importance.js';
import { InferenceModel } from '#src/inference/inferenceModel.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { randomKey } from '#src/kernels/stream.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import { standardNormalDensity } from '#src/model/priors/standardNormal.js';
import type { ConditionalDensity } from '#src/sampling/conditionalDensity.js';
import { draw, smallModels } from '../reference/smallModels.js';

const platform = inferencePlatform('portable', false);
const resolved = smallModels[1]!;
const { dimensions, latent } = resolved;
const parameters = Float32Array.from(draw(resolved.parameters.size, 1, 1 / 2));
const model = new InferenceModel({ model: resolved, parameters, likelihood: BERNOULLI, platform });
const x = Float32Array.from(draw(dimensions, 2).map(Math.abs));
const posterior = model.encode(x);
const random = model.random(randomKey(3n));

/** N(x; z, v I) with as many values as latent dimensions: log p(x) = log N(x; 0, (1 + v) I). */
function linearGaussian(data: readonly number[], variance: number, rows: number): ConditionalDensity {
  const d = data.length;
  const z = new Float32Array(rows * d);
  const logLikelihood = new Float64Array(rows);
  const evaluate = (count: number) => {
    for (let row = 0; row < count; row++) {
      const point = Float64Array.from(data, (value, j) => value - z[row * d + j]!);
      logLikelihood[row] = logNormal(point, variance);
    }
  };
  const [prior, gradient] = [standardNormalDensity(d), new Float32Array(rows * d)];
  return { prior, latent: d, chains: rows, rows, z, logLikelihood, gradient, evaluate };
}

function logNormal(values: ArrayLike<number>, variance: number): number {
  return Array.from(values).reduce(
    (sum, value) => sum - value ** 2 / (2 * variance) - Math.log(2 * Math.PI * variance) / 2,
    0,
  );
}

test('with the true posterior as q every weight is p(x)', () => {
  const data = [0.7, -1.2, 0.3];
  const v = 0.25;
  const exact = logNormal(data, 1 + v);
  const mu = Float32Array.from(data, (value) => value / (1 + v));
  const logvar = new Float32Array(3).fill(Math.log(v / (1 + v)));
  const task = { density: linearGaussian(data, v, 8), posterior: { mu, logvar }, random, position: 0 };
  const { bounds, effectiveSampleSize } = importanceBounds({ ...task, draws: [1, 10, 250] });
  for (const bound of bounds) assert.ok(Math.abs(bound - exact) < 1e-5, `${bound}, expected ${exact}`);
  assert.ok(Math.abs(effectiveSampleSize - 250) < 1e-3, `${effectiveSampleSize}`);
});

test('with another q, exp L_k is p(x) within five standard errors over examples', () => {
  const data = [0.7, -1.2, 0.3];
  const exact = logNormal(data, 1.25);
  const mu = Float32Array.of(0.3, -0.6, 0.6);
  const logvar = new Float32Array(3).fill(-0.8);
  const density = linearGaussian(data, 0.25, 50);
  const ratios = Array.from({ length: 200 }, (_, position) => {
    const { bounds } = importanceBounds({
      density,
      posterior: { mu, logvar },
      random,
      position,
      draws: [100],
    });
    return Math.exp(bounds[0]! - exact);
  });
  const mean = ratios.reduce((sum, value) => sum + value, 0) / 200;
  const deviation = Math.sqrt(ratios.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 199);
  assert.ok(deviation > 0.01 && deviation < 0.5, `${deviation}`);
  assert.ok(Math.abs(mean - 1) < (5 * deviation) / Math.sqrt(200), `${mean} ± ${deviation / Math.sqrt(200)}`);
});

test('L_k rises from a k to its multiples, and its bits do not depend on the rows at a time', () => {
  const task = { posterior, random, position: 7, draws: [1, 5, 50, 1000] };
  const { bounds } = importanceBounds({ ...task, density: model.condition(x, 64) });
  for (let i = 1; i < bounds.length; i++) assert.ok(bounds[i]! > bounds[i - 1]!, `${bounds}`);
  for (const chains of [1, 7, 300]) {
    const again = importanceBounds({ ...task, density: model.condition(x, chains) });
    assert.deepEqual(again.bounds, bounds);
  }
  const alone = importanceBounds({ ...task, density: model.condition(x, 64), draws: [1000] });
  assert.equal(alone.bounds[0], bounds[3]);
  const elsewhere = importanceBounds({ ...task, density: model.condition(x, 64), position: 8 });
  assert.notDeepEqual(elsewhere.bounds, bounds);
});

test('5,000 weights of a thousand nats apart neither overflow nor vanish', () => {
  const sum = new LogSum();
  for (const value of [-1e5, -800, -2000, -800, Number.NEGATIVE_INFINITY]) sum.add(value);
  assert.ok(Math.abs(sum.value() - (-800 + Math.LN2)) < 1e-12);
  assert.equal(new LogSum().value(), Number.NEGATIVE_INFINITY);
  sum.add(Number.NaN);
  assert.ok(Number.isNaN(sum.value()));
});

test('the ELBO is that of LatentModel for the same seed, term by term', () => {
  const n = 4;
  const examples = Float32Array.from(draw(n * dimensions, 9).map(Math.abs));
  const options = { seed: 3, samples: 6 } as const;
  const expected = new LatentModel(resolved, parameters, { platform }).elbo(examples, options);
  const { mu, logvar } = model.encode(examples);
  for (let i = 0; i < n; i++) {
    const [from, to] = [i * latent, (i + 1) * latent];
    const density = model.condition(examples.subarray(i * dimensions, (i + 1) * dimensions), 4);
    const row = { mu: mu.subarray(from, to), logvar: logvar.subarray(from, to) };
    const terms = elboTerms({ density, posterior: row, random, position: i, samples: 6 });
    const kl = terms.kl.reduce((sum, value) => sum + value, 0);
    // sigma is float64 here and float32 there, and z is of order 1.
    assert.ok(Math.abs(terms.logLikelihood - expected.logLikelihood[i]!) < 1e-5);
    assert.ok(Math.abs(kl - expected.kl[i]!) < 1e-5);
    assert.equal(terms.elbo, terms.logLikelihood - kl);
  }
});

test('active units: dimensions whose mean varies over the data', () => {
  const mu = Float32Array.of(1, 0.5, 0.01, -1, 0.5, -0.01);
  const { variance, active } = latentActivity(mu, 3);
  assert.equal(variance[0], 1);
  assert.equal(variance[1], 0);
  assert.ok(Math.abs(variance[2]! - 1e-4) < 1e-9);
  assert.equal(active, 1);
});
