// Estimates and samples of a model with a learned prior, against quadrature over its one latent dimension.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annealedImportance } from '#src/inference/ais.js';
import { bidirectional } from '#src/inference/bdmc.js';
import { elboTerms } from '#src/inference/elboTerms.js';
import { optimizePosterior } from '#src/inference/gaps.js';
import { importanceBounds } from '#src/inference/importance.js';
import { InferenceModel } from '#src/inference/inferenceModel.js';
import { LatentModel } from '#src/inference/latentModel.js';
import type { PosteriorRow } from '#src/inference/posteriorRow.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { randomKey } from '#src/kernels/stream.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import { resolveModel } from '#src/model/resolve.js';
import type { ModelSpec } from '#src/model/spec.js';
import { draw } from '../reference/smallModels.js';
import { meanWithError } from './oracles/meanWithError.js';
import { gridPosterior } from './oracles/quadrature.js';

const spec: ModelSpec = {
  name: 'tiny',
  input: [3, 2, 1],
  latent: 1,
  encoder: [{ type: 'flatten' }, { type: 'dense', units: 'posterior' }],
  decoder: [
    { type: 'dense', units: 4, activation: 'tanh' },
    { type: 'dense', units: 'pixels' },
  ],
};
const resolved = resolveModel(spec, { prior: { name: 'mixture', values: { priorComponents: 3 } } });
const platform = inferencePlatform('portable', false);
/** The decoder follows z; the prior has three bumps, at −1.5, 0.3 and 1.6, and is not N(0, 1). */
const parameters = Float32Array.from(draw(resolved.parameters.size, 12, 2));
parameters.set([-1.5, 0.3, 1.6, -1.2, -0.8, -1.5, 0.3, -0.4, 0.9], resolved.prior.offset);
const model = new InferenceModel({ model: resolved, parameters, likelihood: BERNOULLI, platform });
const key = randomKey(9n);
const random = model.random(key);
const positions = Array.from({ length: 200 }, (_, i) => i);
const { z: truth, x: simulated } = model.simulate(key, positions);
const { dimensions } = resolved;
const imageAt = (i: number) => simulated.slice(i * dimensions, (i + 1) * dimensions);
const x = imageAt(0);
const posterior: PosteriorRow = model.encode(x);
const exact = gridPosterior(model.condition(x, 500));

/** A weight over what it estimates has the mean 1, within four standard errors: 6e-5 of all seeds fail. */
function assertUnbiased(logRatios: readonly number[], largest: number): void {
  const { mean, error: standardError } = meanWithError(logRatios.map(Math.exp));
  assert.ok(standardError <= largest, `standard error ${standardError}`);
  assert.ok(Math.abs(mean - 1) <= 4 * standardError, `${mean} ± ${standardError}`);
}

test('importance weights have the mean p(x)', () => {
  const density = model.condition(x, 50);
  const logs = Array.from({ length: 400 }, (_, position) => {
    const { bounds } = importanceBounds({ density, posterior, random, position, draws: [50] });
    return bounds[0]! - exact.logMarginal;
  });
  assertUnbiased(logs, 0.05);
});

test('the ELBO is that of quadrature', () => {
  const density = model.condition(x, 100);
  const found = Array.from({ length: 100 }, (_, position) =>
    elboTerms({ density, posterior, random, position, samples: 3000 }),
  );
  const { mean, error } = meanWithError(found.map(({ elbo }) => elbo));
  assert.ok(error < 0.03, `error ${error}`);
  assert.ok(Math.abs(mean - elboByQuadrature(posterior)) < 4 * error, `${mean} ± ${error}`);
});

test('the optimised q maximises the ELBO', () => {
  const task = {
    density: model.condition(x, 400),
    posterior,
    random,
    position: 2,
    steps: 800,
    samples: 2000,
  };
  const { posterior: best } = optimizePosterior(task);
  const found = elboByQuadrature(best);
  assert.ok(found > elboByQuadrature(posterior) + 0.1, 'better than the encoder by far');
  for (const [mu, logvar] of [
    [0.1, 0],
    [-0.1, 0],
    [0, 0.3],
    [0, -0.3],
  ] as const) {
    const moved = { mu: best.mu.map((m) => m + mu), logvar: best.logvar.map((v) => v + logvar) };
    assert.ok(elboByQuadrature(moved) < found, `${mu}, ${logvar}`);
  }
});

/** Without a transition the weights are those of draws from the prior; with many HMC moves them. */
for (const temperatures of [1, 200]) {
  test(`annealed importance sampling is unbiased, ${temperatures} temperatures`, () => {
    const density = model.condition(x, 400);
    const options = { density, positions: [0], random, leapfrogSteps: 5, temperatures };
    const { logWeights } = annealedImportance(options);
    assertUnbiased(
      Array.from(logWeights, (value) => value - exact.logMarginal),
      0.05,
    );
  });
}

test('BDMC brackets log p(x) of what the model draws: both ways are unbiased', () => {
  const density = model.condition(simulated, 20);
  const options = { density, positions, random, truth, leapfrogSteps: 5, temperatures: 100 };
  const { forward, reverse } = bidirectional(options);
  const marginals = positions.map((i) => gridPosterior(model.condition(imageAt(i), 600)).logMarginal);
  assertUnbiased(
    marginals.map((value, i) => forward.logMarginal[i]! - value),
    0.03,
  );
  assertUnbiased(
    marginals.map((value, i) => reverse.logMarginal[i]! + value),
    0.03,
  );
});

test('simulated z have the moments of the prior', () => {
  const { z } = model.simulate(
    key,
    Array.from({ length: 4000 }, (_, i) => i),
  );
  const grid = Float32Array.from({ length: 1601 }, (_, i) => (i - 800) / 100);
  for (const power of [1, 2, 3]) {
    const expected = grid.reduce(
      (sum, at, row) => sum + (at ** power * Math.exp(model.prior.logDensity(grid, row))) / 100,
      0,
    );
    const { mean, error } = meanWithError(Array.from(z, (value) => value ** power));
    assert.ok(Math.abs(mean - expected) < 4 * error, `${mean} ± ${error}, expected ${expected}`);
  }
});

test('HMC has the moments of p(z|x)', () => {
  const latent = new LatentModel(resolved, parameters);
  const [draws] = latent.posterior(x, { chains: 8, draws: 4000, seed: 3 });
  const { mean, markov } = draws!;
  const error = 5 * markov!.dimensions[0]!.meanError;
  assert.ok(error < 0.2, `five errors of the mean: ${error}`);
  assert.ok(Math.abs(mean[0]! - exact.mean[0]!) < error, `${mean[0]}, expected ${exact.mean[0]}`);
});

test('samples have the z of the prior; an analytic KL is refused', () => {
  const latent = new LatentModel(resolved, parameters);
  const count = 2000;
  const images = latent.sample({ count, seed: 4 });
  const grid = Float32Array.from({ length: 1601 }, (_, i) => (i - 800) / 100);
  const means = latent.decode(grid, { as: 'means' });
  for (let pixel = 0; pixel < dimensions; pixel++) {
    for (const power of [1, 2]) {
      const at = (values: Float32Array, row: number) => values[row * dimensions + pixel]! ** power;
      const found = Array.from({ length: count }, (_, row) => at(images, row) / count).reduce(
        (a, b) => a + b,
      );
      const expected = Array.from(grid, (_, row) => {
        return (at(means, row) * Math.exp(model.prior.logDensity(grid, row))) / 100;
      }).reduce((a, b) => a + b);
      // A number in [0, 1] has a standard deviation of ½ at most.
      assert.ok(Math.abs(found - expected) < 4 * (0.5 / Math.sqrt(count)), `${found}, expected ${expected}`);
    }
  }
  assert.ok(Number.isFinite(latent.elbo(x).elbo[0]));
  assert.throws(() => latent.elbo(x, { kl: 'analytic' }), {
    name: 'UsageError',
    message: 'kl is analytic, but the KL to the prior mixture has no closed form: leave it out.',
  });
});

/** E_q[log p(x, z) − log q(z|x)] by the trapezoid rule over z. */
function elboByQuadrature({ mu, logvar }: PosteriorRow): number {
  const density = model.condition(x, 1601);
  const deviation = Math.exp(logvar[0]! / 2);
  const points = density.z.map((_, i) => mu[0]! + (deviation * (i - 800)) / 100);
  density.z.set(points);
  density.evaluate(points.length, false);
  return points.reduce((sum, point, row) => {
    const u = (point - mu[0]!) / deviation;
    const logQ = -(u * u + Math.log(2 * Math.PI)) / 2 - Math.log(deviation);
    const logJoint = density.logLikelihood[row]! + model.prior.logDensity(points, row);
    return sum + (Math.exp(logQ) * deviation * (logJoint - logQ)) / 100;
  }, 0);
}
