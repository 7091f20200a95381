// The bounds of the formulas between the networks: wherever the arguments lie within theirs, the results do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bernoulliBackward, bernoulliLogLikelihood } from './bernoulli.js';
import { boundedBernoulliBackward, boundedLogLikelihood } from './boundedBernoulli.js';
import {
  boundedGaussianBackward,
  boundedKlAnalytic,
  boundedKlMonteCarlo,
  boundedReparameterise,
} from './boundedGaussian.js';
import { type BoundedNumber, boundedExp, boundedSigmoid, boundedTanh } from './boundedNumber.js';
import { gaussianBackward, klAnalytic, klMonteCarlo, reparameterise } from './gaussian.js';
import {
  type Arithmetic,
  type Bounded,
  elementaryError,
  exact,
  float32,
  withoutRoundings,
} from './rounding.js';
import { draw } from './smallModels.js';

const trials = 2000;

/** Numbers within ±limit whose bounds lie between 0 and ½. */
function drawBounded(length: number, seed: number, limit = 4): Bounded {
  return { value: draw(length, seed, limit), bound: draw(length, seed + 1, 1 / 2).map(Math.abs) };
}

/** Each number at one end of its bound: there an error that is forgotten cannot hide. */
function atEnds({ value, bound }: Bounded, seed: number): Float64Array {
  const signs = draw(value.length, seed).map(Math.sign);
  return value.map((v, i) => v + signs[i]! * bound[i]!);
}

/** Room for the comparison itself, whose float64 numbers are below 1,000 and pass some tens of roundings. */
const slack = 32 * 1000 * 2 ** -53;

function assertWithin(elsewhere: Float64Array, { value, bound }: Bounded, what: string): void {
  assert.equal(elsewhere.length, value.length);
  for (const [i, v] of elsewhere.entries()) {
    const shift = Math.abs(v - value[i]!);
    assert.ok(shift <= bound[i]! + slack, `${what} moves by ${shift}, bound ${bound[i]}`);
  }
}

const elementary: readonly [
  string,
  (x: number) => number,
  (x: BoundedNumber, arithmetic: Arithmetic) => BoundedNumber,
][] = [
  ['exp', Math.exp, boundedExp],
  ['sigmoid', (x) => 1 / (1 + Math.exp(-x)), boundedSigmoid],
  ['tanh', Math.tanh, boundedTanh],
];

for (const [name, f, bounded] of elementary) {
  test(`${name}: the bound covers the error of the argument and of the function`, () => {
    // So inaccurate a function that its own error shows beside the argument's.
    const arithmetic = { ...float32, elementaryUlps: 2 ** 16 };
    const x = drawBounded(trials, 1);
    const moved = atEnds(x, 3);
    const ulps = draw(trials, 4).map(Math.sign);
    for (let i = 0; i < trials; i++) {
      const result = bounded({ value: x.value[i]!, bound: x.bound[i]! }, arithmetic);
      assert.ok(Math.abs(result.value - f(x.value[i]!)) <= slack);
      const computed = f(moved[i]!) * (1 + ulps[i]! * elementaryError(arithmetic));
      const error = Math.abs(computed - result.value);
      assert.ok(error <= result.bound + slack, `${x.value[i]} ± ${x.bound[i]}: ${error} > ${result.bound}`);
    }
  });
}

test('log-likelihood and its gradient: one pixel at a time, wherever its logit lies', () => {
  const logits = drawBounded(trials, 11);
  const x = draw(trials, 13).map(Math.abs);
  const moved = atEnds(logits, 14);
  const sum = boundedLogLikelihood(logits, x, 1, 1, withoutRoundings);
  assertWithin(bernoulliLogLikelihood(moved, x, 1, 1), sum, 'log-likelihood');
  const back = boundedBernoulliBackward(logits, x, 1, 1, 0.5, withoutRoundings);
  assertWithin(bernoulliBackward(moved, x, 1, 1, 0.5), back, 'gradient');
});

test('log-likelihood: samples are averaged, examples kept apart', () => {
  const logits = drawBounded(3 * 4 * 5, 21);
  const x = draw(3 * 5, 23).map(Math.abs);
  const sum = boundedLogLikelihood(logits, x, 4, 5, withoutRoundings);
  const perSample = bernoulliLogLikelihood(logits.value, x, 4, 5);
  for (let example = 0; example < 3; example++) {
    const mean = perSample.subarray(4 * example, 4 * example + 4).reduce((total, v) => total + v / 4, 0);
    assert.ok(Math.abs(sum.value[example]! - mean) <= slack);
  }
});

test('log-likelihood: an inaccurate exp and log1p are covered', () => {
  const arithmetic = { ...float32, elementaryUlps: 2 ** 16 };
  const error = elementaryError(arithmetic);
  for (const logit of draw(trials, 31, 8)) {
    const computed = -Math.log1p(Math.exp(-Math.abs(logit)) * (1 + error)) * (1 + error) - Math.max(logit, 0);
    const sum = boundedLogLikelihood(exact(Float64Array.of(logit)), new Float64Array(1), 1, 1, arithmetic);
    assertWithin(Float64Array.of(computed), sum, `log-likelihood at ${logit}`);
  }
});

test('z and both KLs: one dimension at a time, wherever the posterior lies', () => {
  const posterior = drawBounded(2 * trials, 41, 2);
  const epsilon = draw(trials, 43, 3);
  const moved = atEnds(posterior, 44);
  const z = boundedReparameterise(posterior, epsilon, 1, 1, withoutRoundings);
  assertWithin(reparameterise(moved, epsilon, 1, 1), z, 'z');
  assertWithin(klAnalytic(moved, 1), boundedKlAnalytic(posterior, 1, withoutRoundings), 'analytic KL');
  const kl = boundedKlMonteCarlo(posterior, epsilon, z, 1, 1, withoutRoundings);
  assertWithin(klMonteCarlo(moved, epsilon, atEnds(z, 45), 1, 1), kl, 'Monte-Carlo KL');
});

for (const kl of ['analytic', 'monteCarlo'] as const) {
  test(`gradient of the posterior, ${kl} KL: wherever posterior, z and dz lie`, () => {
    const posterior = drawBounded(2 * trials, 51, 2);
    const epsilon = draw(2 * trials, 53, 3);
    const z = drawBounded(2 * trials, 54);
    const dz = drawBounded(2 * trials, 56);
    const back = boundedGaussianBackward(posterior, epsilon, z, dz, 2, 1, kl, 0.5, withoutRoundings);
    for (const seed of [60, 70, 80, 90]) {
      const [p, zs, dzs] = [atEnds(posterior, seed), atEnds(z, seed + 1), atEnds(dz, seed + 2)];
      assertWithin(gaussianBackward(p, epsilon, zs, dzs, 2, 1, kl, 0.5), back, 'gradient');
    }
  });
}
