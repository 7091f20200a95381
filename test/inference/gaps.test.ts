import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approximationGap, optimizePosterior } from '#src/inference/gaps.js';
import { KernelRandom } from '#src/inference/kernelRandom.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { randomKey } from '#src/kernels/stream.js';
import { draw } from '../reference/smallModels.js';
import { LinearGaussian } from './oracles/linearGaussian.js';
import { choleskyOf } from './oracles/normal.js';

const random = new KernelRandom(inferencePlatform('portable', false).module, randomKey(5n));
const [latent, dimensions] = [2, 4];
const model = new LinearGaussian({
  latent,
  dimensions,
  // Columns much alike: the posterior is far from diagonal.
  weights: [1, 0.9, -0.6, -0.4, 0.5, 0.7, 0.3, 0.2],
  bias: draw(dimensions, 2),
  sigma: 0.5,
});
const x = draw(dimensions, 3);
const exact = model.posterior(x);

/** ½ log det of [2, 2] precision or covariance. */
const halfLogDeterminant = (matrix: Float64Array) =>
  choleskyOf(matrix).reduce((sum, value, at) => (at % (latent + 1) === 0 ? sum + Math.log(value) : sum), 0);

/** Variances of the best diagonal Gaussian: 1 / the diagonal of the true posterior's precision. */
const [a, b, , d] = exact.covariance as unknown as [number, number, number, number];
const bestVariance = [a - (b * b) / d, d - (b * b) / a];
/** KL(best diagonal Gaussian ‖ true posterior): its means agree, and its trace term is the dimension. */
const exactGap =
  halfLogDeterminant(exact.covariance) - bestVariance.reduce((sum, v) => sum + Math.log(v) / 2, 0);

const start = { mu: Float32Array.of(0.5, -0.5), logvar: Float32Array.of(0, -1) };
const DRAWS = 64;
const SAMPLES = 20_000;
const task = {
  density: model.condition(x, DRAWS),
  posterior: start,
  random,
  position: 3,
  steps: 600,
  samples: SAMPLES,
};
const found = optimizePosterior(task);

test('the optimised q is the best diagonal Gaussian of a linear-Gaussian model', () => {
  for (let j = 0; j < latent; j++) {
    // The noise of the last steps is averaged by a falling rate: a few hundredths of a standard deviation.
    const deviation = Math.sqrt(bestVariance[j]!);
    const { mu, logvar } = found.posterior;
    assert.ok(Math.abs(mu[j]! - exact.mean[j]!) < 0.05 * deviation, `${mu} for ${exact.mean}`);
    assert.ok(Math.abs(logvar[j]! - Math.log(bestVariance[j]!)) < 0.1, `${logvar} for ${bestVariance}`);
  }
});

test('the approximation gap is the KL of the best Gaussian from the true posterior', () => {
  const gap = approximationGap(model.logMarginal(x), found);
  // log p(x|z) varies by about the latent dimension's nats over draws: a standard error of 2 / √samples.
  const error = latent / Math.sqrt(SAMPLES);
  assert.ok(exactGap > 10 * error, `${exactGap} is too small to be seen`);
  assert.ok(Math.abs(gap - exactGap) < 4 * error, `${gap} ± ${error}, exactly ${exactGap}`);
});

test('the amortisation gap is the gain over the start, and is never negative', () => {
  assert.ok(found.amortizationGap > 0.1 && found.elbo + found.amortizationGap === found.optimizedElbo);
  const again = optimizePosterior({ ...task, posterior: found.posterior, steps: 1 });
  assert.ok(again.amortizationGap >= 0 && again.amortizationGap < 0.01, `${again.amortizationGap}`);
});

test('the result is a function of seed, example and start alone', () => {
  const other = optimizePosterior({ ...task, density: model.condition(x, DRAWS) });
  assert.deepEqual(other, found);
  const elsewhere = optimizePosterior({ ...task, position: 4 });
  assert.notDeepEqual(elsewhere.posterior, found.posterior);
});
