import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpolate, LatentModel, manifold } from '#src/index.js';
import { normalQuantile } from '#src/inference/normalQuantile.js';
import { draw, smallModels } from '../reference/smallModels.js';

test('the normal quantile at published points, and odd about one half', () => {
  // Quantiles to 16 digits as tabulated in Wichura (1988) and in any table of the normal distribution.
  for (const [p, expected] of [
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.841344746068543, 1],
    [0.25, -0.674489750196082],
    [0.001, -3.090232306167813],
    [1e-20, -9.262340089798409],
  ] as const) {
    const actual = normalQuantile(p);
    // AS 241 claims about 1 part in 10^16; the given digits are good to 1e-15, the argument's rounding moves a tail by as much.
    assert.ok(Math.abs(actual - expected) <= 4e-15 * Math.max(1, Math.abs(expected)), `${p}: ${actual}`);
  }
  for (const p of [0.01, 0.1, 0.3, 0.45])
    assert.ok(Math.abs(normalQuantile(p) + normalQuantile(1 - p)) < 1e-14);
  assert.throws(() => normalQuantile(0), /between 0 and 1, not 0/);
  assert.throws(() => normalQuantile(Number.NaN), RangeError);
});

test('the normal quantile inverts the distribution function, integrated numerically', () => {
  for (const p of [0.02, 0.2, 0.6, 0.9, 0.9999]) {
    // Simpson's rule from 0 to the quantile: error below h⁴·|f⁗|·length/180 < 1e-12 at 2000 steps.
    const quantile = normalQuantile(p);
    const h = quantile / 2000;
    const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
    let sum = density(0) + density(quantile);
    for (let i = 1; i < 2000; i++) sum += (i % 2 === 1 ? 4 : 2) * density(i * h);
    assert.ok(Math.abs(0.5 + (sum * h) / 3 - p) < 1e-11, `${p}`);
  }
});

test('interpolate goes straight from one point to the other, ends included', () => {
  const points = interpolate(Float32Array.of(0, 4, 1, 1), Float32Array.of(2, 0, 1, 3), 2, 3);
  assert.deepEqual(Array.from(points), [0, 4, 1, 2, 2, 0, 1, 1, 1, 2, 1, 3]);
});

test('manifold: z1 grows to the right, z2 grows upwards, cells of equal prior probability', () => {
  const model = smallModels[0]!;
  const parameters = Float32Array.from(draw(model.parameters.size, 1, 1 / 2));
  const latentModel = new LatentModel(model, parameters);
  const { axis, means } = manifold(latentModel, 4);
  assert.deepEqual(
    axis,
    [1 / 8, 3 / 8, 5 / 8, 7 / 8].map((p) => normalQuantile(p)),
  );
  const at = (row: number, column: number) => {
    const cell = (row * 4 + column) * model.dimensions;
    return means.slice(cell, cell + model.dimensions);
  };
  const decode = (z1: number, z2: number) =>
    latentModel.decode(Float32Array.of(z1, z2), { as: 'probabilities' });
  assert.deepEqual(at(0, 0), decode(axis[0]!, axis[3]!));
  assert.deepEqual(at(0, 3), decode(axis[3]!, axis[3]!));
  assert.deepEqual(at(3, 1), decode(axis[1]!, axis[0]!));
});

test('a manifold needs two latent dimensions', () => {
  const model = smallModels[1]!;
  const latentModel = new LatentModel(model, new Float32Array(model.parameters.size));
  assert.throws(
    () => manifold(latentModel, 4),
    /^UsageError: A manifold is drawn over two latent dimensions, but the model dense has 3\. Train with --latent 2\.$/,
  );
});
