// A worker that dies costs a step, not a run: the bits are those of the undisturbed run.

import assert from 'node:assert/strict';
import { promises } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { trainWithFaults } from '#src/coordinator/train.js';
import type { RunEvent, TrainOptions } from '#src/index.js';
import { FAULT_KINDS, type Fault } from '#src/worker/fault.js';
import { denseModel, smallModel } from './smallRun.js';
import { metricsOf, withoutTimes, withTemporaryRun } from './temporaryRun.js';

/** Seconds after which a stalled worker counts as dead: more than threads need to start on a busy machine. */
const barrierTimeout = 3;

type Recovered = Extract<RunEvent, { kind: 'recovered' }>;

/** Trains on the small data twice, with faults and without; returns the recoveries of the first run. */
async function compared(options: TrainOptions, faults: readonly Fault[]): Promise<Recovered[]> {
  const recovered: Recovered[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.kind === 'recovered') recovered.push(event);
  };
  const run = (more: TrainOptions, these: readonly Fault[]) =>
    withTemporaryRun(async ({ options: common, out }) => {
      const result = await trainWithFaults(
        { ...common, ...options, out, logEvery: 1, barrierTimeout, ...more },
        these,
      );
      const metrics = (await metricsOf(out)).map(withoutTimes);
      return { hash: result.parametersSha256, step: result.step, metrics };
    });
  const disturbed = await run({ onEvent }, faults);
  assert.deepEqual(disturbed, await run({}, []));
  return recovered;
}

for (const [rule, model] of [
  ['slots', smallModel],
  ['owners', { ...denseModel, training: smallModel.training! }],
] as const) {
  test(`${rule}: a worker dies at each point of a step`, async () => {
    const points = 12;
    for (const workers of [1, 3]) {
      const faults = Array.from({ length: points }, (_, point): Fault => {
        return { kind: 'throw', rank: point % workers, step: point + 2, point, times: 1 };
      });
      const recovered = await compared({ model, workers }, faults);
      assert.equal(recovered.length, points);
    }
  });

  for (const kind of FAULT_KINDS) {
    test(`${rule}: a worker of two dies by ${kind} before, in and behind an update, and in an evaluation`, async () => {
      // A stall takes its time.
      const points = kind === 'stall' ? ([7] as const) : ([0, 7, 9, 'evaluation'] as const);
      const faults = points.map((point, i): Fault => {
        return { kind, rank: Math.min(i, 1), step: 7, point, times: 1 };
      });
      // Step 7 is the first of the second epoch; it is also the number of steps before the first evaluation.
      const recovered = await compared({ model, workers: 2 }, faults);
      assert.equal(recovered.length, faults.length);
    });
  }
}

for (const backend of ['wasm', 'cpu'] as const) {
  // exit: the thread is gone, and TensorFlow.js starts anew in another one.
  for (const kind of ['throw', 'exit'] as const) {
    test(`${backend}: a worker of two dies by ${kind} in and behind an update, and in an evaluation`, async () => {
      const faults = ([7, 9, 'evaluation'] as const).map((point, i): Fault => {
        return { kind, rank: i < 2 ? 1 : 0, step: 7, point, times: 1 };
      });
      const recovered = await compared({ backend, model: smallModel, workers: 2 }, faults);
      assert.equal(recovered.length, faults.length);
    });
  }
}

test('a request to stop during the replay of steps stops behind all that were reported', async () => {
  await withTemporaryRun(async ({ options: common, out, resume }) => {
    // One example a step, so that there are many steps between the snapshot and the death.
    const options = { ...common, batchSize: 1, shards: 1, workers: 1, epochs: 2, logEvery: 1 };
    // In its update: the state is torn, and the snapshot at the beginning of the epoch takes its place.
    const faults = [7, 9].map((point): Fault => ({ kind: 'throw', rank: 0, step: 60, point, times: 1 }));
    const stopping = new AbortController();
    let replayed = 0;
    const onEvent = (event: RunEvent) => {
      if (event.kind !== 'recovered') return;
      replayed = Math.max(replayed, event.stepsLost);
      stopping.abort();
    };
    const stopped = await trainWithFaults({ ...options, out, signal: stopping.signal, onEvent }, faults);
    assert.ok(replayed > 1, `${replayed} steps were computed again`);
    assert.equal(stopped.reason, 'stopped');
    assert.ok(stopped.step >= 60 && stopped.step < 100, `stopped after step ${stopped.step}`);
    const straight = await trainWithFaults(
      { ...options, out: `${out}-straight`, maxSteps: stopped.step },
      [],
    );
    assert.equal(stopped.parametersSha256, straight.parametersSha256);
    const lines = async (run: string) => (await metricsOf(run)).map(withoutTimes);
    assert.deepEqual(await lines(out), await lines(`${out}-straight`));
    const resumed = await trainWithFaults({ ...resume, logEvery: 1 }, []);
    const whole = await trainWithFaults({ ...options, out: `${out}-whole` }, []);
    assert.equal(resumed.parametersSha256, whole.parametersSha256);
    assert.deepEqual(await lines(out), await lines(`${out}-whole`));
  });
});

test('a worker dies while a checkpoint is being written behind the run', async () => {
  await withTemporaryRun(async ({ options: common, out }) => {
    const told: string[] = [];
    let go = () => {};
    const recovered = new Promise<void>((resolve) => {
      go = resolve;
    });
    const onEvent = (event: RunEvent) => {
      if (event.kind === 'recovered') go();
      if (event.kind === 'recovered' || event.kind === 'checkpoint') told.push(`${event.kind} ${event.step}`);
    };
    // The write of the first checkpoint waits until the run has recovered.
    const { open } = promises;
    promises.open = async (...args: Parameters<typeof open>) => {
      if (String(args[0]).includes('step-000000003')) await recovered;
      return open(...args);
    };
    syncBuiltinESMExports();
    const options = { ...common, checkpointEvery: 3, keepCheckpoints: 100 };
    try {
      const faults: Fault[] = [{ kind: 'throw', rank: 1, step: 4, point: 7, times: 1 }];
      await trainWithFaults({ ...options, out, onEvent }, faults);
    } finally {
      promises.open = open;
      syncBuiltinESMExports();
    }
    assert.match(told[0]!, /^recovered/);
    assert.equal(told[1], 'checkpoint 3');
    // Each checkpoint, the first one as well, has the bytes of that of an undisturbed run.
    await trainWithFaults({ ...options, out: `${out}-straight` }, []);
    const names = await readdir(join(out, 'checkpoints'));
    assert.ok(names.length > 5);
    for (const name of names) {
      const [found, expected] = await Promise.all(
        [out, `${out}-straight`].map((run) => readFile(join(run, 'checkpoints', name))),
      );
      assert.deepEqual(found, expected, name);
    }
  });
});
