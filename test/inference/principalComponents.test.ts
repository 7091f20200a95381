import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projectToPlane } from '#src/inference/principalComponents.js';
import { draw } from '../reference/smallModels.js';

/**
 * Rows mean + a·(3/5, 0, 4/5) + b·(0, -1, 0) + c·(4/5, 0, -3/5), of (a, b, c) that are uncorrelated by
 * construction.
 */
function planted(rows: readonly (readonly [number, number, number])[]): Float32Array {
  return Float32Array.from(
    rows.flatMap(([a, b, c]) => [10 + 0.6 * a + 0.8 * c, 20 - b, 30 + 0.8 * a - 0.6 * c]),
  );
}

describe('projectToPlane', () => {
  const rows = [
    [4, 2, 1],
    [4, -2, -1],
    [-4, 2, -1],
    [-4, -2, 1],
  ] as const;

  it('finds the two directions of largest variance, and their shares', () => {
    const { points, shares } = projectToPlane(planted(rows), 3);
    // Variances 16, 4, 1. The second direction's largest coordinate, -1, becomes positive: its sign turns.
    rows.forEach(([a, b], row) => {
      // Float32 rows near 30 err by 2⁻²⁰; five of them are added at most.
      assert.ok(Math.abs(points[2 * row]! - a) < 1e-5, `${points}`);
      assert.ok(Math.abs(points[2 * row + 1]! + b) < 1e-5, `${points}`);
    });
    assert.ok(Math.abs(shares[0] - 16 / 21) < 1e-6 && Math.abs(shares[1] - 4 / 21) < 1e-6);
  });

  it('leaves rows out of the sums that are not finite', () => {
    const finite = projectToPlane(planted(rows), 3);
    const broken = projectToPlane(Float32Array.of(...planted(rows), Number.NaN, 1, 2), 3);
    assert.deepEqual(broken.points.subarray(0, 8), finite.points);
    assert.ok(broken.points.subarray(8).every(Number.isNaN));
    assert.deepEqual(broken.shares, finite.shares);
  });

  it('is of one opinion with the covariance on random rows: uncorrelated, and no direction has more variance', () => {
    const [n, d] = [300, 12];
    const noise = draw(n * d, 5);
    const values = noise.map((value, i) => value * (1 + (i % d)) + (noise[i - (i % d)] ?? 0));
    const { points } = projectToPlane(Float32Array.from(values), d);
    const moment = (a: number, b: number) => {
      let sum = 0;
      for (let row = 0; row < n; row++) sum += points[2 * row + a]! * points[2 * row + b]!;
      return sum / n;
    };
    // Orthogonal eigenvectors make uncorrelated coordinates; the iteration ends within 1e-10 of them times a
    // gap below 1e4.
    assert.ok(Math.abs(moment(0, 1)) < 1e-6 * moment(0, 0), `${moment(0, 1)}`);
    for (let i = 0; i < d; i++) {
      let [sum, squares] = [0, 0];
      for (let row = 0; row < n; row++) {
        sum += Math.fround(values[row * d + i]!);
        squares += Math.fround(values[row * d + i]!) ** 2;
      }
      assert.ok(squares / n - (sum / n) ** 2 <= moment(0, 0) * (1 + 1e-9));
    }
  });

  it('has points and no variance where all rows are equal, or none is finite', () => {
    const equal = projectToPlane(Float32Array.of(1, 2, 3, 1, 2, 3), 3);
    assert.deepEqual([...equal.points], [0, 0, 0, 0]);
    assert.deepEqual(equal.shares, [0, 0]);
    assert.ok(projectToPlane(new Float32Array(6).fill(Number.NaN), 3).points.every(Number.isNaN));
  });
});
