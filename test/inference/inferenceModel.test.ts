import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatentModel, UsageError } from '#src/index.js';
import { InferenceModel } from '#src/inference/inferenceModel.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { Purpose, randomKey } from '#src/kernels/stream.js';
import type { Choice } from '#src/model/hyperparameter.js';
import type { LikelihoodName } from '#src/model/likelihoods/registry.js';
import type { Model } from '#src/model/model.js';
import { networkForward } from '../reference/network.js';
import { draw, smallModels } from '../reference/smallModels.js';

const platform = inferencePlatform('portable', false);
const SIGMA = 0.5;
const likelihoods: readonly Choice<LikelihoodName>[] = [
  { name: 'bernoulli', values: {} },
  { name: 'gaussian', values: { sigma: SIGMA } },
];

const parametersOf = (model: Model) => draw(model.parameters.size, 1, 1 / 2);

function inferenceModel(model: Model, likelihood = likelihoods[0]!, rows?: number): InferenceModel {
  const parameters = Float32Array.from(parametersOf(model));
  return new InferenceModel({ model, parameters, likelihood, platform, ...(rows ? { rows } : {}) });
}

/** log p(x|z) of one row in float64. */
function referenceDensity(
  model: Model,
  { name }: Choice<LikelihoodName>,
  x: Float64Array,
  z: Float64Array,
): number {
  const { output } = networkForward(model.decoder, 1, parametersOf(model), z);
  return output.reduce((sum, value, i) => {
    if (name === 'bernoulli') return sum + x[i]! * value - softplus(value);
    return sum - ((x[i]! - value) / SIGMA) ** 2 / 2 - Math.log(2 * Math.PI) / 2 - Math.log(SIGMA);
  }, 0);
}

function softplus(value: number): number {
  return Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));
}

/**
 * Float32's rounding through four small layers stays below 1e-5 of an output near 1; 60 outputs, the Gaussian
 * ones weighted by 1 / sigma² = 4, stay below 5e-3.
 */
const TOLERANCE = 5e-3;

for (const model of smallModels) {
  for (const likelihood of likelihoods) {
    test(`${model.name}, ${likelihood.name}: density and gradient are those of float64 loops`, () => {
      const { dimensions, latent } = model;
      const [n, chains] = [3, 4];
      const x = draw(n * dimensions, 2).map(Math.abs);
      const z = draw(n * chains * latent, 3, 2);
      const density = inferenceModel(model, likelihood).condition(Float32Array.from(x), chains);
      assert.deepEqual([density.latent, density.chains, density.rows], [latent, chains, n * chains]);
      density.z.set(z);
      density.evaluate(density.rows, true);
      let steepest = 0;
      for (let row = 0; row < density.rows; row++) {
        const example = Math.floor(row / chains);
        const target = x.subarray(example * dimensions, (example + 1) * dimensions);
        const at = (shift: number, j: number) => {
          const point = z.slice(row * latent, (row + 1) * latent);
          point[j]! += shift;
          return referenceDensity(model, likelihood, target, point);
        };
        const error = density.logLikelihood[row]! - at(0, 0);
        assert.ok(Math.abs(error) < TOLERANCE, `row ${row} is off by ${error}`);
        for (let j = 0; j < latent; j++) {
          // Central differences; no kink of a ReLU lies within 1e-6 of these points.
          const expected = (at(1e-6, j) - at(-1e-6, j)) / 2e-6;
          const actual = density.gradient[row * latent + j]!;
          assert.ok(
            Math.abs(actual - expected) < TOLERANCE,
            `row ${row}, ${j}: ${actual}, expected ${expected}`,
          );
          steepest = Math.max(steepest, Math.abs(expected));
        }
      }
      assert.ok(steepest > 20 * TOLERANCE, 'the gradient is no smaller than what it may err by');
    });
  }

  test(`${model.name}: a row's bits depend neither on other rows, chains, passes nor densities`, () => {
    const { dimensions, latent } = model;
    const x = Float32Array.from(draw(5 * dimensions, 4).map(Math.abs));
    const z = Float32Array.from(draw(5 * 7 * latent, 5, 2));
    const whole = inferenceModel(model).condition(x, 7);
    whole.z.set(z);
    whole.evaluate(35, true);
    for (const rows of [1, 3, 16]) {
      const narrow = inferenceModel(model, likelihoods[0], rows);
      const density = narrow.condition(x, 7);
      const other = narrow.condition(x.subarray(dimensions), 2);
      density.z.set(z);
      other.evaluate(other.rows, true);
      density.evaluate(35, true);
      assert.deepEqual(density.logLikelihood, whole.logLikelihood);
      assert.deepEqual(density.gradient, whole.gradient);
    }
    const alone = inferenceModel(model).condition(x.subarray(2 * dimensions, 3 * dimensions), 1);
    alone.z.set(z.subarray(16 * latent, 17 * latent));
    alone.evaluate(1, false);
    assert.ok(alone.gradient.every((value) => value === 0));
    alone.evaluate(1, true);
    assert.equal(alone.logLikelihood[0], whole.logLikelihood[16]);
    assert.deepEqual(alone.gradient, whole.gradient.slice(16 * latent, 17 * latent));
  });

  test(`${model.name}: encode and means have the bits of LatentModel`, () => {
    const parameters = Float32Array.from(parametersOf(model));
    const latentModel = new LatentModel(model, parameters, { platform });
    const x = Float32Array.from(draw(70 * model.dimensions, 6).map(Math.abs));
    const z = Float32Array.from(draw(70 * model.latent, 7, 2));
    assert.deepEqual(inferenceModel(model).encode(x), latentModel.encode(x));
    assert.deepEqual(inferenceModel(model).means(z), latentModel.decode(z, { as: 'means' }));
  });
}

test('simulated pairs: a function of the key and of the position; pixels follow their means', () => {
  const model = inferenceModel(smallModels[1]!);
  const { latent, dimensions } = model.model;
  const places = Array.from({ length: 200 }, (_, i) => i);
  const { z, x } = model.simulate(randomKey(5n), places);
  const part = model.simulate(randomKey(5n), places.slice(150));
  assert.deepEqual(part.z, z.slice(150 * latent));
  assert.deepEqual(part.x, x.slice(150 * dimensions));
  assert.notDeepEqual(model.simulate(randomKey(6n), places).x, x);
  assert.ok(x.every((pixel) => pixel === 0 || pixel === 1));
  const means = model.means(z);
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);
  const deviation = Math.sqrt(means.reduce((total, p) => total + p * (1 - p), 0));
  assert.ok(Math.abs(sum(x) - sum(means)) < 5 * deviation);
});

test('random rows: a longer row begins with the numbers of a shorter one', () => {
  const random = inferenceModel(smallModels[1]!).random(randomKey(9n));
  const [short, long] = [new Float32Array(5), new Float32Array(100_000)];
  for (const kind of ['normal', 'uniform'] as const) {
    random[kind](short, 3, 4, Purpose.importanceNoise);
    random[kind](long, 3, 4, Purpose.importanceNoise);
    assert.deepEqual(long.slice(0, 5), short);
    random[kind](long, 3, 5, Purpose.importanceNoise);
    assert.notDeepEqual(long.slice(0, 5), short);
  }
});

test('what does not fit is refused', () => {
  const model = inferenceModel(smallModels[1]!);
  const fails = (call: () => unknown, message: RegExp) =>
    assert.throws(call, (error) => error instanceof UsageError && message.test(error.message));
  fails(() => model.condition(new Float32Array(7), 1), /condition\(\).*x.* holds 7 values/);
  fails(() => model.condition(new Float32Array(6), 0), /condition\(\).*chains/);
  fails(() => model.means(new Float32Array(2)), /means\(\).*z.* holds 2 values/);
});
