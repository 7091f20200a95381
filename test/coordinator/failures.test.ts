// A worker that throws, exits or stalls each time ends the run with its rank and step, and with a checkpoint
// of the state before it.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { trainWithFaults } from '#src/coordinator/train.js';
import { WorkerFailure } from '#src/index.js';
import { withTemporaryDirectory } from './temporaryRun.js';

/** Seconds. */
const barrierTimeout = 2;

for (const workers of [1, 3]) {
  for (const kind of ['throw', 'exit', 'stall'] as const) {
    test(`a worker of ${workers} that ${kind}s is named with its rank and step, in time`, async () => {
      const rank = workers - 1;
      const start = performance.now();
      const error = await failureOf(workers, { kind, rank, step: 7 });
      const seconds = (performance.now() - start) / 1000;
      assert.equal(error.rank, rank);
      assert.equal(error.step, 7);
      assert.match(error.message, new RegExp(`^Rank ${rank} failed at step 7: `));
      assert.match(error.message, reasons[kind]);
      // Start-up and seven steps take about a second; the rest is the time limit, and the coordinator's look
      // each 0.2 s: four times, for the run recovers three times.
      assert.ok(seconds < 4 * barrierTimeout + 20, `took ${seconds} s`);
    });
  }
}

const reasons = {
  throw:
    /Fault on purpose in rank \d, step 7\. The run stopped, with a checkpoint of the state after step 7: \S+step-000000007\.safetensors\. Go on with --resume \S+run\.$/,
  exit: /its thread ended: /,
  stall: /No answer within 2 s from rank \d \(at step 7\)/,
} as const;

async function failureOf(
  workers: number,
  fault: { kind: 'throw' | 'exit' | 'stall'; rank: number; step: number },
): Promise<WorkerFailure> {
  return withTemporaryDirectory(async (directory) => {
    const out = join(directory, 'run');
    const options = { model: 'mlp', out, workers, maxSteps: 50, pictures: false, barrierTimeout };
    const running = trainWithFaults(options, [fault]);
    const error: unknown = await running.then(
      () => assert.fail('the run did not fail'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof WorkerFailure, String(error));
    return error;
  });
}
