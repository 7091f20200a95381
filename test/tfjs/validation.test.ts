// What TensorFlow.js's own kernels refuse, ours refuse as well, unless they can compute it.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { TRAINING_KERNELS } from '#src/tfjs/trainingKernels.js';
import { KERNEL_CALLS } from './kernelCalls.js';
import { differences } from './kernelJudgement.js';
import { runCall } from './kernelRun.js';
import { tf, useBackend } from './onWasm.js';
import type { Refusals } from './stockWorker.js';
import { callsOf } from './variedCalls.js';

/** Stock checks no axis of these, and goes on for ever. */
const ENDLESS = ['Cumprod', 'Cumsum'];

const kernels = TRAINING_KERNELS.map(({ kernelName }) => kernelName).filter(
  (name) => name in KERNEL_CALLS && !ENDLESS.includes(name),
);

function onStock(): Promise<Map<string, Refusals>> {
  return new Promise((resolve, reject) => {
    const refusals = new Map<string, Refusals>();
    const worker = new Worker(new URL('./stockWorker.js', import.meta.url), {
      workerData: kernels,
      // XNNPACK's complaints.
      stdout: true,
      stderr: true,
    });
    worker.on('message', (message: Refusals) => refusals.set(message.kernel, message));
    worker.once('error', reject);
    worker.once('exit', () => resolve(refusals));
  });
}

describe('bad calls that stock TensorFlow.js refuses', () => {
  let stock: Map<string, Refusals>;

  before(async () => {
    stock = await onStock();
  });

  it('are many, and the canaries see what stock damages by others', () => {
    const refused = [...stock.values()].flatMap((each) => each.refused.filter(Boolean));
    assert.ok(refused.length > 300, `stock refuses ${refused.length} calls`);
    assert.ok(stock.get('Select')?.damaging.includes('condition = [5] []'));
  });

  for (const kernel of kernels) {
    it(kernel, async () => {
      const refused = stock.get(kernel)?.refused ?? [];
      const calls = callsOf(kernel).filter((_, i) => refused[i]);
      await useBackend('wasm');
      const outcomes = calls.map((call) => runCall(tf, kernel, call));
      await useBackend('cpu');
      const wrong = calls.flatMap((call, i) => {
        const outcome = outcomes[i]!;
        if ('error' in outcome) return [];
        if (!call.compared) return [`${call.name}: stock refuses it, and here there is a result`];
        return differences(tf, kernel, call, outcome).map((fault) => `${call.name}: ${fault}`);
      });
      assert.deepEqual(wrong, []);
    });
  }
});
