import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MessageChannel, Worker } from 'node:worker_threads';
import { MpiError } from '#src/collective/mpi/world.js';
import { answerOf } from '#src/collective/processes/answerOf.js';

/** Starts a thread that runs this line with its port, and ends; meanwhile this thread does nothing else. */
function busyWith(line: string) {
  const { port1: port, port2 } = new MessageChannel();
  const code = `const { port } = require('node:worker_threads').workerData; ${line}; port.close();`;
  const thread = new Worker(code, { eval: true, workerData: { port: port2 }, transferList: [port2] });
  thread.once('online', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100));
  return answerOf(thread, port);
}

it('the last answer of a thread counts, also where its end is heard first', async () => {
  // The order of the two is not ours: without a look at the port some 9 of 10 are lost.
  for (let time = 0; time < 10; time++) {
    assert.deepEqual(await busyWith("port.postMessage({ kind: 'done' })"), { kind: 'done' });
  }
});

it('a thread that ends without an answer is an error', async () => {
  const message = 'The thread that speaks to the other processes has ended.';
  await assert.rejects(busyWith(''), new MpiError(message));
});
