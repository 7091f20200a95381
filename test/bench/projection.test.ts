// Every expected value is worked out by hand in the comment beside it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decidedBytes } from '#src/worker/decisions.js';
import type { Link } from '../../bench/networkModel.js';
import {
  aloneRate,
  type MeasuredHost,
  ownBatches,
  type Projected,
  type Projection,
  project,
} from '../../bench/projection.js';

/** 1 ms for each two images, and nothing else. */
const HOST: MeasuredHost = {
  ...{ model: 'mlp', parameters: 1024, add: 0, update: 0 },
  gradient: ({ shards, shardSize }) => (shards * shardSize * 1e-3) / 2,
};
/** A message takes 1 ms, whatever its size: two exchanges are 2 ms. */
const SLOW: Link = { latency: 1e-3, bandwidth: Number.POSITIVE_INFINITY, message: 0 };
const INSTANT: Link = { ...SLOW, latency: 0 };
const batches = { weak: { shards: 2, shardSize: 4 }, strong: { shards: 32, shardSize: 2 } };

function assertNear(value: number, expected: number): void {
  assert.ok(Math.abs(value - expected) <= 1e-12 * expected, `${value} is not ${expected}`);
}

const projected = (hosts: readonly number[], links: readonly Link[] = [SLOW]): Projected => ({
  ...{ hosts, links, batches },
});

function rowOf(rows: readonly Projection[], scaling: Projection['scaling'], hosts: number): Projection {
  return rows.find((row) => row.scaling === scaling && row.hosts === hosts)!;
}

test('weak scaling: each host has 2 shards of 4 images, whoever else there is', () => {
  const row = rowOf(project(HOST, projected([4])), 'weak', 4);
  assert.deepEqual(row.batch, { shards: 8, shardSize: 4 });
  // 8 images are 4 ms; 32 images in 6 ms.
  assertNear(row.compute, 4e-3);
  assertNear(row.network, 2e-3);
  assertNear(row.imagesPerSecond, 32 / 6e-3);
  assertNear(row.efficiency, 4 / 6);
  // The first host: 2 · 3/4 · 1,024 floats; to 3 others the terms of 2 shards, 64 bytes, and what it decides.
  const { first, end } = decidedBytes(0);
  assertNear(row.bytes, 6144 + 3 * (64 + end - first));
  assertNear(rowOf(project(HOST, projected([4], [INSTANT])), 'weak', 4).efficiency, 1);
});

test('strong scaling: 64 images in 32 shards, shared by all hosts', () => {
  const rows = project(HOST, projected([1, 2, 5, 32, 64]));
  // One host: 32 ms. Two: 16 and 2 ms of network.
  assertNear(rowOf(rows, 'strong', 1).total, 32e-3);
  assertNear(rowOf(rows, 'strong', 1).efficiency, 1);
  assertNear(rowOf(rows, 'strong', 2).total, 18e-3);
  assertNear(rowOf(rows, 'strong', 2).efficiency, 32 / (2 * 18));
  // The host that has most of 32 shards has 7.
  assertNear(rowOf(rows, 'strong', 5).compute, 7e-3);
  assertNear(rowOf(rows, 'strong', 32).efficiency, 32 / (32 * 3));
  assert.equal(rowOf(rows, 'strong', 64), undefined, '64 hosts cannot share 32 shards');
  assert.equal(rows.length, 5 + 4);
});

test('one host alone: its gradient, and the optimizer on all parameters', () => {
  // 8 images: 4 ms, and 1,024 floats of 1 µs.
  assertNear(aloneRate({ ...HOST, update: 1e-6 }, batches.weak), 8 / (4e-3 + 1.024e-3));
});

test('what has to be measured: the step of each host, and of one host alone', () => {
  assert.deepEqual(ownBatches(projected([2, 5, 64])), [
    { shards: 2, shardSize: 4 },
    ...[32, 16, 7].map((shards) => ({ shards, shardSize: 2 })),
  ]);
});

test('a row for each link', () => {
  const rows = project(HOST, projected([2], [SLOW, INSTANT]));
  assert.deepEqual(
    rows.map(({ scaling, link }) => [scaling, link]),
    [
      ['weak', SLOW],
      ['weak', INSTANT],
      ['strong', SLOW],
      ['strong', INSTANT],
    ],
  );
});
