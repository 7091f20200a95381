// The collective of several processes, whose exchanges a thread simulates, and the mailbox behind it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ProcessLost } from '#src/collective/mpi/world.js';
import { partRange } from '#src/collective/parts.js';
import { Mailbox } from '#src/collective/processes/mailbox.js';
import { cutRegion, exchangePlan } from '#src/collective/processes/transfers.js';
import { BARRIER_BYTES, BarrierWords } from '#src/collective/sharedMemory/barrier.js';
import { shardTermsBytes } from '#src/worker/terms.js';
import { collectiveContract, type Ended } from './collectiveContract.js';
import type { SimulatorData } from './exchangeSimulator.js';
import { makeRun, startRank } from './rankThreads.js';
import { PARAMETERS, type ScenarioName, SHARDS } from './scenarios.js';

/** Runs a scenario in so many processes of `threads` threads: ranks / threads. */
async function runScenario(
  ranks: number,
  threads: number,
  scenario: ScenarioName,
  timeLimit: number,
): Promise<Ended[]> {
  const processes = ranks / threads;
  const runs = Array.from({ length: processes }, (_, process) => {
    const place = { processes, process };
    // Places are others in each process, as they are in runs.
    const run = makeRun(4096 * process);
    const { layout } = run;
    const plan = exchangePlan(
      {
        ...layout,
        parameterCount: PARAMETERS,
        shards: SHARDS,
        shardTerms: cutRegion(layout.shardTerms, SHARDS, shardTermsBytes(1), processes),
        decisions: {
          address: layout.decisions,
          range: (other) => partRange(4 * processes, processes, other),
        },
        testTerms: [],
      },
      place,
    );
    return { ...run, place, plan, mailbox: new Mailbox().buffer };
  });
  const workerData: SimulatorData = { processes: runs };
  const simulator = new Worker(new URL('./exchangeSimulator.js', import.meta.url), { workerData });
  const failed = new Promise<never>((_, reject) => {
    simulator.once('error', reject);
  });
  const ended = runs.flatMap(({ memory, layout, place, mailbox }) => {
    return Array.from({ length: threads }, (_, rank) => {
      const own = { memory, layout, rank, ranks: threads, timeLimit, scenario };
      return startRank({ ...own, processes: { place, mailbox } });
    });
  });
  try {
    return await Promise.race([failed, Promise.all(ended)]);
  } finally {
    await simulator.terminate();
  }
}

for (const { threads, counts } of [
  { threads: 1, counts: [2, 3, 4, 5, 8] },
  { threads: 2, counts: [2, 4, 6, 8] },
]) {
  collectiveContract({
    title: `processes of ${threads} threads`,
    counts,
    isOneMemory: false,
    run: (ranks, scenario, timeLimit) => runScenario(ranks, threads, scenario, timeLimit),
  });
}

function barrierWords(): BarrierWords {
  return new BarrierWords(new SharedArrayBuffer(BARRIER_BYTES), 0);
}

test('a rank that waits for an exchange leaves where another rank of its process has failed', () => {
  const mailbox = new Mailbox();
  const words = barrierWords();
  mailbox.request('parameters');
  words.abort(3);
  assert.equal(mailbox.isBusy, true);
  assert.throws(() => mailbox.wait(1, words), { name: 'RunAborted', message: 'Rank 3 has failed.' });
});

test('a rank that waits for an exchange throws why it has failed, also where ranks ask later', () => {
  const mailbox = new Mailbox();
  const sentence = 'Process 0 of 2 has waited 90 s for an exchange: another process stalls or is gone.';
  mailbox.request('shard terms');
  mailbox.fail(new Error(sentence));
  assert.throws(() => mailbox.wait(1, barrierWords()), { message: sentence });
  const other = new Mailbox(mailbox.buffer);
  assert.throws(() => other.wait(1, barrierWords()), { message: sentence });
});

test('ranks are told that a process has died, and ask again when the others go on', () => {
  const mailbox = new Mailbox();
  mailbox.request('shard terms');
  mailbox.fail(new ProcessLost('Process 1 has died.'));
  assert.throws(() => mailbox.wait(1, barrierWords()), {
    name: 'ProcessLost',
    message: 'Process 1 has died.',
  });
  mailbox.request('message');
  assert.equal(mailbox.next(1), 'message');
  mailbox.recover();
  assert.equal(mailbox.isBusy, false);
  mailbox.request('state');
  assert.equal(mailbox.next(2), 'state');
  mailbox.endRequest();
  mailbox.wait(3, barrierWords());
  assert.equal(mailbox.isBusy, false);
});

test('requests are served in their order', () => {
  const mailbox = new Mailbox();
  mailbox.request('state');
  assert.equal(mailbox.next(0), 'state');
  mailbox.endRequest();
  mailbox.wait(1, barrierWords());
  assert.equal(mailbox.isBusy, false);
  mailbox.request('message');
  assert.equal(mailbox.next(1), 'message');
  assert.deepEqual([mailbox.requested, mailbox.isBusy], [2, true]);
});

test('a notify of a request that is served already is none', () => {
  const mailbox = new Mailbox();
  const sleep = Atomics.wait;
  let sleeps = 0;
  Atomics.wait = (() => {
    sleeps++;
    // Whoever asks notifies behind its request: the exchange thread may have served it and sleep again.
    if (sleeps === 2) mailbox.request('state');
    return 'ok';
  }) as typeof sleep;
  try {
    assert.equal(mailbox.next(0), 'state');
  } finally {
    Atomics.wait = sleep;
  }
  assert.equal(sleeps, 2);
});
