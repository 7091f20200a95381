import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { WasmBackend } from '#src/tfjs/tensorflow.js';
import { HeapGuards } from './heapGuards.js';
import { KERNEL_CALLS } from './kernelCalls.js';
import { differences, faults } from './kernelJudgement.js';
import { runCall } from './kernelRun.js';
import { tf, useBackend } from './onWasm.js';
import { variedCalls } from './variedCalls.js';

const registered = tf.getKernelsForBackend('wasm').map(({ kernelName }) => kernelName);

describe('every kernel of the backend wasm, called wrongly', () => {
  let guards: HeapGuards;

  before(async () => {
    await useBackend('wasm');
    guards = new HeapGuards((tf.backend() as unknown as WasmBackend).wasm);
  });

  it('is known to this test', () => {
    const unknown = registered.filter((name) => !(name in KERNEL_CALLS));
    assert.deepEqual(unknown, [], 'add calls of these kernels to test/tfjs/kernelCalls.ts');
    const gone = Object.keys(KERNEL_CALLS).filter((name) => !registered.includes(name));
    assert.deepEqual(gone, [], 'take these kernels out of test/tfjs/kernelCalls.ts');
  });

  for (const [kernel, calls] of Object.entries(KERNEL_CALLS)) {
    it(kernel, async () => {
      const varied = calls.flatMap(variedCalls);
      await useBackend('wasm');
      const problems: string[] = [];
      const outcomes = varied.map((call) => {
        const outcome = runCall(tf, kernel, call);
        const damage = guards.takeDamage();
        if (outcome.changed && !call.inPlace) damage.push('an input was changed');
        problems.push(...[...damage, ...faults(outcome)].map((fault) => `${call.name}: ${fault}`));
        return outcome;
      });
      problems.push(...guards.takeDamage(true));
      await useBackend('cpu');
      varied.forEach((call, i) => {
        problems.push(
          ...differences(tf, kernel, call, outcomes[i]!).map((fault) => `${call.name}: ${fault}`),
        );
      });
      assert.deepEqual(problems, []);
    });
  }
});
