// The moving average of the parameters in whole runs: its bits, what reads it, and what stays as without it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasTfjs } from '#src/backends/tensorflow/load.js';
import { trainWithFaults } from '#src/coordinator/train.js';
import {
  compareEstimators,
  estimateLikelihood,
  evaluate,
  loadModel,
  type RunEvent,
  type TrainOptions,
  train,
  verify,
} from '#src/index.js';
import { canFuse } from '#src/kernels/platform.js';
import { loadCheckpoint, parameterHash, saveCheckpoint } from '#src/runs/checkpoint.js';
import type { Fault } from '#src/worker/fault.js';
import { readGolden, traceOf } from './bitsTrace.js';
import { denseModel, smallModel } from './smallRun.js';
import { metricsOf, type TemporaryRun, withoutTimes, withTemporaryRun } from './temporaryRun.js';

const dense = { ...denseModel, training: smallModel.training! };
const emaDecay = 0.8;
/** Two epochs of 7 steps, and 3 of the third. */
const STEPS = 17;

/** Every checkpoint's file and the lines of metrics.jsonl, but for times. */
async function outcomeOf(out: string) {
  const folder = join(out, 'checkpoints');
  const files = readdirSync(folder)
    .sort()
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]);
  return { files, metrics: (await metricsOf(out)).map(withoutTimes) };
}

/** The outcome of a run in a directory of its own. */
function outcome(options: TrainOptions, faults: readonly Fault[] = []) {
  return withTemporaryRun(async ({ options: common, out }) => {
    const all = { ...common, emaDecay, maxSteps: STEPS, keepCheckpoints: 9, logEvery: 1, ...options, out };
    await trainWithFaults(all, faults);
    return await outcomeOf(out);
  });
}

/** Trains to the end of the second epoch. */
async function trained({ options, out }: TemporaryRun, more: TrainOptions = {}) {
  const result = await train({ ...options, emaDecay, epochs: 2, ...more, out });
  const checkpoint = loadCheckpoint(
    join(out, 'checkpoints', `step-${String(result.step).padStart(9, '0')}.safetensors`),
  );
  return { result, checkpoint, average: checkpoint.optimizerState.get('ema')! };
}

for (const [rule, model, more] of [
  ['slots', smallModel, {}],
  ['owners', dense, {}],
  ['owners, SGD without a state', dense, { optimizer: 'sgd', learningRate: 1e-3 }],
  ['slots, SGD without a state', smallModel, { optimizer: 'sgd', learningRate: 1e-3 }],
  ['slots, clipped', smallModel, { clipNorm: 3 }],
  ['owners, a learned prior', dense, { prior: 'mixture', priorComponents: 3 }],
] as const) {
  test(`${rule}: the same files on 1, 2, 3 and 8 workers and when resumed; the parameters as without it`, async () => {
    const options = { model, ...more };
    const expected = await outcome({ ...options, workers: 1 });
    for (const workers of [2, 3, 8]) assert.deepEqual(await outcome({ ...options, workers }), expected);
    await withTemporaryRun(async ({ options: common, out, resume }) => {
      const output = { keepCheckpoints: 9, logEvery: 1 };
      await train({ ...common, ...options, ...output, emaDecay, out, workers: 2, maxSteps: 4 });
      const { parametersSha256 } = await train({ ...resume, ...output, workers: 3, maxSteps: STEPS });
      const { files, metrics } = await outcomeOf(out);
      assert.deepEqual(
        files.filter(([name]) => !name!.includes('-000000004.')),
        expected.files,
      );
      assert.deepEqual(metrics, expected.metrics);
      const plain = await withTemporaryRun(async (run) => {
        return (await train({ ...run.options, ...options, out: run.out, maxSteps: STEPS })).parametersSha256;
      });
      assert.equal(parametersSha256, plain);
    });
  });
}

test('a worker dies at each point of a step, and in an evaluation: the files of the undisturbed run', async () => {
  const points = 12;
  for (const model of [smallModel, dense]) {
    const options = { model, workers: 2 };
    const inSteps = Array.from({ length: points }, (_, point): Fault => {
      return { kind: 'throw', rank: point % 2, step: point + 2, point, times: 1 };
    });
    const evaluations = [0, 1].map((rank): Fault => {
      return { kind: 'throw', rank, step: 7 * (rank + 1), point: 'evaluation', times: 1 };
    });
    assert.deepEqual(await outcome(options, [...inSteps, ...evaluations]), await outcome(options));
  }
});

test('an average that is not finite is a step that is refused or skipped', async () => {
  const nan: Fault = { kind: 'nan', rank: 0, step: 9, point: 8 };
  await withTemporaryRun(async ({ options, out }) => {
    await assert.rejects(
      trainWithFaults({ ...options, emaDecay, out, maxSteps: 14 }, [nan]),
      /^NotFiniteError: At step 9 the update is not finite\. With it, the tensor "ema\/encoder\/conv2d\/weights" holds NaN /,
    );
  });
});

test('a first step that is skipped: the average is still a mean of parameters', async () => {
  const nan: Fault = { kind: 'nan', rank: 0, step: 0, point: 8 };
  await withTemporaryRun(async ({ options, out }) => {
    await trainWithFaults({ ...options, emaDecay, out, onNan: 'skip', maxSteps: 1 }, [nan]);
    const { parameters, optimizerState } = loadCheckpoint(
      join(out, 'checkpoints', 'step-000000001.safetensors'),
    );
    // Nothing has changed: both are the initial parameters.
    assert.deepEqual(optimizerState.get('ema'), parameters);
    assert.ok(parameters.some((value) => value !== 0));
  });
});

test('a run that is stopped before its first step has its initial parameters as the average', async () => {
  await withTemporaryRun(async ({ options, out }) => {
    await train({ ...options, emaDecay, out, signal: AbortSignal.abort() });
    const { parameters, optimizerState } = loadCheckpoint(
      join(out, 'checkpoints', 'step-000000000.safetensors'),
    );
    assert.deepEqual(optimizerState.get('ema'), parameters);
  });
});

test('the test set is evaluated by the average: in training, by evaluate and by every other reader', async () => {
  await withTemporaryRun(async (run) => {
    const { result, checkpoint, average } = await trained(run);
    const { out: path, data } = run;
    const last = await evaluate({ path, data, ema: false });
    const evaluation = await evaluate({ path, data });
    assert.deepEqual(evaluation.test, result.test);
    assert.equal(evaluation.emaDecay, emaDecay);
    assert.equal(evaluation.parametersSha256, parameterHash(average));
    assert.notEqual(last.test.elbo, evaluation.test.elbo);
    assert.ok(!('emaDecay' in last));
    assert.equal(last.parametersSha256, result.parametersSha256);
    assert.notEqual(parameterHash(average), result.parametersSha256);

    const loaded = await loadModel(path);
    assert.deepEqual(loaded.model.parameters, average);
    assert.equal(loaded.emaDecay, emaDecay);
    const plain = await loadModel(path, { ema: false });
    assert.deepEqual(plain.model.parameters, checkpoint.parameters);
    assert.ok(!('emaDecay' in plain));

    for (const [ema, hash] of [
      [true, evaluation.parametersSha256],
      [false, last.parametersSha256],
    ] as const) {
      const estimated = await estimateLikelihood({ path, data, ema, examples: { first: 0, end: 3 } });
      const compared = await compareEstimators({ path, data, ema, draws: 3, workers: 1 });
      for (const found of [estimated, compared]) {
        assert.equal(found.parametersSha256, hash);
        assert.equal(found.emaDecay, ema ? emaDecay : undefined);
      }
    }
    await assert.rejects(
      loadModel(path, { ema: 1 as unknown as boolean }),
      /^UsageError: loadModel\(\): ema is 1, expected true or false/,
    );
  });
});

test('the figures by the last parameters are those of a run without an average', async () => {
  const plain = await withTemporaryRun(async (run) => {
    const { options, out, data } = run;
    const { test: trainedTest } = await train({ ...options, epochs: 2, out });
    const evaluation = await evaluate({ path: out, data });
    assert.deepEqual(evaluation.test, trainedTest);
    assert.ok(!('emaDecay' in evaluation));
    const again = await evaluate({ path: out, data, ema: false });
    assert.deepEqual(again.test, evaluation.test);
    assert.ok(!readFileSync(join(out, 'config.json'), 'utf8').includes('ema'));
    return evaluation.test;
  });
  await withTemporaryRun(async (run) => {
    await trained(run);
    assert.deepEqual((await evaluate({ path: run.out, data: run.data, ema: false })).test, plain);
  });
});

test('the preview of an epoch is decoded by the average', async () => {
  await withTemporaryRun(async (run) => {
    const previews: Extract<RunEvent, { kind: 'preview' }>[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.kind === 'preview') previews.push(event);
    };
    await trained(run, { preview: 2, onEvent });
    const { above, below } = previews.at(-1)!.rows;
    const { model } = await loadModel(run.out);
    assert.deepEqual(below, model.reconstruct(above));
    const { model: last } = await loadModel(run.out, { ema: false });
    assert.notDeepEqual(below, last.reconstruct(above));
  });
});

test('a run that is resumed keeps its decay, and one without an average gets none', async () => {
  await withTemporaryRun(async ({ options, out, resume }) => {
    await train({ ...options, emaDecay, out, maxSteps: 3 });
    await assert.rejects(train({ ...resume, emaDecay: 0.9 }), {
      message: `${out} was started with emaDecay 0.8, but 0.9 is asked for now. A run that is resumed keeps every setting that decides its bits: leave this one out, or start a new run.`,
    });
    await assert.rejects(train({ ...resume, emaDecay: 0 }), /emaDecay 0\.8, but 0 is asked for now/);
  });
  await withTemporaryRun(async ({ options, out, resume }) => {
    await train({ ...options, out, maxSteps: 3 });
    await assert.rejects(train({ ...resume, emaDecay: 0.9 }), /emaDecay 0, but 0\.9 is asked for now/);
    await train({ ...resume, emaDecay: 0, maxSteps: 4 });
  });
});

test('a replay of the run agrees, and finds another average', async () => {
  await withTemporaryRun(async ({ options, out, data, resume }) => {
    await train({ ...options, emaDecay, out, keepCheckpoints: 9, maxSteps: 7 });
    await train({ ...resume, keepCheckpoints: 9, maxSteps: STEPS });
    assert.equal((await verify({ path: out, data, all: true, workers: 3 })).agrees, true);
    const path = join(out, 'checkpoints', 'step-000000014.safetensors');
    const checkpoint = loadCheckpoint(path);
    checkpoint.optimizerState.get('ema')![5]! += 0.5;
    await saveCheckpoint(path, checkpoint);
    const { agrees, intervals } = await verify({ path: out, data, all: true });
    assert.equal(agrees, false);
    const found = intervals.flatMap(({ tensors }) => tensors ?? []).map(({ tensor }) => tensor);
    assert.ok(found.includes('ema/encoder/conv2d/weights'), found.join());
    assert.ok(found.every((tensor) => tensor.startsWith('ema/')));
  });
});

for (const backend of ['cpu', 'wasm'] as const) {
  const skip = !hasTfjs(backend) && `the backend ${backend} is not installed here`;
  test(`${backend}: the same files on 1 and 3 workers, evaluated by the average`, { skip }, async () => {
    const options = { backend, model: smallModel, maxSteps: 9 };
    const expected = await outcome({ ...options, workers: 1 });
    assert.deepEqual(await outcome({ ...options, workers: 3 }), expected);
    await withTemporaryRun(async (run) => {
      const { result } = await trained(run, { backend, epochs: 1 });
      const { out: path, data } = run;
      assert.deepEqual((await evaluate({ path, data, backend })).test, result.test);
      assert.notDeepEqual((await evaluate({ path, data, backend, ema: false })).test, result.test);
      const simd = (await evaluate({ path, data })).test.elbo;
      assert.ok(Math.abs(simd / result.test!.elbo - 1) < 1e-4, `${simd}, ${result.test!.elbo}`);
    });
  });
}

for (const arithmetic of ['portable', 'fused'] as const) {
  const skip = arithmetic === 'fused' && !canFuse() && 'This machine does not fuse multiply-adds.';
  test(`GLD: mlp with an average in ${arithmetic} arithmetic has its golden hashes`, { skip }, async () => {
    const { parameters, optimizerState } = (
      await traceOf({ model: 'mlp', arithmetic, workers: 2, emaDecay: 0.99 }, [25])
    ).steps[0]!;
    assert.equal(parameters, readGolden<{ mlp: string }>('golden.json')[arithmetic].mlp);
    assert.equal(optimizerState, readGolden<string>('averaging.json')[arithmetic]);
  });
}
