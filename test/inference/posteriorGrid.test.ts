import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorGrid, squareAround, squareWithPosterior } from '#src/inference/posteriorGrid.js';
import { curvedDensity } from './oracles/curved.js';
import { gridPosterior } from './oracles/quadrature.js';

const data = [0.6, 1.1];
const density = curvedDensity(2, data, 100);

test('the grid has the mean of the exact posterior, and 1 at its largest point', () => {
  const side = 120;
  const square = { middle: [0.3, 0.2], reach: 3.5 } as const;
  const grid = posteriorGrid(density, square, side);
  assert.equal(
    grid.reduce((a, b) => Math.max(a, b)),
    1,
  );
  const total = grid.reduce((a, b) => a + b);
  const exact = gridPosterior(curvedDensity(2, data, 4096));
  const place = (cell: number) => square.reach * ((2 * cell + 1) / side - 1);
  const mean = [0, 0];
  grid.forEach((value, i) => {
    mean[0]! += (value / total) * (square.middle[0] + place(i % side));
    mean[1]! += (value / total) * (square.middle[1] + place(Math.floor(i / side)));
  });
  for (const axis of [0, 1]) assert.ok(Math.abs(mean[axis]! - exact.mean[axis]!) < 1e-5, `${mean}`);
});

test('the grid of a density that is nowhere finite is NaN', () => {
  const broken = { ...density, evaluate: (rows: number) => density.logLikelihood.fill(Number.NaN, 0, rows) };
  assert.ok(posteriorGrid(broken, { middle: [0, 0], reach: 1 }, 8).every(Number.isNaN));
});

test('the square around points holds them with a margin', () => {
  const { middle, reach } = squareAround(Float32Array.of(1, 5, 3, 6, 2, 5.5));
  assert.deepEqual(middle, [2, 5.5]);
  assert.ok(Math.abs(reach - 1.2) < 1e-12);
});

test('a square that cuts the posterior off grows, and one that holds it stays', () => {
  const away = { middle: [-1, 2], reach: 0.3 } as const;
  const { middle, reach } = squareWithPosterior(density, away);
  assert.deepEqual(middle, away.middle);
  const { mean, covariance } = gridPosterior(curvedDensity(2, data, 4096));
  for (const axis of [0, 1] as const) {
    const sigma = Math.sqrt(covariance[3 * axis]!);
    for (const end of [-2, 2]) assert.ok(Math.abs(mean[axis]! + end * sigma - middle[axis]) < reach);
  }
  const wide = { middle: [0.3, 0.2], reach: 3.5 } as const;
  assert.deepEqual(squareWithPosterior(density, wide), wide);
});
