// Runs from a published recipe.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RunConfig, type TrainOptions, train, UsageError } from '#src/index.js';
import { smallData } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const withRun = (use: (options: TrainOptions & { readonly out: string }) => Promise<void>) =>
  withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    await use({ data, out: join(directory, 'run'), pictures: false, workers: 1, maxSteps: 2 });
  });

const readConfig = async (directory: string) =>
  JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')) as RunConfig;

test('iwae-paper: the numbers of Burda et al. 2016, for as many stages as are asked for', async () => {
  await withRun(async (options) => {
    await train({ ...options, preset: 'iwae-paper', stages: 5 });
    const { model, data: _, arithmetic: __, ...config } = await readConfig(options.out);
    assert.deepEqual(config, {
      ...{
        formatVersion: 1,
        latent: 50,
        binarize: 'dynamic',
        seed: '0',
        batchSize: 20,
        shards: 8,
        samples: 5,
      },
      ...{ kl: 'monteCarlo', beta: 1, klWarmupEpochs: 0, learningRate: 1e-3, objective: 'iwae' },
      ...{ adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-4 }, learningRateSchedule: 'stages' },
      ...{ epochs: 121, backend: 'simd' },
    });
    assert.equal(model.outputBias, 'dataMean');
    assert.deepEqual(
      [...model.encoder, ...model.decoder].map((layer) =>
        layer.type === 'dense' ? layer.units : layer.type,
      ),
      ['flatten', 200, 200, 'posterior', 200, 200, 'pixels'],
    );

    const { out, ...others } = options;
    const resumed = await train({ ...others, resume: out, stages: 6, maxSteps: 3 });
    assert.equal(resumed.step, 3);
    assert.equal((await readConfig(out)).epochs, 364, 'a run may go on for more stages');
  });
});

test('iwae-paper: all eight stages by default, and options stand above the preset', async () => {
  await withRun(async (options) => {
    await train({ ...options, preset: 'iwae-paper', objective: 'elbo', samples: 1, model: 'mlp' });
    const { epochs, kl, samples, objective, model } = await readConfig(options.out);
    assert.deepEqual(
      { epochs, kl, samples, objective },
      {
        ...{ epochs: 3280, kl: 'analytic', samples: 1, objective: undefined },
      },
    );
    assert.equal(model.name, 'mlp');
  });
});

const refused: readonly (readonly [options: TrainOptions, message: string])[] = [
  [
    { preset: 'iwae-paper', stages: 3, epochs: 5 },
    'Stages are a number of epochs: give either stages or epochs.',
  ],
  [
    { preset: 'iwae-paper', stages: 9 },
    'The learning-rate schedule stages has 8 stages, but 9 are asked for.',
  ],
  [
    { model: 'iwae', stages: 3 },
    'The learning-rate schedule of this run, constant, has no stages: ask for epochs, or for the learning-rate ' +
      'schedule stages.',
  ],
  [
    { preset: 'iwae-paper', config: {} },
    'A new run starts from one config: give either a config or a preset.',
  ],
];

for (const [wrong, message] of refused) {
  test(`refused: ${message}`, async () => {
    await withRun(async (options) => {
      await assert.rejects(train({ ...options, ...wrong }), new UsageError(message));
    });
  });
}

test('refused: a preset for a run that goes on', async () => {
  await assert.rejects(
    train({ resume: 'runs/any', preset: 'iwae-paper' }),
    new UsageError(
      'A resumed run keeps the config that it was started with: give either a run to resume or a preset for a new one.',
    ),
  );
});
