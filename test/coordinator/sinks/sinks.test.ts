// Every sink runs the contract; and how they are told together.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { callerEvents } from '#src/coordinator/sinks/callerEvents.js';
import { callerHooks } from '#src/coordinator/sinks/callerHooks.js';
import { MetricsFile } from '#src/coordinator/sinks/metricsFile.js';
import { RunSinks } from '#src/coordinator/sinks/runSinks.js';
import type { Sink } from '#src/coordinator/sinks/sink.js';
import { RunDirectory } from '#src/runs/runDirectory.js';
import { events, testSink } from './sinkContract.js';

const boom = new TypeError('boom');
const raise = () => {
  throw boom;
};

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'lowerbound-sinks-'));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

testSink({
  title: 'onEvent',
  make: () => {
    const kinds: string[] = [];
    return { sink: callerEvents(({ kind }) => kinds.push(kind)), taken: () => kinds };
  },
  kinds: ['warning', 'note', 'progress', 'checkpoint', 'evaluating', 'epoch', 'picture', 'finished'],
  failing: () => ({ sink: callerEvents(raise), at: 'epoch', cause: boom }),
});

testSink({
  title: 'hooks',
  make: () => {
    const kinds: string[] = [];
    const sink = callerHooks({
      onStep: () => void kinds.push('step'),
      onEpoch: () => void kinds.push('epoch'),
      onCheckpoint: () => void kinds.push('checkpoint'),
    });
    return { sink, taken: () => kinds };
  },
  kinds: ['step', 'epoch', 'checkpoint'],
  failing: () => ({ sink: callerHooks({ onStep: raise }), at: 'step', cause: boom }),
});

testSink({
  title: 'metrics.jsonl',
  make: () => {
    const path = directory();
    const taken = () =>
      readFileSync(join(path, 'metrics.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map(
          (line) =>
            ({ batch: 'step', epoch: 'epoch' })[(JSON.parse(line) as { kind: 'batch' | 'epoch' }).kind],
        );
    return { sink: new MetricsFile(new RunDirectory(path), 1), taken };
  },
  kinds: ['step', 'epoch'],
  failing: () => ({
    sink: new MetricsFile(new RunDirectory(join(directory(), 'gone')), 1),
    at: 'step',
    cause: 'ENOENT',
  }),
});

test('metrics.jsonl says from which step on its lines are lost', () => {
  const sink = new MetricsFile(new RunDirectory(join(directory(), 'gone')), 2);
  const told = new RunSinks([sink]);
  assert.throws(() => events.forEach(told.tell));
  // No line was due for the first step.
  assert.equal(told.lostFrom, 2);
});

test("'stop' counts from any sink but onEvent, now or by a promise", async () => {
  const stop = { take: () => 'stop' };
  const later = { take: async () => 'stop' };
  const fromEvents = callerEvents(() => 'stop');
  const fromEventsLater = callerEvents(async () => 'stop');
  for (const [sinks, expected] of [
    [[stop], true],
    [[later], true],
    [[fromEvents, fromEventsLater], false],
  ] as const) {
    const told = new RunSinks(sinks);
    told.tell(events[0]!);
    await told.settled();
    assert.equal(told.stopAsked, expected);
  }
});

test('what a promise rejects with is thrown when its sink is told again, and when the run waits', async () => {
  const rejecting: Sink = { take: () => Promise.reject(boom) };
  const other: string[] = [];
  const sinks = new RunSinks([{ take: ({ kind }) => void other.push(kind) }, rejecting]);
  sinks.tell(events[0]!);
  await assert.rejects(sinks.settled(), boom);
  assert.throws(() => sinks.tell(events[1]!), boom);
  assert.deepEqual(other, ['warning', 'note']);
});

test('the run waits for awaited sinks alone', async () => {
  let release = () => {};
  const promise = new Promise<void>((resolve) => {
    release = resolve;
  });
  const never: Sink = { take: () => new Promise(() => {}) };
  const awaited: Sink = { awaited: true, take: () => promise };
  await withoutWaiting(new RunSinks([never]));
  const sinks = new RunSinks([never, awaited]);
  sinks.tell(events[0]!);
  let done = false;
  const waiting = sinks.settled().then(() => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(done, false);
  release();
  await waiting;
});

async function withoutWaiting(sinks: RunSinks): Promise<void> {
  sinks.tell(events[0]!);
  await sinks.settled();
}
