// What training, evaluation and timing open: one memory, one set of threads, closed once.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { openSession, type Session, type SessionOptions } from '#src/coordinator/session.js';
import { TimedRun } from '#src/coordinator/timedRun.js';
import { requestedConfig } from '#src/coordinator/trainOptions.js';
import { loadDataset } from '#src/data/registry.js';
import { train, UsageError } from '#src/index.js';
import { parameterHash } from '#src/runs/checkpoint.js';
import { smallData, smallModel } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

/** Opens the small model's run on the small data, and closes it after its use. */
async function withSession(
  options: Partial<SessionOptions>,
  use: (session: Session, data: string) => Promise<void> | void,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    const dataset = loadDataset(data);
    const config = await requestedConfig({ model: smallModel }, dataset, undefined);
    const session = openSession({ config, dataset, ...options });
    try {
      await use(session, data);
    } finally {
      await session.close();
    }
  });
}

function hashOf({ state }: Session): string {
  return parameterHash(Float32Array.from(state.parameters));
}

test('a session, a timed run and train() come to the same parameters', async () => {
  const steps = 4;
  await withSession({ workers: 2 }, async (session, data) => {
    session.state.shuffle(0);
    assert.equal(await session.pool.trainSteps(0, 0, steps), steps);
    const run = await TimedRun.create({ dataset: loadDataset(data), workers: 1, model: smallModel });
    try {
      await run.run(steps);
      assert.equal(run.hash, hashOf(session));
    } finally {
      await run.close();
    }
    const options = { model: smallModel, data, workers: 3, maxSteps: steps, pictures: false };
    const { parametersSha256 } = await train({ ...options, out: join(data, '..', 'run') });
    assert.equal(parametersSha256, hashOf(session));
  });
});

test('a session goes on from the state that it is given', async () => {
  const last = 6;
  await withSession({ workers: 1 }, async (whole) => {
    whole.state.shuffle(0);
    await whole.pool.trainSteps(0, 0, 3);
    const { parameters, optimizerState } = whole.state;
    const from = {
      parameters: parameters.slice(),
      optimizerState: new Map([...optimizerState].map(([name, tensor]) => [name, tensor.slice()])),
    };
    await whole.pool.trainSteps(0, 3, last);
    await withSession({ workers: 2, from }, async (rest) => {
      assert.notEqual(hashOf(rest), hashOf(whole));
      rest.state.shuffle(0);
      await rest.pool.trainSteps(0, 3, last);
      assert.equal(hashOf(rest), hashOf(whole));
    });
  });
});

test('threads start when they are first asked for, and end once', async () => {
  let [started, ended] = [0, 0];
  const count = (worker: Worker) => {
    started++;
    worker.once('exit', () => ended++);
  };
  process.on('worker', count);
  try {
    await withSession({ workers: 2 }, async (session) => {
      // Node tells of a thread in the next tick.
      await setImmediate();
      assert.equal(started, 0);
      const { pool } = session;
      assert.equal(session.pool, pool);
      await setImmediate();
      assert.equal(started, 2);
      session.state.shuffle(0);
      await pool.trainSteps(0, 0, 1);
      const closing = session.close();
      assert.equal(session.close(), closing);
      await closing;
      assert.deepEqual([started, ended], [2, 2]);
      assert.throws(() => session.pool, /^Error: The session is closed: its threads have ended\.$/);
      assert.match(hashOf(session), /^[0-9a-f]{64}$/, 'the memory stays readable');
    });
    await withSession({}, async (session) => {
      await session.close();
      assert.throws(() => session.pool, /The session is closed/);
    });
    assert.equal(started, 2);
  } finally {
    process.off('worker', count);
  }
});

test('a run that is refused before its first step has started no thread', async () => {
  let started = 0;
  const count = () => started++;
  process.on('worker', count);
  try {
    await withSession({}, async (_, data) => {
      // Its directory is in use: the data are in it.
      await assert.rejects(train({ model: smallModel, data, out: data }), UsageError);
    });
    assert.equal(started, 0);
  } finally {
    process.off('worker', count);
  }
});

test('a session refuses more workers than shards', async () => {
  await assert.rejects(
    withSession({ workers: 9 }, () => assert.fail('it opened')),
    (error: unknown) =>
      error instanceof UsageError && /^9 workers cannot share 8 shards: /.test(error.message),
  );
});

test('nothing else makes the memory or the threads of a run', () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const makes = /new (?:RunState|WorkerPool)\(/;
  const found = ['src', 'bench'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
      .filter((file) => file.endsWith('.ts') && makes.test(readFileSync(join(root, file), 'utf8'))),
  );
  assert.deepEqual(found, ['src/coordinator/session.ts']);
});

test('the regions of the memory have names of one form: of the run, or behind a rank and a slash', async () => {
  await withSession({ workers: 2 }, ({ state }) => {
    const names = state.layout.regions.map(({ name }) => name);
    for (const name of ['test log-likelihood', 'test KL', 'test bound'])
      assert.ok(names.includes(name), name);
    const ofRank = names.filter((name) => name.startsWith('rank 1'));
    assert.ok(ofRank.includes('rank 1/log-likelihood'), ofRank.join(', '));
    for (const name of ofRank) assert.match(name, /^rank 1\/\S/);
    assert.equal(new Set(names).size, names.length, 'no name stands twice');
  });
});
