import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatentModel, UsageError } from '#src/index.js';
import { inferByHmc, inferVariational, type PosteriorDraws } from '#src/inference/inferPosterior.js';
import { KernelRandom } from '#src/inference/kernelRandom.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { randomKey } from '#src/kernels/stream.js';
import { draw, smallModels } from '../reference/smallModels.js';
import { curvedDensity } from './oracles/curved.js';
import { gridPosterior } from './oracles/quadrature.js';

const random = new KernelRandom(inferencePlatform('portable', false).module, randomKey(11n));
const CHAINS = 8;
const x = { 1: [0.5, -0.3], 2: [0.6, 1.1, -1, 0.4] } as const;

function infer(latent: 1 | 2, data: readonly number[], positions: readonly number[]): PosteriorDraws[] {
  const posterior = {
    mu: Float32Array.from(data, (value) => value / 2),
    logvar: new Float32Array(data.length).fill(-1),
  };
  const density = curvedDensity(latent, data, CHAINS);
  return inferByHmc({
    density,
    posterior,
    random,
    positions,
    chains: CHAINS,
    draws: 1500,
    warmup: 300,
    leapfrogSteps: 10,
  });
}

for (const latent of [1, 2] as const) {
  const data = x[latent];
  const inferred = infer(latent, data, [0, 1]);

  test(`d = ${latent}: the moments by HMC are those of the grid, within the errors of the effective sample`, () => {
    inferred.forEach(({ mean, deviation, markov }, example) => {
      const own = data.slice(example * latent, (example + 1) * latent);
      const exact = gridPosterior(curvedDensity(latent, own, 4096));
      for (let j = 0; j < latent; j++) {
        const { rHat, bulkEss, tailEss, meanError } = markov!.dimensions[j]!;
        const sigma = Math.sqrt(exact.covariance[j * latent + j]!);
        assert.ok(rHat < 1.02 && bulkEss > 400 && tailEss > 200, `${rHat} ${bulkEss} ${tailEss}`);
        // Four standard errors; the mean's is also near sigma / √ESS, which is no tautology.
        assert.ok(Math.abs(mean[j]! - exact.mean[j]!) < 4 * meanError, `${mean[j]} for ${exact.mean[j]}`);
        assert.ok(meanError < sigma / Math.sqrt(300), `${meanError} would notice nothing`);
        // The error of a standard deviation, for tails no longer than a Gaussian's: sigma / √(2 ESS).
        const error = sigma / Math.sqrt(2 * Math.min(bulkEss, tailEss));
        assert.ok(Math.abs(deviation[j]! - sigma) < 4 * error, `${deviation[j]} for ${sigma}`);
      }
    });
  });

  test(`d = ${latent}: an example's draws do not depend on the others`, () => {
    const [alone] = infer(latent, data.slice(latent), [1]);
    assert.deepEqual(alone, inferred[1]);
  });
}

test('draws from q have its moments, and no diagnostics of chains', () => {
  const posterior = { mu: Float32Array.of(1, -2), logvar: Float32Array.of(0, -2) };
  const task = { posterior, random, positions: [7], chains: 4, draws: 2500 };
  const [{ z, mean, deviation, markov }] = inferVariational(task) as [PosteriorDraws];
  assert.equal(markov, undefined);
  assert.equal(z.length, 2 * 10_000);
  for (let j = 0; j < 2; j++) {
    const sigma = Math.exp(posterior.logvar[j]! / 2);
    assert.ok(Math.abs(mean[j]! - posterior.mu[j]!) < (4 * sigma) / 100, `${mean}`);
    assert.ok(Math.abs(deviation[j]! - sigma) < (4 * sigma) / Math.sqrt(20_000), `${deviation}`);
  }
});

const resolved = smallModels[1]!;
const model = new LatentModel(resolved, Float32Array.from(draw(resolved.parameters.size, 1, 1 / 2)));
const images = Float32Array.from(draw(2 * resolved.dimensions, 2).map(Math.abs));
const few = { chains: 2, warmup: 10, draws: 16, seed: 3 } as const;

test('model.posterior: what an image gets depends on seed and position alone', () => {
  const both = model.posterior(images, { ...few, positions: [4, 9] });
  assert.equal(both.length, 2);
  assert.equal(both[0]!.z.length, 2 * 16 * resolved.latent);
  const second = images.slice(resolved.dimensions);
  assert.deepEqual(model.posterior(second, { ...few, positions: [9] }), [both[1]]);
  assert.notDeepEqual(model.posterior(second, few), [both[1]]);
  assert.notDeepEqual(model.posterior(second, { ...few, positions: [9], seed: 4 }), [both[1]]);
});

test('model.posterior by q has the moments of encode', () => {
  const { mu, logvar } = model.encode(images);
  const options = { method: 'variational', chains: 4, draws: 2500 } as const;
  model.posterior(images, options).forEach(({ mean, deviation, markov }, i) => {
    assert.equal(markov, undefined);
    for (let j = 0; j < resolved.latent; j++) {
      const sigma = Math.exp(logvar[i * resolved.latent + j]! / 2);
      assert.ok(Math.abs(mean[j]! - mu[i * resolved.latent + j]!) < (4.5 * sigma) / 100);
      assert.ok(Math.abs(deviation[j]! - sigma) < (4.5 * sigma) / Math.sqrt(20_000));
    }
  });
});

test('model.posterior refuses what does not fit, in a sentence', () => {
  const refuses = (options: object, message: RegExp) =>
    assert.throws(
      () => model.posterior(images, options),
      (error: unknown) => error instanceof UsageError && message.test(error.message),
    );
  refuses({ draws: 15 }, /draws is 15, expected a whole number from 16 up/);
  refuses({ warmup: 1 }, /warmup is 1, expected a whole number from 2 up/);
  refuses({ positions: [1] }, /positions has 1 numbers, expected 2, one for each example/);
  refuses({ positions: [1, -1] }, /positions\[1\] is -1/);
  refuses({ method: 'gibbs' }, /method is "gibbs"/);
  refuses({ draws: 2 ** 40 }, /draws asks for/);
});
