import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AnnealedEstimate,
  type AnnealingOptions,
  annealedImportance,
  annealingTransitions,
} from '#src/inference/ais.js';
import { TEMPERATURE_SCHEDULES, temperatures } from '#src/inference/annealing.js';
import { bidirectional } from '#src/inference/bdmc.js';
import { InferenceModel } from '#src/inference/inferenceModel.js';
import { KernelRandom } from '#src/inference/kernelRandom.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { randomKey } from '#src/kernels/stream.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import type { ConditionalDensity } from '#src/sampling/conditionalDensity.js';
import { draw, smallModels } from '../reference/smallModels.js';
import { curvedDensity } from './oracles/curved.js';
import { LinearGaussian } from './oracles/linearGaussian.js';
import { meanWithError } from './oracles/meanWithError.js';
import { gridPosterior } from './oracles/quadrature.js';

const platform = inferencePlatform('portable', false);
const key = randomKey(7n);
const random = new KernelRandom(platform.module, key);

const [latent, dimensions] = [6, 8];
const linear = new LinearGaussian({
  latent,
  dimensions,
  weights: draw(dimensions * latent, 1),
  bias: draw(dimensions, 2),
  sigma: 0.8,
});

/** `count` pairs drawn from the linear-Gaussian model. */
function simulate(count: number): { z: Float32Array; x: Float64Array } {
  const z = new Float32Array(count * latent);
  const noise = new Float32Array(count * dimensions);
  random.normal(z, 0, 0, 1000);
  random.normal(noise, 1, 0, 1000);
  const x = new Float64Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const row = linear.draw(z.subarray(i * latent, (i + 1) * latent), noise.subarray(i * dimensions));
    x.set(row, i * dimensions);
  }
  return { z, x };
}

/**
 * A weight divided by what it estimates has the mean 1, within four standard errors. These come from averages
 * over `dependent` neighbours: neighbours may depend on each other, averages do not. An error of four has a
 * probability of 6e-5.
 * @param largest the standard error above which the test would notice nothing.
 */
function requireUnbiased(logRatios: Float64Array, dependent: number, largest: number): void {
  const ratios = logRatios.map((value) => Math.exp(value));
  const groups = Array.from({ length: ratios.length / dependent }, (_, g) =>
    ratios.subarray(g * dependent, (g + 1) * dependent).reduce((sum, value) => sum + value / dependent, 0),
  );
  const { mean, error } = meanWithError(groups);
  assert.ok(Math.abs(mean - 1) < 4 * error, `E[w / p(x)] = ${mean} ± ${error}`);
  assert.ok(error < largest, `± ${error} would notice nothing`);
}

/** log w − log p(x) of each chain. */
function logRatios(
  { logWeights }: AnnealedEstimate,
  logMarginals: ArrayLike<number>,
  sign = 1,
): Float64Array {
  const chains = logWeights.length / logMarginals.length;
  return logWeights.map((value, row) => value - sign * logMarginals[Math.floor(row / chains)]!);
}

const positionsFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

function optionsFor(density: ConditionalDensity, count: number): AnnealingOptions {
  const examples = density.rows / density.chains;
  return { density, random, positions: positionsFrom(20, examples), temperatures: count };
}

describe('annealed importance sampling', () => {
  for (const schedule of TEMPERATURE_SCHEDULES) {
    it(`is unbiased for the closed form of p(x), d = 6, ${schedule}`, () => {
      const { x } = simulate(8);
      const exact = Array.from({ length: 8 }, (_, i) =>
        linear.logMarginal(x.slice(i * dimensions, (i + 1) * dimensions)),
      );
      const estimate = annealedImportance({ ...optionsFor(linear.condition(x, 50), 80), schedule });
      requireUnbiased(logRatios(estimate, exact), 1, 0.05);
    });
  }

  for (const [d, x] of [
    [1, [0.5]],
    [2, [0.8, -0.3]],
  ] as const) {
    it(`is unbiased for the quadrature of a posterior that is no Gaussian, d = ${d}`, () => {
      const { logMarginal } = gridPosterior(curvedDensity(d, x, 1000));
      const estimate = annealedImportance(optionsFor(curvedDensity(d, x, 800), 100));
      requireUnbiased(logRatios(estimate, [logMarginal]), 1, 0.03);
    });
  }

  it('is unbiased for a decoder on the kernels, against quadrature', () => {
    const model = decoder();
    const x = model.simulate(key, [5, 6, 7]).x;
    const exact = [0, 1, 2].map((i) => gridOf(model, x, i));
    const estimate = annealedImportance(optionsFor(model.condition(x, 150), 150));
    requireUnbiased(logRatios(estimate, exact), 1, 0.03);
    for (let i = 0; i < 3; i++) {
      // The mean of 200 weights: its logarithm errs by 1 / √(effective sample size), to first order.
      const error = 1 / Math.sqrt(estimate.effectiveSampleSize[i]!);
      assert.ok(Math.abs(estimate.logMarginal[i]! - exact[i]!) < 4 * error);
      assert.ok(error < 0.15, `${error}`);
    }
  });

  it('one temperature is importance sampling from the prior: a weight is p(x|z)', () => {
    const { x } = simulate(1);
    const density = linear.condition(x, 5);
    const { logWeights } = annealedImportance(optionsFor(density, 1));
    const z = new Float32Array(5 * latent);
    random.normal(z, 20, 0, 12);
    density.z.set(z);
    density.evaluate(5, false);
    assert.deepEqual(logWeights, density.logLikelihood);
  });

  it('more temperatures make the weights more even, at an acceptance near 0.65', () => {
    const { x } = simulate(4);
    const few = annealedImportance(optionsFor(linear.condition(x, 20), 30));
    const many = annealedImportance(optionsFor(linear.condition(x, 20), 500));
    const meanOf = (values: Float64Array) => meanWithError(values).mean;
    const share = meanOf(many.effectiveSampleSize);
    assert.ok(share > 1.2 * meanOf(few.effectiveSampleSize) && share <= 20, `${share}`);
    // Unlike the adapting run, this one repeats its step sizes: each errs by the noise of the adaptation.
    for (const value of many.acceptance) assert.ok(value > 0.55 && value < 0.75, `${many.acceptance}`);
  });

  it("an example's bits do not depend on the others; those of simulated data are others", () => {
    const { x } = simulate(3);
    const together = annealedImportance(optionsFor(linear.condition(x, 4), 12));
    const last = linear.condition(x.slice(2 * dimensions), 4);
    const alone = annealedImportance({ ...optionsFor(last, 12), positions: [22] });
    assert.deepEqual(together.logWeights.slice(8), alone.logWeights);
    assert.equal(together.logMarginal[2], alone.logMarginal[0]);
    const simulated = annealedImportance({ ...optionsFor(last, 12), positions: [22], simulated: true });
    assert.ok(simulated.logWeights.every((value, i) => value !== alone.logWeights[i]));
  });

  it('says after each transition that it is done', () => {
    let calls = 0;
    const options = { ...optionsFor(linear.condition(simulate(1).x, 2), 7), onTransition: () => calls++ };
    annealedImportance(options);
    assert.equal(calls, annealingTransitions(7));
    calls = 0;
    bidirectional({ ...options, truth: new Float32Array(latent) });
    assert.equal(calls, annealingTransitions(7, true));
  });

  it('refuses a number of temperatures that is none', () => {
    for (const count of [0, 1.5, 2 ** 29]) {
      const options = optionsFor(linear.condition(simulate(1).x, 2), count);
      assert.throws(() => annealedImportance(options), RangeError);
    }
  });
});

describe('bidirectional Monte Carlo', () => {
  it('brackets the closed form of log p(x); forward and reverse weights are unbiased', () => {
    const count = 60;
    const { z, x } = simulate(count);
    const exact = Array.from({ length: count }, (_, i) =>
      linear.logMarginal(x.slice(i * dimensions, (i + 1) * dimensions)),
    );
    const options = optionsFor(linear.condition(x, 8), 80);
    const { forward, reverse, lower, upper } = bidirectional({ ...options, truth: z });
    requireUnbiased(logRatios(forward, exact), 8, 0.05);
    // The chains of an example share their start.
    requireUnbiased(logRatios(reverse, exact, -1), 8, 0.15);
    const below = meanWithError(exact.map((value, i) => value - lower[i]!));
    const above = meanWithError(exact.map((value, i) => upper[i]! - value));
    assert.ok(below.mean > -4 * below.error && above.mean > -4 * above.error);
    const width = below.mean + above.mean;
    assert.ok(width > 0 && width < 0.5, `the bracket is ${width} nats wide`);
  });

  it('brackets quadrature for a decoder on the kernels', () => {
    const model = decoder();
    const { z, x } = model.simulate(
      key,
      Array.from({ length: 20 }, (_, i) => 100 + i),
    );
    const exact = Array.from({ length: 20 }, (_, i) => gridOf(model, x, i));
    const options = { ...optionsFor(model.condition(x, 8), 60), positions: positionsFrom(100, 20), truth: z };
    const { forward, reverse } = bidirectional(options);
    requireUnbiased(logRatios(forward, exact), 8, 0.05);
    requireUnbiased(logRatios(reverse, exact, -1), 8, 0.15);
  });
});

describe('temperatures', () => {
  it('go from exactly 0 to exactly 1, and rise; the sigmoidal ones are dense at both ends', () => {
    for (const schedule of TEMPERATURE_SCHEDULES) {
      for (const count of [1, 2, 7, 1000]) {
        const path = temperatures(schedule, count);
        assert.equal(path.length, count + 1);
        assert.deepEqual([path[0], path[count]], [0, 1]);
        for (let i = 1; i <= count; i++) assert.ok(path[i]! > path[i - 1]!);
      }
    }
    assert.deepEqual([...temperatures('linear', 4)], [0, 0.25, 0.5, 0.75, 1]);
    const path = temperatures('sigmoidal', 4);
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    const expected = (sigmoid(-2) - sigmoid(-4)) / (sigmoid(4) - sigmoid(-4));
    assert.ok(Math.abs(path[1]! - expected) < 1e-15 && Math.abs(path[2]! - 0.5) < 1e-15);
    assert.ok(Math.abs(path[3]! + path[1]! - 1) < 1e-15);
  });
});

/** Two latent dimensions and 60 pixels, at parameters large enough for a posterior unlike the prior. */
function decoder(): InferenceModel {
  const model = smallModels.find(({ name }) => name === 'convolutional')!;
  const parameters = Float32Array.from(draw(model.parameters.size, 1));
  return new InferenceModel({ model, parameters, likelihood: BERNOULLI, platform });
}

function gridOf(model: InferenceModel, x: Float32Array, example: number): number {
  const { dimensions: width } = model.model;
  const row = x.subarray(example * width, (example + 1) * width);
  return gridPosterior(model.condition(row, 1000), 1 / 8).logMarginal;
}
