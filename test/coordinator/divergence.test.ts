// Training that diverges ends in a sentence. What is not finite reaches no checkpoint, no picture and no
// printed figure.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  evaluate,
  LatentModel,
  loadModel,
  NotFiniteError,
  type RunEvent,
  type TrainOptions,
  train,
  UsageError,
} from '#src/index.js';
import { forgeElement } from '../runs/forgedCheckpoint.js';
import { smallData, smallModel } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

interface Divergence {
  readonly message: string;
  /** Names of the files in the run's directory. */
  readonly checkpoints: readonly string[];
  readonly pictures: readonly string[];
  readonly metrics: string;
  readonly events: readonly RunEvent[];
}

/** Runs until it diverges; pictures are asked for. */
async function divergence(directory: string, options: TrainOptions): Promise<Divergence> {
  const out = options.resume ?? join(directory, 'run');
  const events: RunEvent[] = [];
  const place = options.resume === undefined ? { out } : {};
  const running = train({
    workers: 2,
    logEvery: 1,
    ...place,
    ...options,
    onEvent: (event) => events.push(event),
  });
  const error: unknown = await running.then(
    () => assert.fail('the run did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof NotFiniteError, String(error));
  // Nothing that was told or written has a number that is none.
  assert.doesNotMatch(JSON.stringify(events), /null|NaN|Infinity/);
  const metrics = await readFile(join(out, 'metrics.jsonl'), 'utf8').catch(() => '');
  assert.doesNotMatch(metrics, /null|NaN|Infinity/);
  return {
    message: error.message,
    checkpoints: await readdir(join(out, 'checkpoints')),
    pictures: await readdir(join(out, 'pictures')),
    metrics,
    events,
  };
}

const advice = (rate: string) =>
  `Training has diverged: start a new run with a smaller --learning-rate than ${rate}, or warm the KL up (--kl-warmup-epochs).`;

async function withData(use: (directory: string, data: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => use(directory, await smallData(directory)));
}

test('an update that is not finite: the step, and the tensor that is to blame', async () => {
  await withData(async (directory, data) => {
    const diverged = await divergence(directory, { data, model: smallModel, learningRate: 1e38 });
    assert.match(
      diverged.message,
      /^At step 0 the update is not finite\. With it, the tensor "parameters\/encoder\/conv2d\/weights" holds -?Infinity \(element \d+ of 36\)\. The gradients of all 8 shards are finite: what overflows is their sum or the update\. There is no good checkpoint\. /,
    );
    assert.ok(diverged.message.endsWith(advice('1e+38')), diverged.message);
    assert.deepEqual(diverged.checkpoints, []);
    assert.deepEqual(diverged.pictures, []);
  });
});

test('the update of the last step, behind which nobody computes a loss, is looked at as well', async () => {
  await withData(async (directory, data) => {
    const diverged = await divergence(directory, {
      data,
      model: smallModel,
      learningRate: 1e38,
      maxSteps: 1,
    });
    assert.match(
      diverged.message,
      /^At step 0 the update is not finite\. With it, the tensor "parameters\/encoder\/conv2d\/weights" holds -?Infinity \(element \d+ of 36\)\. .+ There is no good checkpoint\. /,
    );
    assert.deepEqual(diverged.checkpoints, []);
  });
});

test('a test ELBO that is not finite, of parameters that are: no line of metrics, no picture, and the same on resume', async () => {
  await withData(async (directory, data) => {
    const options = { data, model: smallModel, learningRate: 1e25, batchSize: 100, epochs: 2 };
    const diverged = await divergence(directory, options);
    const expected =
      /^After step 1 the ELBO of test example \d+ is not finite \(log p\(x\|z\) [-\w.+]+, KL [-\w.+]+, nats\)\. The parameters are finite, but too large\. There is no good checkpoint\. /;
    assert.match(diverged.message, expected);
    assert.deepEqual(diverged.pictures, []);
    assert.doesNotMatch(diverged.metrics, /"kind":"epoch"/);
    // The parameters are finite, so they are kept; their figures are refused.
    assert.deepEqual(diverged.checkpoints, ['step-000000001.safetensors']);
    const run = join(directory, 'run');
    await assert.rejects(evaluate({ path: run, data }), (error) => {
      assert.ok(error instanceof NotFiniteError, String(error));
      assert.match(
        error.message,
        /step-000000001\.safetensors: the ELBO of test example \d+ is not finite \(log p\(x\|z\) .+, KL .+, nats\)\. Training had diverged: use an earlier checkpoint, or train anew with a smaller learning rate\.$/,
      );
      return true;
    });
    const resumed = await divergence(directory, { data, resume: run });
    assert.match(resumed.message, expected);
  });
});

test('a moment that is not finite, though loss and parameters are: refused, and the last good checkpoint named', async () => {
  await withData(async (directory, data) => {
    // Steps of an epoch each. The second gradient is so large that its square overflows, after which Adam
    // would never move again.
    const options = { data, model: smallModel, learningRate: 1e8, batchSize: 100, pictures: false };
    const diverged = await divergence(directory, options);
    const path = join(directory, 'run', 'checkpoints', 'step-000000001.safetensors');
    assert.match(
      diverged.message,
      /^At step 1 the update is not finite\. With it, the tensor "adam\/v\/encoder\/conv2d\/weights" holds Infinity \(element \d+ of 36\)\. /,
    );
    assert.ok(diverged.message.endsWith(` The last good checkpoint is ${path}. ${advice('100000000')}`));
    assert.deepEqual(diverged.checkpoints, ['step-000000001.safetensors']);
  });
});

test('a checkpoint of an earlier version that holds NaN is passed over, or refused where it is the only one', async () => {
  await withData(async (directory, data) => {
    const out = join(directory, 'run');
    await train({ data, model: smallModel, out, pictures: false, maxSteps: 2 });
    await train({ data, resume: out, pictures: false, maxSteps: 3 });
    const path = (step: number) => join(out, 'checkpoints', `step-00000000${step}.safetensors`);
    forgeElement(path(3), 'parameters/encoder/conv2d/bias', Number.NaN);
    const { step, warnings } = await loadModel(out);
    assert.equal(step, 2);
    assert.deepEqual(warnings, [
      `${path(3)}: the tensor "parameters/encoder/conv2d/bias" holds NaN (element 1 of 4). Training had diverged when it ` +
        'was saved: use an earlier checkpoint, or train anew with a smaller learning rate.',
      `An older checkpoint is used in its place: ${path(2)}, of step 2.`,
    ]);
    await assert.rejects(loadModel(path(3)), UsageError);
    await assert.rejects(evaluate({ path: path(3), data }), UsageError);
  });
});

test('a model with parameters so large that it overflows gives no numbers', async () => {
  await withData(async (directory, data) => {
    const out = join(directory, 'run');
    await train({ data, model: smallModel, out, pictures: false, maxSteps: 1 });
    const { model } = await loadModel(out);
    const x = new Float32Array(3 * 64).fill(0.5);
    const of = (value: number) => new LatentModel(model.model, model.parameters.fill(value));
    const advice =
      'training has diverged. Use an earlier checkpoint, or train anew with a smaller learning rate.';
    const refuses = (act: () => unknown, what: string) =>
      assert.throws(act, (error) => {
        assert.ok(error instanceof NotFiniteError, String(error));
        assert.match(error.message, new RegExp(`^${what} is not finite \\((NaN|-?Infinity)\\): `));
        assert.ok(error.message.endsWith(advice), error.message);
        return true;
      });
    assert.throws(
      () => of(Number.NaN),
      new UsageError('LatentModel: parameters[0] is NaN, expected a finite number.'),
    );
    refuses(() => of(3e38).encode(x), 'The posterior mean of example 0');
    for (const as of ['logits', 'probabilities'] as const) {
      refuses(
        () => of(3e38).decode(Float32Array.of(0, 0, 9, 9), { as }),
        'The decoded image of latent point 0',
      );
    }
    refuses(() => of(3e38).sample({ count: 2 }), 'The decoded image of latent point 0');
    refuses(() => of(3e38).elbo(x), 'The ELBO of example 0');
  });
});
