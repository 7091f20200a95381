// KIL, in short: workers die at random, and the bits are those of the undisturbed run. scripts/kills.mjs is
// the long form.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainWithFaults } from '#src/coordinator/train.js';
import type { RunEvent, TrainOptions } from '#src/index.js';
import type { Fault } from '#src/worker/fault.js';
import { generator } from './parkMiller.js';
import { withTemporaryRun } from './temporaryRun.js';

const KILLS = 4;
const STEPS = 14;
const SEED = 20_261_128;

for (const model of ['cvae', 'mlp', 'iwae'] as const) {
  test(`KIL: ${KILLS} workers of ${model} die at random moments: equal bits`, async (context) => {
    const random = generator(SEED);
    const faults = Array.from({ length: KILLS }, (): Fault => {
      const kind = (['throw', 'exit', 'trap'] as const)[random(3)]!;
      return { kind, rank: random(3), step: random(STEPS), point: random(16), times: 1 };
    });
    context.diagnostic(`seed ${SEED}: ${JSON.stringify(faults)}`);
    const run = (options: TrainOptions, these: readonly Fault[]) =>
      withTemporaryRun(async ({ out }) =>
        trainWithFaults({ model, maxSteps: STEPS, pictures: false, out, ...options }, these),
      );
    let recoveries = 0;
    const onEvent = (event: RunEvent) => {
      if (event.kind === 'recovered') recoveries++;
    };
    const disturbed = await run({ workers: 3, onEvent }, faults);
    const whole = await run({ workers: 2 }, []);
    assert.equal(disturbed.step, STEPS);
    assert.equal(disturbed.parametersSha256, whole.parametersSha256);
    // Two of them may have died in one moment.
    assert.ok(recoveries >= KILLS / 2, `${recoveries} recoveries`);
  });
}
