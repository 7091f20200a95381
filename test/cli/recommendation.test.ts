// What `bench` may recommend, over rows that are given.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeasuredVariant } from '#src/coordinator/measuredVariant.js';
import { recommend } from '#src/coordinator/recommendation.js';

function row(workers: number, imagesPerSecond: number, spread: number, more: Partial<MeasuredVariant> = {}) {
  return {
    workers,
    backend: 'simd',
    arithmetic: 'fused',
    revectorized: false,
    tile: '6x8',
    imagesPerSecond,
    spread,
    epochSeconds: 60_000 / imagesPerSecond,
    ...more,
  } satisfies MeasuredVariant;
}

describe('recommend', () => {
  it('names the fastest row where the others are farther away than rounds differ', () => {
    const rows = [row(2, 1000, 0.03), row(1, 520, 0.05)];
    assert.deepEqual(recommend(rows), { recommended: rows[0], undecided: [] });
  });

  it('names none where the spread of the fastest row is larger than its distance from the next', () => {
    const rows = [row(2, 1000, 0.3), row(1, 800, 0.01), row(1, 500, 0.01, { arithmetic: 'portable' })];
    assert.deepEqual(recommend(rows), { recommended: undefined, undecided: rows.slice(0, 2) });
  });

  it('names none where the spread of another row is larger than its distance, wherever it stands', () => {
    const rows = [row(2, 1000, 0.02), row(1, 900, 0.02), row(1, 500, 0.6, { arithmetic: 'portable' })];
    assert.deepEqual(recommend(rows), { recommended: undefined, undecided: [rows[0], rows[2]] });
  });

  it('decides at a distance that is just the spread', () => {
    const rows = [row(2, 1000, 0.25), row(1, 750, 0.1)];
    assert.equal(recommend(rows).recommended, rows[0]);
  });

  it('names what train does by default where that is as fast but for 2 %, and the measurement tells them apart', () => {
    const usual = row(2, 985, 0.01);
    const rows = [row(1, 1000, 0.01, { arithmetic: 'portable' }), usual];
    assert.equal(recommend(rows).recommended, usual);
    const slower = [rows[0]!, row(2, 975, 0.01)];
    assert.equal(recommend(slower).recommended, rows[0]);
  });

  it('leaves other backends out, however fast or noisy they are', () => {
    const rows = [row(2, 2000, 5, { backend: 'wasm' }), row(2, 1000, 0.01), row(1, 500, 0.01)];
    assert.equal(recommend(rows).recommended, rows[1]);
  });
});
