// --checkpoint-every: when checkpoints are written, and that neither they nor their times change a bit.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CheckpointTimer, checkpointPolicy } from '#src/coordinator/checkpointPolicy.js';
import { CheckpointWriter } from '#src/coordinator/checkpointWriter.js';
import { type RunEvent, type TrainOptions, train, UsageError } from '#src/index.js';
import { tinyCheckpoint } from '../runs/exampleRun.js';
import { metricsOf, rejection, withoutTimes, withTemporaryRun } from './temporaryRun.js';

const names = async (out: string) =>
  (await readdir(join(out, 'checkpoints'))).map(stepOfName).sort((a, b) => a - b);
const stepOfName = (name: string) => Number(/^step-(\d+)\.safetensors$/.exec(name)![1]);

/** Steps and hashes of the checkpoints that a run tells of. */
async function trainTelling(options: TrainOptions) {
  const told: { step: number; sha256: string }[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.kind === 'checkpoint') told.push({ step: event.step, sha256: event.sha256 });
  };
  return { result: await train({ ...options, onEvent }), told };
}

const untimed = async (out: string) => (await metricsOf(out)).map(withoutTimes);

test('by steps: at each multiple and at the ends of epochs, with the bits of a run without', async () => {
  await withTemporaryRun(async ({ out, options }) => {
    const every = { ...options, checkpointEvery: 3, keepCheckpoints: 100, logEvery: 1 };
    const { result, told } = await trainTelling({ ...every, out });
    assert.deepEqual(
      told.map(({ step }) => step),
      [3, 6, 7, 9, 12, 14, 15, 18, 21],
    );
    assert.deepEqual(await names(out), [3, 6, 7, 9, 12, 14, 15, 18, 21]);
    const plain = `${out}-plain`;
    const straight = await train({ ...options, out: plain, logEvery: 1 });
    assert.equal(result.parametersSha256, straight.parametersSha256);
    assert.deepEqual(await untimed(out), await untimed(plain));
    // Each is the state after its step, though later ones were under way when it was written.
    for (const { step, sha256 } of [told[0]!, told[6]!]) {
      const stopped = await train({ ...options, out: `${out}-${step}`, maxSteps: step });
      assert.equal(sha256, stopped.parametersSha256, `step ${step}`);
    }
  });
});

test('by steps: the text of a flag, and the newest ones stay', async () => {
  await withTemporaryRun(async ({ out, options }) => {
    await train({ ...options, out, checkpointEvery: '1', maxSteps: 6 });
    assert.deepEqual(await names(out), [4, 5, 6]);
  });
});

test('resumed in the middle of an epoch from a checkpoint that was written behind the ranks: equal bits and lines', async () => {
  await withTemporaryRun(async ({ out, options, resume }) => {
    const every = { checkpointEvery: 2, keepCheckpoints: 100, logEvery: 1 };
    const straight = await train({ ...options, ...every, out: `${out}-straight` });
    // Stopped after step 10: the newest checkpoint is then removed, as if a kill had come before it.
    await train({ ...options, ...every, out, maxSteps: 11 });
    await rm(join(out, 'checkpoints', 'step-000000011.safetensors'));
    const { result, told } = await trainTelling({ ...resume, ...every, workers: 3 });
    assert.equal(told[0]?.step, 12);
    assert.equal(result.parametersSha256, straight.parametersSha256);
    assert.deepEqual(await untimed(out), await untimed(`${out}-straight`));
  });
});

test('by time: checkpoints within an epoch, with the bits of a run without', async () => {
  await withTemporaryRun(async ({ out, options }) => {
    // A second is the least that the option takes: the clock runs faster here.
    const { now } = performance;
    performance.now = () => 50 * now.call(performance);
    try {
      const { result, told } = await trainTelling({ ...options, out, epochs: 40, checkpointEvery: '1s' });
      const within = told.filter(({ step }) => step % 7 !== 0);
      assert.ok(within.length > 0, 'no checkpoint within an epoch');
      performance.now = now;
      const straight = await train({ ...options, out: `${out}-straight`, epochs: 40 });
      assert.equal(result.parametersSha256, straight.parametersSha256);
    } finally {
      performance.now = now;
    }
  });
});

test('what is due when: steps, seconds, minutes and hours', () => {
  assert.deepEqual(checkpointPolicy(500), { every: 'steps', steps: 500 });
  assert.deepEqual(checkpointPolicy('30s'), { every: 'time', milliseconds: 30_000 });
  assert.deepEqual(checkpointPolicy('5m'), { every: 'time', milliseconds: 300_000 });
  assert.deepEqual(checkpointPolicy('2h'), { every: 'time', milliseconds: 7_200_000 });
  const steps = new CheckpointTimer(5);
  assert.deepEqual(
    [0, 4, 5, 6].map((step) => steps.nextStep(step)),
    [5, 5, 10, 10],
  );
  assert.deepEqual(
    [4, 5, 6, 10].map((step) => steps.isDue(step)),
    [false, true, false, true],
  );
  const never = new CheckpointTimer(undefined);
  assert.equal(never.nextStep(3), Number.POSITIVE_INFINITY);
  assert.equal(never.isDue(3), false);
});

test('time is that of a clock which nobody sets', () => {
  const date = Date.now;
  const { now } = performance;
  try {
    let at = 0;
    performance.now = () => at;
    const timer = new CheckpointTimer('1m');
    Date.now = () => 1e15;
    assert.equal(timer.isTime(), false);
    at = 59_999;
    assert.equal(timer.isTime(), false);
    at = 60_000;
    assert.equal(timer.isTime(), true);
    timer.restart();
    assert.equal(timer.isTime(), false);
  } finally {
    Date.now = date;
    performance.now = now;
  }
});

test('the writer copies before it returns, writes one at a time, and keeps what failed for whoever waits', async () => {
  const checkpoint = tinyCheckpoint(1);
  const first = checkpoint.parameters[0];
  let release = () => {};
  const written: (number | undefined)[] = [];
  const writer = new CheckpointWriter(async ({ parameters }) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    written.push(parameters[0]);
    if (written.length === 2) throw new UsageError('no room');
  });
  writer.begin(checkpoint);
  checkpoint.parameters[0] = 77;
  assert.equal(writer.isBusy, true);
  assert.throws(() => writer.begin(checkpoint), /being written already/);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  release();
  await writer.settled();
  assert.deepEqual(written, [first]);
  writer.begin(checkpoint);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  release();
  await writer.finished();
  assert.equal(writer.hasFailed, true);
  await assert.rejects(writer.settled(), new UsageError('no room'));
  assert.equal(writer.hasFailed, false);
});

test('a write that fails behind the ranks stops the run with its sentence, and with what was on disk', async () => {
  await withTemporaryRun(async ({ out, options }) => {
    let once = true;
    const onEvent = ({ kind }: RunEvent) => {
      if (kind !== 'checkpoint' || !once) return;
      once = false;
      // A directory in the place of the next file.
      mkdirSync(join(out, 'checkpoints', 'step-000000010.safetensors'));
    };
    const every = { epochs: 20_000, checkpointEvery: 5, keepCheckpoints: 100 };
    const error = await rejection(train({ ...options, ...every, out, onEvent }));
    assert.ok(error instanceof UsageError);
    assert.match(
      error.message,
      /step-000000010\.safetensors cannot be written: .*There is a directory of this name/,
    );
    assert.ok((await names(out)).includes(7));
  });
});
