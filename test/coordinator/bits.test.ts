// The bit contract (docs/reproducibility.md) on real MNIST: REP, PET, ERS, ERP and GLD on SHA-256 of the
// parameters.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownerComputes } from '#src/backends/simd/engine.js';
import { type TrainOptions, train } from '#src/index.js';
import { canFuse } from '#src/kernels/platform.js';
import { TILE_NAMES } from '#src/kernels/tiles/tile.js';
import { presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const STEPS = 25;

const golden = JSON.parse(
  readFileSync(new URL('../../../test/coordinator/golden.json', import.meta.url), 'utf8'),
) as Record<'portable' | 'fused', Readonly<Record<'cvae' | 'mlp' | 'iwae', string>>>;

async function hashAfter(options: TrainOptions): Promise<string> {
  return withTemporaryDirectory(async (directory) => {
    const result = await train({
      arithmetic: 'portable',
      pictures: false,
      maxSteps: STEPS,
      out: join(directory, 'run'),
      ...options,
    });
    assert.equal(result.step, options.maxSteps ?? STEPS);
    return result.parametersSha256;
  });
}

/** Without a machine that fuses there is nothing to compare. */
const skipFused = canFuse() ? false : `Node ${process.version} on this machine does not fuse multiply-adds`;

for (const model of ['cvae', 'mlp', 'iwae'] as const) {
  test(`GLD, PET: ${model} has the golden hash after ${STEPS} steps on 1, 2, 3, 4 and 8 workers`, async () => {
    for (const workers of [1, 2, 3, 4, 8]) {
      assert.equal(await hashAfter({ model, workers }), golden.portable[model], `${workers} workers`);
    }
  });

  test(`GLD: ${model} in fused arithmetic has its golden hash`, { skip: skipFused }, async () => {
    for (const workers of [1, 3]) {
      const hash = await hashAfter({ model, workers, arithmetic: 'fused' });
      assert.equal(hash, golden.fused[model], `${workers} workers`);
    }
  });
}

test('ENV: neither the tile nor re-vectorisation changes a bit', async () => {
  for (const tile of TILE_NAMES) {
    const options = { tile, model: 'cvae', maxSteps: STEPS } as const;
    assert.equal(await hashAfter({ ...options, revectorize: false }), golden.portable.cvae, tile);
    assert.equal(await hashAfter({ ...options, revectorize: true }), golden.portable.cvae, tile);
  }
});

test('PET: shards without examples on 1, 2, 3, 4 and 16 workers', async () => {
  const options: TrainOptions = { model: 'mlp', maxSteps: 4, shards: 16, batchSize: 13 };
  const first = await hashAfter({ ...options, workers: 1 });
  for (const workers of [2, 3, 4, 16]) assert.equal(await hashAfter({ ...options, workers }), first);
});

test('PET: a model of dense layers with slots, in batches too large for the owner-computes rule, on 1, 2 and 3 workers', async () => {
  const options: TrainOptions = { model: 'mlp', maxSteps: 2, batchSize: 700 };
  const input = [28, 28, 1] as const;
  const model = resolveModel(presetSpec('mlp', input), { input });
  assert.ok(!ownerComputes(model, 1, 700) && ownerComputes(model, 1, 128));
  const first = await hashAfter({ ...options, workers: 1 });
  for (const workers of [2, 3]) assert.equal(await hashAfter({ ...options, workers }), first);
});

test('REP: the same options twice give the same hash, another seed another', async () => {
  const options: TrainOptions = { model: 'mlp', maxSteps: 5 };
  const first = await hashAfter(options);
  assert.equal(await hashAfter(options), first);
  assert.notEqual(await hashAfter({ ...options, seed: 1 }), first);
});

test('PET: samples, Monte-Carlo KL, warm-up, dynamic binarisation and uneven shards on 1 and 3 workers', async () => {
  const options: TrainOptions = {
    model: 'iwae',
    maxSteps: 6,
    samples: 3,
    kl: 'monteCarlo',
    klWarmupEpochs: 1,
    beta: 0.5,
    shards: 5,
    batchSize: 13,
    binarize: 'dynamic',
  };
  assert.equal(await hashAfter({ ...options, workers: 3 }), await hashAfter({ ...options, workers: 1 }));
});

test('ERS, ERP: stopped at step 10 and resumed with other numbers of workers, cvae ends in the golden hash', async () => {
  for (const [first, second] of [
    [2, 2],
    [3, 1],
    [1, 8],
  ] as const) {
    await withTemporaryDirectory(async (directory) => {
      const out = join(directory, 'run');
      const options = { pictures: false } as const;
      const stopped = await train({ ...options, arithmetic: 'portable', out, maxSteps: 10, workers: first });
      assert.equal(stopped.step, 10);
      assert.equal(stopped.reason, 'maxSteps');
      assert.notEqual(stopped.parametersSha256, golden.portable.cvae);
      const resumed = await train({ ...options, resume: out, maxSteps: STEPS, workers: second });
      assert.equal(resumed.parametersSha256, golden.portable.cvae, `${first}, then ${second} workers`);
    });
  }
});
