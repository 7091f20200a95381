// Estimators of the encoder's gradient: their expectations against finite differences of exact bounds, and
// their variances.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatentModel } from '#src/inference/latentModel.js';
import { resolveModel } from '#src/model/resolve.js';
import type { ModelSpec } from '#src/model/spec.js';
import { ESTIMATORS, type EstimatorName, estimatorOf } from '#src/objective/estimators/registry.js';
import type { ObjectiveName } from '#src/objective/registry.js';
import { words } from '../kernels/float32.js';
import { referenceObjective } from '../reference/elbo.js';
import { drawInputs } from '../reference/smallModels.js';

/** d = 1 and K = 2 at most, so that expectations are sums over a grid of one or two dimensions. */
const tiny: ModelSpec = {
  name: 'tiny',
  input: [2, 2, 1],
  latent: 1,
  encoder: [{ type: 'flatten' }, { type: 'dense', units: 'posterior' }],
  decoder: [
    { type: 'dense', units: 3, activation: 'tanh' },
    { type: 'dense', units: 'pixels' },
  ],
};
const model = resolveModel(tiny);
const inputs = drawInputs(model, 1, 1, 5);
const parameters = Float32Array.from(inputs.parameters);
const x = Float32Array.from(inputs.x);

/**
 * E over epsilon ~ N(0, I_K) of the objective. The trapezoid rule at a distance of 0.1 on ±8 has the
 * precision of float64 for functions as smooth as this one.
 */
function exactBound(at: Float64Array, objective: ObjectiveName, samples: number, beta: number): number {
  const grid = Array.from({ length: 161 }, (_, i) => (i - 80) / 10);
  const density = grid.map((e) => (Math.exp((-e * e) / 2) / Math.sqrt(2 * Math.PI)) * 0.1);
  const points = samples === 1 ? grid.length : grid.length ** 2;
  const epsilon = new Float64Array(points * samples);
  const mass = new Float64Array(points);
  for (let point = 0; point < points; point++) {
    const [first, second] = [point % grid.length, Math.floor(point / grid.length)];
    epsilon[point * samples] = grid[first]!;
    mass[point] = density[first]!;
    if (samples === 1) continue;
    epsilon[point * samples + 1] = grid[second]!;
    mass[point]! *= density[second]!;
  }
  const repeated = new Float64Array(points * x.length);
  for (let point = 0; point < points; point++) repeated.set(x, point * x.length);
  const options = { samples, beta, objective, kl: 'monteCarlo' } as const;
  const values = referenceObjective(model, at, repeated, epsilon, options);
  return values.reduce((sum, value, point) => sum + value * mass[point]!, 0);
}

/** −d(bound)/d(parameter) by central differences. */
function exactGradient(objective: ObjectiveName, samples: number, beta: number): Float64Array {
  const h = 1e-4;
  return Float64Array.from(parameters, (value, i) => {
    const moved = (by: number) =>
      exactBound(Float64Array.from(parameters).with(i, value + by), objective, samples, beta);
    return (moved(-h) - moved(h)) / (2 * h);
  });
}

const DRAWS = 40_000;
const CHUNK = 400;

interface Moments {
  readonly mean: Float64Array;
  /** Standard error of the mean, for each parameter. */
  readonly standardError: Float64Array;
  /** The sum over the parameters of the variance of a single gradient. */
  readonly variance: number;
}

/** Standard normal, by Box and Muller. */
function normals(count: number, seed: number): Float32Array {
  const next = words(seed);
  const uniform = () => (next() + 0.5) / 2 ** 32;
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** Moments of an estimator's gradient over draws of the noise: one example many times, in chunks. */
function momentsOf(
  objective: ObjectiveName,
  estimator: EstimatorName,
  samples: number,
  beta: number,
): Moments {
  const latentModel = new LatentModel(model, parameters);
  const repeated = new Float32Array(CHUNK * x.length);
  for (let i = 0; i < CHUNK; i++) repeated.set(x, i * x.length);
  const { size } = model.parameters;
  const [sum, squares] = [new Float64Array(size), new Float64Array(size)];
  const chunks = DRAWS / CHUNK;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const noise = normals(CHUNK * samples, 1000 + chunk);
    const options = { objective, estimator, beta, kl: 'monteCarlo' } as const;
    const { gradient } = latentModel.elboGradients(parameters, repeated, noise, options);
    gradient.forEach((value, i) => {
      sum[i]! += value;
      squares[i]! += value * value;
    });
  }
  const mean = sum.map((value) => value / chunks);
  const variances = squares.map((value, i) => (value - chunks * mean[i]! ** 2) / (chunks - 1));
  return {
    mean,
    standardError: variances.map((variance) => Math.sqrt(variance / chunks)),
    variance: variances.reduce((total, variance) => total + variance * CHUNK, 0),
  };
}

const cases = [
  { objective: 'elbo', samples: 1, beta: 1 },
  { objective: 'elbo', samples: 2, beta: 0.5 },
  { objective: 'iwae', samples: 2, beta: 1 },
  { objective: 'iwae', samples: 2, beta: 0.5 },
] as const;

/** The encoder's parameters come first. */
const encoderSize = 4 * 2 + 2;

for (const { objective, samples, beta } of cases) {
  const exact = exactGradient(objective, samples, beta);
  const variances = new Map<EstimatorName, number>();
  for (const name of Object.keys(ESTIMATORS) as EstimatorName[]) {
    const { leastSamples, biasedFor } = estimatorOf(name);
    if (samples < leastSamples) continue;
    const biased = samples > 1 && biasedFor.includes(objective);
    const title = `${objective}, K = ${samples}, beta ${beta}: ${name}`;
    test(`${title} ${biased ? 'has its bias' : 'has the gradient of the exact bound as its expectation'}`, () => {
      const { mean, standardError, variance } = momentsOf(objective, name, samples, beta);
      variances.set(name, variance);
      // A float32 rounding of each gradient, and 5 standard errors: one in 10⁶ falls outside by chance.
      const off = mean.map((value, i) => Math.abs(value - exact[i]!) / (5 * standardError[i]! + 1e-5));
      const worst = Math.max(...off);
      if (biased) assert.ok(Math.max(...off.subarray(0, encoderSize)) > 2, `no bias shows: ${worst}`);
      else assert.ok(worst <= 1, `off by ${worst} of what is allowed: ${mean}; exact ${exact}`);
    });
  }
  if (samples > 1) {
    test(`${objective}, beta ${beta}: the baseline lowers the score function's variance`, () => {
      const [plain, lowered] = [variances.get('score-function')!, variances.get('score-function-baseline')!];
      assert.ok(lowered < plain / 2, `${plain} without, ${lowered} with a baseline`);
    });
  }
}
