// The bit contract with every layer that no preset has: whole runs on small data, on 1, 2 and 3 workers, and
// resumed.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownerComputes } from '#src/backends/simd/engine.js';
import { type ModelSpec, resolveModel, train } from '#src/index.js';
import { smallData } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const convolutional: ModelSpec = {
  name: 'every-layer',
  latent: 2,
  encoder: [
    { type: 'conv2d', filters: 6, kernel: 3, padding: 'same', activation: 'gelu' },
    { type: 'maxPool', size: 2 },
    {
      type: 'residual',
      layers: [
        { type: 'silu' },
        {
          type: 'conv2d',
          filters: 6,
          kernel: 3,
          padding: 'same',
          activation: { type: 'leakyRelu', slope: 0.1 },
        },
        { type: 'conv2d', filters: 6, kernel: 3, padding: 'same' },
      ],
    },
    { type: 'avgPool', size: 3, strides: 2, padding: 'same' },
    { type: 'flatten' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 4 * 4 * 3, activation: 'sigmoid' },
    { type: 'reshape', shape: [4, 4, 3] },
    {
      type: 'residual',
      layers: [{ type: 'conv2dTranspose', filters: 3, kernel: 3, padding: 'same', activation: 'relu' }],
    },
    { type: 'upsample', size: 2 },
    { type: 'conv2dTranspose', filters: 'channels', kernel: 3, padding: 'same' },
  ],
};

/** Trained by the owner-computes rule. */
const dense: ModelSpec = {
  name: 'dense-blocks',
  latent: 2,
  encoder: [
    { type: 'maxPool', size: 2 },
    { type: 'flatten' },
    {
      type: 'residual',
      layers: [
        { type: 'dense', units: 60, activation: 'relu' },
        { type: 'dense', units: 16 },
      ],
    },
    { type: 'gelu' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 32, activation: 'silu' },
    { type: 'residual', layers: [{ type: 'dense', units: 32, activation: 'leakyRelu' }] },
    { type: 'dense', units: 'pixels' },
  ],
};

const training = { batchSize: 13, shards: 5, samples: 2, epochs: 2, learningRate: 0.01 } as const;
const fixed = { arithmetic: 'portable', pictures: false, ...training } as const;

for (const model of [convolutional, dense]) {
  test(`${model.name}: the same SHA-256 on 1, 2 and 3 workers, and when resumed on another number`, async () => {
    await withTemporaryDirectory(async (directory) => {
      const data = await smallData(directory);
      const run = async (workers: number) => {
        const out = join(directory, `workers-${workers}`);
        return await train({ ...fixed, model, data, out, workers });
      };
      const first = await run(1);
      for (const workers of [2, 3]) {
        assert.equal((await run(workers)).parametersSha256, first.parametersSha256, `${workers} workers`);
      }
      const out = join(directory, 'resumed');
      const stopped = await train({ ...fixed, model, data, out, workers: 3, maxSteps: 5 });
      assert.notEqual(stopped.parametersSha256, first.parametersSha256);
      const resumed = await train({
        resume: out,
        data,
        pictures: false,
        epochs: training.epochs,
        workers: 2,
      });
      assert.equal(resumed.parametersSha256, first.parametersSha256);
    });
  });
}

test('one of the two goes by the owner-computes rule, the other by slots', () => {
  const owned = [convolutional, dense].map((spec) =>
    ownerComputes(resolveModel(spec, { input: [8, 8, 1] }), training.samples, training.batchSize),
  );
  assert.deepEqual(owned, [false, true]);
});
