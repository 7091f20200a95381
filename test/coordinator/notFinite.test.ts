// A step that is NaN or infinite changes nothing: it ends the run with the state before it, or is skipped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainWithFaults } from '#src/coordinator/train.js';
import { NotFiniteError, type RunEvent, type TrainOptions, type TrainResult, verify } from '#src/index.js';
import type { Fault } from '#src/worker/fault.js';
import { denseModel, smallModel } from './smallRun.js';
import { metricsOf, withTemporaryRun } from './temporaryRun.js';

/** In step 9, before the update: Adam's second moment of the first parameter becomes NaN, and so does it. */
const nan: Fault = { kind: 'nan', rank: 0, step: 9, point: 8 };

const dense = { ...denseModel, training: smallModel.training! };

interface Ran extends TrainResult {
  readonly skipped: readonly number[];
  readonly causes: readonly string[];
  /** The steps of the lines of steps that were skipped. */
  readonly lines: readonly number[];
}

async function run(options: TrainOptions, faults: readonly Fault[] = []): Promise<Ran> {
  const events: Extract<RunEvent, { kind: 'skipped' }>[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.kind === 'skipped') events.push(event);
  };
  const result = await trainWithFaults({ logEvery: 1, pictures: false, ...options, onEvent }, faults);
  const metrics = await metricsOf(options.out ?? options.resume!);
  // A skipped step has a line of its own, and none of a batch.
  const steps = metrics.filter(({ kind }) => kind !== 'epoch').map(({ step }) => step);
  assert.deepEqual(
    steps,
    Array.from({ length: result.step }, (_, i) => i + 1),
  );
  return {
    ...result,
    skipped: events.map(({ step }) => step),
    causes: events.map(({ cause }) => cause),
    lines: metrics.filter(({ kind }) => kind === 'skipped').map(({ step }) => Number(step)),
  };
}

/** The hash after some steps of a run in a directory of its own. */
function hashOf(options: TrainOptions, faults: readonly Fault[] = []): Promise<string> {
  return withTemporaryRun(async ({ options: common, out }) => {
    return (await run({ ...common, ...options, out }, faults)).parametersSha256;
  });
}

test('a step whose update is not finite ends the run with the state before it, from which it can go on', async () => {
  for (const workers of [1, 3]) {
    await withTemporaryRun(async ({ options: common, out }) => {
      const options = { ...common, model: smallModel, workers };
      await assert.rejects(run({ ...options, out, maxSteps: 14 }, [nan]), (error) => {
        assert.ok(error instanceof NotFiniteError, String(error));
        assert.match(
          error.message,
          /^At step 9 the update is not finite\. With it, the tensor "parameters\/encoder\/conv2d\/weights" holds NaN \(element 0 of 36\)\. The gradients of all 8 shards are finite: what overflows is their sum or the update\. The last good checkpoint is \S+step-000000009\.safetensors\. /,
        );
        return true;
      });
      // The checkpoint has the sums of its epoch, too: the metrics of the epoch are those of one go.
      const { data } = options;
      const resumed = await run({ resume: out, data, maxSteps: 14 });
      assert.equal(resumed.parametersSha256, await hashOf({ model: smallModel, maxSteps: 14 }));
      assert.equal((await verify({ path: out, data })).agrees, true);
    });
  }
});

test('a step that is skipped: the same bits for any number of workers, with a death on the way', async () => {
  const options = { model: smallModel, onNan: 'skip', maxSteps: 14 } as const;
  const undisturbed = await hashOf(options);
  const hashes = new Set<string>();
  for (const [workers, more] of [
    [1, []],
    [2, [{ kind: 'throw', rank: 1, step: 9, point: 9, times: 1 }]],
    [3, [{ kind: 'throw', rank: 2, step: 11, point: 3, times: 1 }]],
  ] as const) {
    await withTemporaryRun(async ({ options: common, out }) => {
      const result = await run({ ...common, ...options, workers, out }, [nan, ...more]);
      assert.deepEqual(result.skipped, [10]);
      assert.deepEqual(result.lines, [10]);
      assert.match(result.causes[0]!, /^At step 9 the update is not finite\. With it, the tensor /);
      hashes.add(result.parametersSha256);
    });
  }
  assert.equal(hashes.size, 1);
  assert.ok(!hashes.has(undisturbed));
  assert.equal(undisturbed, await hashOf({ ...options, onNan: 'stop' }));
});

for (const [name, model, learningRate] of [
  ['slots', smallModel, 1e4],
  ['owners', dense, 1e4],
] as const) {
  test(`${name}: steps that are too large are skipped; the same after a resume, and when they are verified`, async () => {
    const options = { model, learningRate, onNan: 'skip' } as const;
    await withTemporaryRun(async ({ options: common, out }) => {
      const once = await run({ ...common, ...options, workers: 1, maxSteps: 6, out });
      assert.ok(once.skipped.length > 1 && once.skipped.length < 6, String(once.skipped));
      assert.deepEqual(once.lines, once.skipped);
      assert.equal((await verify({ path: out, data: common.data, workers: 2 })).agrees, true);
      await withTemporaryRun(async ({ options: other, out: second }) => {
        const [first = 0] = once.skipped;
        await run({ ...other, ...options, workers: 3, maxSteps: first, out: second });
        const resumed = await run({ resume: second, data: other.data, workers: 2, maxSteps: 6 });
        assert.equal(resumed.parametersSha256, once.parametersSha256);
        assert.deepEqual(resumed.lines, once.lines);
      });
    });
  });
}

test('a run that skips too many steps in a row ends, with the reason and a checkpoint', async () => {
  await withTemporaryRun(async ({ options: common, out }) => {
    const options = { ...common, model: smallModel, learningRate: 1e6, onNan: 'skip', out } as const;
    await assert.rejects(
      run(options),
      /^NotFiniteError: At step 7 the update is not finite\. .+ It is not skipped: at most 6 in a row are\. The last good checkpoint is \S+step-000000007\.safetensors\. /,
    );
  });
});

test('a parameter that something else has damaged is named, and not saved', async () => {
  await withTemporaryRun(async ({ options: common, out }) => {
    // Behind the look at the update of step 9.
    const damage: Fault = { ...nan, kind: 'damage', point: 9 };
    await assert.rejects(
      run({ ...common, model: smallModel, out, maxSteps: 14 }, [damage]),
      /^NotFiniteError: At step 10 the loss is not finite \(.+\)\. The tensor "parameters\/encoder\/conv2d\/weights" holds NaN \(element 0 of 36\)\. The state before it could not be saved: After step 10 the tensor "parameters\/encoder\/conv2d\/weights" holds NaN .+ The last good checkpoint is \S+step-000000007\.safetensors\. /,
    );
  });
});
