// Runs on TensorFlow.js's backends: the same bits on any number of workers, resumed with another backend,
// close to simd.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BackendName } from '#src/backends/backend.js';
import { hasTfjs } from '#src/backends/tensorflow/load.js';
import { trainWithFaults } from '#src/coordinator/train.js';
import {
  evaluate,
  loadModel,
  type RunEvent,
  type TrainOptions,
  type TrainResult,
  train,
} from '#src/index.js';
import { distance } from '../reference/conditioning.js';
import { denseModel, smallData, smallModel } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const backends = ['wasm', 'native', 'cpu'] as const;

function skipOf(backend: BackendName): string | false {
  return backend === 'simd' || hasTfjs(backend) ? false : `the backend ${backend} is not installed here`;
}

/** Trains on the small data set in a directory of its own; `more` resumes the run. */
async function withRun(
  options: TrainOptions,
  use: (result: TrainResult, more: (changed: TrainOptions) => Promise<TrainResult>) => Promise<void> | void,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    const common = { data, pictures: false };
    const result = await train({ ...common, model: smallModel, ...options, out: join(directory, 'run') });
    await use(result, (changed) => train({ ...common, ...changed, resume: result.directory }));
  });
}

async function hashOf(options: TrainOptions): Promise<string> {
  let hash = '';
  await withRun(options, ({ parametersSha256 }) => {
    hash = parametersSha256;
  });
  return hash;
}

for (const backend of backends) {
  const skip = skipOf(backend);

  for (const [model, prior] of [
    [smallModel, 'standard-normal'],
    [denseModel, 'standard-normal'],
    [denseModel, 'mixture'],
  ] as const) {
    // tfjs-node hands whole sums to TensorFlow, which promises nothing (docs/backends.md).
    const unpromised = backend === 'native' ? 'TensorFlow does not promise the order of its sums' : skip;
    test(`${backend}: ${model.name}, ${prior}: the same bits on 1, 2 and 3 workers`, {
      skip: unpromised,
    }, async () => {
      // Shards of 1 to 7 examples; the last batch has 50.
      const options = {
        backend,
        model,
        prior,
        batchSize: 50,
        epochs: 2,
        shards: 8,
        klWarmupEpochs: 1,
      } as const;
      const first = await hashOf({ ...options, workers: 1 });
      for (const workers of [2, 3]) {
        assert.equal(await hashOf({ ...options, workers }), first, `${workers} workers`);
      }
    });
  }

  test(`${backend}: the same run twice has the same bits, and is close to simd's`, { skip }, async () => {
    const options: TrainOptions = { workers: 2, maxSteps: 10 };
    await withRun({ ...options, backend }, async (result, more) => {
      assert.equal(await hashOf({ ...options, backend }), result.parametersSha256);
      const start = await parametersAfter({ ...options, maxSteps: 1, learningRate: 1e-30 });
      const simd = await parametersAfter(options);
      assert.notDeepEqual(result.parameters, simd, 'it was another backend that computed');
      // Roundings of 6e-8 in sums of some hundred terms, and Adam's quotients, ten times: some 1e-5 of the
      // way gone.
      const limit = 1e-4 * distance(simd, start);
      assertBelow(distance(result.parameters, simd), limit);
      const { test: terms } = await more({ maxSteps: 14 });
      assert.ok(terms !== undefined && Number.isFinite(terms.elbo));
    });
  });
}

async function parametersAfter(options: TrainOptions): Promise<Float32Array> {
  let parameters = new Float32Array();
  await withRun(options, (result) => {
    parameters = Float32Array.from(result.parameters);
  });
  return parameters;
}

function assertBelow(value: number, limit: number): void {
  assert.ok(value <= limit, `${value} is more than ${limit}`);
}

test('a run goes on with another backend, says so, and keeps in mind which steps were whose', async () => {
  await withRun({ backend: 'cpu', maxSteps: 3, workers: 2 }, async (stopped, more) => {
    assert.equal(stopped.config.backend, 'cpu');
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent) => {
      events.push(event);
    };
    const resumed = await more({ backend: 'simd', maxSteps: 5, onEvent });
    assert.equal(resumed.config.backend, 'simd');
    assert.deepEqual(resumed.config.earlierBackends, [{ backend: 'cpu', untilStep: 3 }]);
    const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
    assert.deepEqual(warnings, [
      'The backend of this run was cpu up to step 3, and is simd now: its bits differ from those of a run with one ' +
        'backend; its ELBO agrees but for rounding.',
    ]);
    const { config } = await loadModel(resumed.directory);
    assert.deepEqual(config, resumed.config);
    // The run's own, where no backend is asked for.
    const again = await more({ maxSteps: 7 });
    assert.equal(again.config.backend, 'simd');
    const straight = await hashOf({ backend: 'cpu', maxSteps: 7 });
    assert.notEqual(again.parametersSha256, straight);
  });
});

test('evaluate takes any backend, and their figures agree', async () => {
  await withRun({ maxSteps: 14 }, async ({ directory }) => {
    const data = join(directory, '..', 'data');
    const expected = await evaluate({ path: directory, data });
    for (const backend of backends) {
      if (skipOf(backend) !== false) continue;
      const { test: actual } = await evaluate({ path: directory, data, backend, workers: 2 });
      for (const term of ['elbo', 'logLikelihood', 'kl'] as const) {
        // A float32 sum of 64 pixels' terms, and what the network's roundings move them by: a hundred units
        // of 6e-8.
        const limit = 100 * 2 ** -24 * Math.abs(expected.test.logLikelihood);
        assertBelow(Math.abs(actual[term] - expected.test[term]), limit);
      }
    }
  });
});

for (const backend of backends) {
  test(`${backend}: a loss that is not finite is refused before it reaches a parameter`, {
    skip: skipOf(backend),
  }, async () => {
    await assert.rejects(
      hashOf({ backend, learningRate: 1e30, maxSteps: 20, workers: 2 }),
      /^NotFiniteError: At step \d+ the loss is not finite \(log p\(x\|z\) [-\w.+]+, KL [-\w.+]+, nats an example\)\. The parameters are finite, but too large\. The gradient of shard 0 is not finite: "encoder\/conv2d\/weights" holds -?(NaN|Infinity) \(element \d+ of 36\)\. The last good checkpoint is \S+step-000000001\.safetensors\. Training has diverged: start a new run with a smaller --learning-rate than 1e\+30, or warm the KL up \(--kl-warmup-epochs\)\.$/,
    );
  });

  test(`${backend}: a worker that fails ends the run with its rank and step`, {
    skip: skipOf(backend),
  }, async () => {
    const fault = { kind: 'throw', rank: 1, step: 2 } as const;
    await assert.rejects(
      withTemporaryDirectory(async (directory) => {
        const place = { data: await smallData(directory), out: join(directory, 'run') };
        await trainWithFaults({ ...place, model: smallModel, pictures: false, backend, workers: 2 }, [fault]);
      }),
      /^WorkerFailure: Rank 1 failed at step 2: Fault on purpose in rank 1, step 2\. The run stopped, with a checkpoint of the state after step 2: \S+\. Go on with --resume \S+\.$/,
    );
  });
}
