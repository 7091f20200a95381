// The bit contract (docs/reproducibility.md) on real MNIST, in short: each kind of the matrix that
// `npm run test:bits` runs in full, on SHA-256 of parameters and optimizer's state.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownerComputes } from '#src/backends/simd/engine.js';
import { type TrainOptions, train } from '#src/index.js';
import { canFuse } from '#src/kernels/platform.js';
import { TILE_NAMES } from '#src/kernels/tiles/tile.js';
import { presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import { loadCheckpoint } from '#src/runs/checkpoint.js';
import { readGolden, type StepHashes, stateHashes, traceOf } from './bitsTrace.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const MODELS = ['cvae', 'mlp', 'iwae'] as const;

type OfModels<T> = Readonly<Record<(typeof MODELS)[number], T>>;

/** The hash of the parameters after the last step. */
const golden = readGolden<OfModels<string>>('golden.json');
/** The hashes of parameters and optimizer's state after several steps. */
const traces = readGolden<OfModels<readonly StepHashes[]>>('bits.json');

const steps = traces.portable.cvae.map(({ step }) => step);
const STEPS = steps.at(-1)!;

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

for (const [model, counts] of [
  ['cvae', [1, 3]],
  ['mlp', [2, 8]],
  ['iwae', [1, 4]],
] as const) {
  test(`GLD, PET: ${model} has the golden hashes at steps ${steps.join(', ')} on ${counts.join(' and ')} workers`, async () => {
    for (const workers of counts) {
      const trace = await traceOf({ model, workers, arithmetic: 'portable' }, steps);
      assert.deepEqual(trace.steps, traces.portable[model], `${workers} workers`);
    }
  });

  test(`GLD: ${model} in fused arithmetic has its golden hashes`, { skip: skipFused }, async () => {
    const trace = await traceOf({ model, workers: 2, arithmetic: 'fused' }, steps);
    assert.deepEqual(trace.steps, traces.fused[model]);
  });

  test(`GLD: the last of the golden hashes of ${model} are those of golden.json`, () => {
    for (const arithmetic of ['portable', 'fused'] as const) {
      assert.equal(traces[arithmetic][model].at(-1)!.parameters, golden[arithmetic][model]);
    }
  });
}

test('ENV: neither the tile nor re-vectorisation changes a bit', async () => {
  const short = steps.slice(0, 3);
  for (const [index, tile] of TILE_NAMES.entries()) {
    const options = { tile, model: 'cvae', arithmetic: 'portable', revectorize: index % 2 === 0 } as const;
    const trace = await traceOf(options, short);
    assert.deepEqual(trace.steps, traces.portable.cvae.slice(0, 3), tile);
  }
});

test('PET: shards without examples on 1, 3 and 16 workers', async () => {
  const options: TrainOptions = { model: 'mlp', maxSteps: 4, shards: 16, batchSize: 13 };
  const first = await hashAfter({ ...options, workers: 1 });
  for (const workers of [3, 16]) assert.equal(await hashAfter({ ...options, workers }), first);
});

test('PET: a model of dense layers with slots, in batches too large for the owner-computes rule, on 1 and 3 workers', async () => {
  const options: TrainOptions = { model: 'mlp', maxSteps: 2, batchSize: 700 };
  const input = [28, 28, 1] as const;
  const model = resolveModel(presetSpec('mlp', input), { input });
  assert.ok(!ownerComputes(model, 1, 700) && ownerComputes(model, 1, 128));
  const first = await hashAfter({ ...options, workers: 1 });
  assert.equal(await hashAfter({ ...options, workers: 3 }), first);
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

test('ERS, ERP: stopped at step 10 and resumed with other numbers of workers, cvae ends in the golden hashes', async () => {
  for (const [first, second] of [
    [2, 2],
    [3, 1],
  ] as const) {
    await withTemporaryDirectory(async (directory) => {
      const out = join(directory, 'run');
      const options = { pictures: false } as const;
      const hashesAt = (step: number) => {
        const name = `step-${String(step).padStart(9, '0')}.safetensors`;
        return { step, ...stateHashes(loadCheckpoint(join(out, 'checkpoints', name))) };
      };
      const stopped = await train({ ...options, arithmetic: 'portable', out, maxSteps: 10, workers: first });
      assert.equal(stopped.step, 10);
      assert.equal(stopped.reason, 'maxSteps');
      const resumed = await train({ ...options, resume: out, maxSteps: STEPS, workers: second });
      assert.equal(resumed.parametersSha256, golden.portable.cvae, `${first}, then ${second} workers`);
      assert.deepEqual([hashesAt(10), hashesAt(STEPS)], traces.portable.cvae.slice(-2));
    });
  }
});
