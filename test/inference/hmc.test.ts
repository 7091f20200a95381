import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NotFiniteError } from '#src/errors.js';
import { HmcChains, TRANSITIONS } from '#src/inference/hmc.js';
import { KernelRandom } from '#src/inference/kernelRandom.js';
import { type PosteriorSamples, samplePosterior } from '#src/inference/posteriorSamples.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { randomKey } from '#src/kernels/stream.js';
import type { ConditionalDensity } from '#src/sampling/conditionalDensity.js';
import { draw } from '../reference/smallModels.js';
import { curvedDensity } from './oracles/curved.js';
import { LinearGaussian } from './oracles/linearGaussian.js';
import { meanWithError } from './oracles/meanWithError.js';
import { gridPosterior } from './oracles/quadrature.js';

const random = new KernelRandom(inferencePlatform('portable', false).module, randomKey(7n));
const CHAINS = 100;
const DRAWS = 100;

const [latent, dimensions] = [3, 5];
const linear = new LinearGaussian({
  latent,
  dimensions,
  weights: draw(dimensions * latent, 1),
  bias: draw(dimensions, 2),
  sigma: 0.5,
});
const data = draw(2 * dimensions, 3);

function sample(density: ConditionalDensity, positions: readonly number[]): PosteriorSamples {
  const start = new Float32Array(positions.length * density.chains * density.latent);
  return samplePosterior({ density, random, positions, start, warmup: 60, draws: DRAWS });
}

interface Moments {
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
}

/**
 * First and second moments within four standard errors, which come from the averages of the chains: these are
 * independent of each other, whatever the autocorrelation within one. 4 has a probability of 6e-5.
 */
function requireMoments({ z }: PosteriorSamples, example: number, { mean, covariance }: Moments): void {
  const d = mean.length;
  const chain = (c: number) => z.subarray((example * CHAINS + c) * DRAWS * d).subarray(0, DRAWS * d);
  const averages = (value: (draw: Float32Array) => number) =>
    Array.from({ length: CHAINS }, (_, c) => {
      const draws = Array.from({ length: DRAWS }, (_, t) => chain(c).subarray(t * d, (t + 1) * d));
      return draws.reduce((sum, at) => sum + value(at) / DRAWS, 0);
    });
  const check = (name: string, value: (draw: Float32Array) => number, expected: number, scale: number) => {
    const { mean: actual, error } = meanWithError(averages(value));
    assert.ok(Math.abs(actual - expected) < 4 * error, `${name}: ${actual} ± ${error}, expected ${expected}`);
    assert.ok(error < 0.05 * scale, `${name}: ± ${error} would notice nothing`);
  };
  const deviation = (i: number) => Math.sqrt(covariance[i * d + i]!);
  for (let i = 0; i < d; i++) {
    check(`E z${i}`, (at) => at[i]!, mean[i]!, deviation(i));
    for (let j = 0; j <= i; j++) {
      const product = (at: Float32Array) => (at[i]! - mean[i]!) * (at[j]! - mean[j]!);
      check(`Cov z${i} z${j}`, product, covariance[i * d + j]!, deviation(i) * deviation(j));
    }
  }
}

describe('HMC', () => {
  it("has the linear-Gaussian posterior's moments, for two examples at once, at an acceptance of 0.65", () => {
    const samples = sample(linear.condition(data, CHAINS), [3, 8]);
    for (const example of [0, 1]) {
      const x = data.slice(example * dimensions, (example + 1) * dimensions);
      requireMoments(samples, example, linear.posterior(x));
      // The acceptance is an average over 10,000 transitions; adaptation ends within 0.05 of its target.
      assert.ok(Math.abs(samples.acceptance[example]! - 0.65) < 0.05, `${samples.acceptance}`);
    }
  });

  for (const [d, x] of [
    [1, [0.5]],
    [2, [0.8, -0.3]],
  ] as const) {
    it(`has the grid's moments where the posterior is no Gaussian, d = ${d}`, () => {
      const samples = sample(curvedDensity(d, x, CHAINS), [0]);
      requireMoments(samples, 0, gridPosterior(curvedDensity(d, x, 1000)));
    });
  }

  it('a large step keeps the moments: the Metropolis step corrects it', () => {
    const density = linear.condition(data.slice(0, dimensions), CHAINS);
    const start = new Float32Array(CHAINS * latent);
    const hmc = new HmcChains({ density, random, positions: [0], stream: TRANSITIONS.posterior }, start);
    const z = new Float32Array(CHAINS * DRAWS * latent);
    let acceptance = 0;
    for (let t = -20; t < DRAWS; t++) {
      hmc.transition(t + 20, 1, Float64Array.of(0.45));
      if (t < 0) continue;
      acceptance += hmc.acceptance[0]! / DRAWS;
      for (let c = 0; c < CHAINS; c++) {
        z.set(hmc.z.subarray(c * latent, (c + 1) * latent), (c * DRAWS + t) * latent);
      }
    }
    assert.ok(acceptance > 0.2 && acceptance < 0.8, `${acceptance}`);
    const samples = { z } as PosteriorSamples;
    requireMoments(samples, 0, linear.posterior(data.slice(0, dimensions)));
  });

  it('the energy error of a trajectory falls with the square of the step: the leapfrog scheme', () => {
    const fallOf = (size: number) => {
      const density = linear.condition(data.slice(0, dimensions), CHAINS);
      const start = Float32Array.from(draw(CHAINS * latent, 5));
      // As many steps as keep the length of the trajectory.
      const leapfrogSteps = Math.round(0.8 / size);
      const options = { density, random, positions: [0], stream: TRANSITIONS.posterior, leapfrogSteps };
      const hmc = new HmcChains(options, start);
      hmc.transition(0, 1, Float64Array.of(size));
      return 1 - hmc.acceptance[0]!;
    };
    // 1 − acceptance is of the order of the error while that is small: a quarter for half the step.
    const ratio = fallOf(0.08) / fallOf(0.04);
    assert.ok(ratio > 3 && ratio < 5.5, `${ratio}`);
  });

  it("a chain's bits do not depend on the other examples, and its log-likelihood is that of its point", () => {
    const together = sample(linear.condition(data, 4), [3, 8]);
    const alone = sample(linear.condition(data.slice(dimensions), 4), [8]);
    assert.deepEqual(together.z.slice(alone.z.length), alone.z);
    assert.deepEqual(together.logLikelihood.slice(4 * DRAWS), alone.logLikelihood);
    assert.equal(together.stepSizes[1], alone.stepSizes[0]);
    const elsewhere = sample(linear.condition(data.slice(dimensions), 4), [9]);
    assert.notDeepEqual(elsewhere.z, alone.z);
    const density = linear.condition(data.slice(dimensions), 4 * DRAWS);
    density.z.set(alone.z);
    density.evaluate(density.rows, false);
    assert.deepEqual(density.logLikelihood, alone.logLikelihood);
  });

  it('thinning keeps every nth state', () => {
    const density = () => linear.condition(data.slice(0, dimensions), 2);
    const start = new Float32Array(2 * latent);
    const options = { random, positions: [0], start, warmup: 10 };
    const all = samplePosterior({ ...options, density: density(), draws: 6 });
    const calls: number[] = [];
    const onTransition = (done: number) => calls.push(done);
    const thinned = samplePosterior({ ...options, density: density(), draws: 2, thin: 3, onTransition });
    assert.deepEqual(thinned.z.slice(0, latent), all.z.slice(2 * latent, 3 * latent));
    assert.deepEqual(thinned.z.slice(latent, 2 * latent), all.z.slice(5 * latent, 6 * latent));
    assert.deepEqual(
      calls,
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
  });

  it('a trajectory that runs away is refused; a start that is not finite is an error', () => {
    const density = linear.condition(data.slice(0, dimensions), 2);
    const start = new Float32Array(2 * latent);
    const options = { density, random, positions: [0], stream: TRANSITIONS.posterior };
    const hmc = new HmcChains(options, start);
    hmc.transition(0, 1, Float64Array.of(1e30));
    assert.deepEqual(hmc.z, start);
    assert.equal(hmc.acceptance[0], 0);
    assert.throws(() => new HmcChains(options, start.fill(Number.NaN)), NotFiniteError);
  });
});
