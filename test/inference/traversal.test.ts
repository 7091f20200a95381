import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpolate, LatentModel, manifold, UsageError } from '#src/index.js';
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
    // AS 241 claims about 1 part in 10^16; the given digits are good to 1e-15, the argument's rounding moves
    // a tail by as much.
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

test('traversals that do not fit are refused with a sentence', () => {
  const refuses = (work: () => unknown, message: string) => assert.throws(work, new UsageError(message));
  const two = Float32Array.of(0, 1);
  refuses(
    () => interpolate(two, new Float32Array(4), 2, 3),
    'interpolate(): to holds 4 values, expected 2, as many as from.',
  );
  refuses(
    () => interpolate(new Float32Array(3), two, 2, 3),
    'interpolate(): from holds 3 values, expected a multiple of 2, one row after the other.',
  );
  refuses(() => interpolate(two, two, 0, 3), 'interpolate(): latent is 0, expected a positive integer.');
  refuses(() => interpolate(two, two, 2, 1.5), 'interpolate(): steps is 1.5, expected a positive integer.');
  refuses(
    () => interpolate(two, two, 2, 1e12),
    'interpolate(): steps asks for 1000000000000 rows of 2 values, expected at most 536870912: a result may have 4 GiB. ' +
      'Ask for fewer at a time.',
  );
  refuses(
    () => interpolate(two, Float32Array.of(0, Number.NaN), 2, 3),
    'interpolate(): to is NaN at row 0, column 1.',
  );
  const plane = smallModels.find(({ latent }) => latent === 2)!;
  const model = new LatentModel(plane, Float32Array.from(draw(plane.parameters.size, 1)));
  refuses(() => manifold(model, 0), 'manifold(): side is 0, expected a positive integer.');
  assert.throws(
    () => manifold(model, 1e6),
    /^UsageError: manifold\(\): side asks for 1000000000000 rows of \d+ values/,
  );
  refuses(
    () => manifold({} as never, 3),
    'manifold(): model is an object, expected a LatentModel, as loadModel returns it.',
  );
});
