// A worker that dies costs a step, not a run: the bits are those of the undisturbed run.

import assert from 'node:assert/strict';
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
