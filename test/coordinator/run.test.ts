// Whole runs on a small data set: the directory, the metrics, resuming, stopping, refusing.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { testExamples } from '#src/coordinator/examples.js';
import {
  evaluate,
  loadDataset,
  loadModel,
  type RunEvent,
  type TrainOptions,
  train,
  UsageError,
} from '#src/index.js';
import { testCount, trainCount } from './smallRun.js';
import { metricsOf, withoutTimes, withTemporaryRun } from './temporaryRun.js';

/** ceil(100 / 16); the last batch has 4 examples. */
const stepsPerEpoch = 7;

interface Setting {
  readonly out: string;
  readonly options: TrainOptions;
}

async function withSmallRun(use: (setting: Setting) => Promise<void>): Promise<void> {
  await withTemporaryRun(async ({ out, options }) => {
    await use({ out, options: { ...options, logEvery: 2 } });
  });
}

test('a run leaves config, metrics, checkpoints and pictures, and tells what it does', async () => {
  await withSmallRun(async ({ out, options }) => {
    const events: RunEvent[] = [];
    const result = await train({ ...options, out, pictures: true, onEvent: (event) => events.push(event) });
    assert.equal(result.step, 3 * stepsPerEpoch);
    assert.equal(result.reason, 'done');
    assert.deepEqual((await readdir(out)).sort(), [
      'checkpoints',
      'config.json',
      'metrics.jsonl',
      'pictures',
    ]);
    assert.equal((await readdir(join(out, 'checkpoints'))).length, 3);
    const pictures = ['samples', 'reconstructions', 'manifold'].flatMap((name) =>
      [1, 2, 3].map((epoch) => `${name}-epoch-000${epoch}.png`),
    );
    assert.deepEqual(
      (await readdir(join(out, 'pictures'))).sort(),
      [...pictures, 'curves.png', 'latent.png'].sort(),
    );

    const metrics = await metricsOf(out);
    assert.deepEqual(
      metrics.filter(({ kind }) => kind === 'batch').map(({ step }) => step),
      Array.from({ length: 10 }, (_, i) => 2 * (i + 1)),
    );
    const epochs = metrics.filter(({ kind }) => kind === 'epoch');
    assert.deepEqual(
      epochs.map(({ step }) => step),
      [7, 14, 21],
    );
    assert.deepEqual(epochs.at(-1)!.test, result.test);

    const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== 'progress');
    const epoch = ['checkpoint', 'evaluating', 'epoch', ...Array.from({ length: 5 }, () => 'picture')];
    assert.deepEqual(kinds, ['started', ...epoch, ...epoch, ...epoch, 'finished']);
    const last = events.findLast((event) => event.kind === 'progress');
    assert.ok(
      last?.kind === 'progress' && last.examples === 3 * trainCount,
      'partial batches are counted by example',
    );
  });
});

test('the test ELBO of a run is what evaluate and the loaded model give, on any number of workers', async () => {
  await withSmallRun(async ({ out, options }) => {
    const result = await train({ ...options, out });
    const loaded = await loadModel(out);
    assert.equal(loaded.parametersSha256, result.parametersSha256);
    assert.deepEqual(loaded.model.parameters, result.parameters);
    for (const workers of [1, 3]) {
      const evaluation = await evaluate({ path: out, data: options.data!, workers });
      assert.deepEqual(evaluation.test, result.test);
      assert.deepEqual(evaluation.protocol, {
        data: 'data',
        examples: testCount,
        objective: 'elbo',
        likelihood: { name: 'bernoulli' },
        samples: 2,
        kl: 'analytic',
        binarize: 'dynamic',
        seed: '0',
      });
    }
    const indices = Array.from({ length: testCount }, (_, i) => i);
    const x = testExamples(loaded.config, loadDataset(options.data).test, indices);
    const { logLikelihood } = loaded.model.elbo(x, { samples: 2 });
    const mean = logLikelihood.reduce((sum, term) => sum + term, 0) / testCount;
    assert.equal(mean, result.test!.logLikelihood);
    const more = await evaluate({ path: out, data: options.data!, samples: 50 });
    assert.notEqual(more.test.elbo, result.test!.elbo);
    assert.ok(Math.abs(more.test.elbo - result.test!.elbo) < 10 * more.elboStandardError);
  });
});

test('stopped in the middle of an epoch and resumed, a run has the same bits and the same metrics', async () => {
  await withSmallRun(async ({ out, options }) => {
    const whole = await train({ ...options, out: `${out}-whole` });
    const stopped = await train({ ...options, out, maxSteps: 10 });
    assert.equal(stopped.reason, 'maxSteps');
    const { data } = options;
    const resume = { resume: out, data: data!, pictures: false, workers: 1, logEvery: 2 };
    const resumed = await train(resume);
    assert.equal(resumed.parametersSha256, whole.parametersSha256);
    assert.deepEqual(
      (await metricsOf(out)).map(withoutTimes),
      (await metricsOf(`${out}-whole`)).map(withoutTimes),
    );
    // Done is done, until more epochs are asked for.
    const again = await train(resume);
    assert.equal(again.step, whole.step);
    const longer = await train({ ...resume, epochs: 4 });
    assert.equal(longer.step, 4 * stepsPerEpoch);
    assert.equal((await loadModel(out)).config.epochs, 4);
  });
});

test('a signal stops the run after the step at hand, with a checkpoint that goes on to the same bits', async () => {
  await withSmallRun(async ({ out, options }) => {
    const epochs = 300;
    const controller = new AbortController();
    const onEvent = ({ kind }: RunEvent) => {
      if (kind === 'progress') controller.abort();
    };
    const stopped = await train({ ...options, epochs, out, signal: controller.signal, onEvent });
    assert.equal(stopped.reason, 'stopped');
    assert.ok(stopped.step > 0 && stopped.step < epochs * stepsPerEpoch);
    const steps = stopped.step + 3;
    const resumed = await train({ resume: out, data: options.data!, pictures: false, maxSteps: steps });
    const straight = await train({ ...options, epochs, out: `${out}-straight`, maxSteps: steps });
    assert.equal(resumed.parametersSha256, straight.parametersSha256);
  });
});

test('options that do not fit are refused before anything is trained', async () => {
  await withSmallRun(async ({ out, options }) => {
    const refuses = (changed: TrainOptions, message: RegExp) =>
      assert.rejects(train({ ...options, out: `${out}-refused`, ...changed }), (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, message);
        return true;
      });
    await refuses(
      { workers: 9 },
      /^9 workers cannot share 8 shards: a shard belongs to one worker\. Ask for at most 8/,
    );
    await refuses({ workers: 0 }, /^train\(\): workers is 0, expected a positive integer\.$/);
    await refuses({ batchSize: 0 }, /batchSize is 0, expected a positive integer/);
    await refuses(
      { samples: 40_000_000 },
      /needs more than 4 GiB of WebAssembly memory .* Choose a smaller batch, fewer samples/,
    );
    await refuses({ model: 'cvea' }, /^There is no model preset "cvea"; did you mean "cvae"\?/);
    await refuses({ maxSteps: 0 }, /maxSteps is 0/);
    await refuses({ resume: out }, /^A resumed run stays in its directory/);
    await train({ ...options, out, maxSteps: 2 });
    const { data } = options;
    await assert.rejects(
      train({ data: data!, resume: out, maxSteps: 1 }),
      /has taken 2 steps already, more than the 1 that are asked for\./,
    );
    await assert.rejects(
      train({ data: data!, resume: out, learningRate: 0.5 }),
      /started with learningRate 0\.01, but 0\.5 is asked for now/,
    );
    const unnamed =
      /was started with the data of data, not with MNIST: name them again by the option data \(--data\)\.$/;
    await assert.rejects(train({ resume: out }), unnamed);
    await assert.rejects(train({ ...options, out }), /holds a run already\. Continue that run with --resume/);
    await assert.rejects(evaluate({ path: out }), unnamed);
  });
});
