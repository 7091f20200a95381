import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { RunEvent } from '#src/coordinator/events.js';
import { createReporter, type ReportEvent } from '#src/report/progress.js';
import { epochDone, progress, started, startedLines, TestClock, TestStream } from './exampleRun.js';

/** Compiles only as long as every event of a run can be reported. */
export const reportable = (event: RunEvent): ReportEvent => event;

const epochLines = (epoch: number) => [
  `epoch ${epoch}/2  test ELBO -170.50 nats (reconstruction -165.38, KL 5.13),`,
  '           train ELBO -171.25, 10 s, 3,200 images/s',
];

/** A whole run in 25 s, of which each epoch's evaluation takes 2 s. */
function* wholeRun(clock: TestClock): Generator<ReportEvent> {
  yield started;
  for (const epoch of [1, 2]) {
    for (let step = (epoch - 1) * 1000 + 100; step <= epoch * 1000; step += 100) {
      clock.pass(1);
      yield progress(step);
    }
    yield { kind: 'checkpoint', step: epoch * 1000, path: `runs/cvae-1/checkpoints/${epoch}`, sha256: 'ab' };
    yield { kind: 'evaluating', epoch, step: epoch * 1000 };
    clock.pass(2);
    yield epochDone(epoch);
    if (epoch === 1) yield { kind: 'warning', message: 'One is odd.' };
  }
  yield { kind: 'note', message: 'A word.' };
  clock.pass(1);
  yield { kind: 'picture', path: 'runs/cvae-1/pictures/samples-epoch-0002.png' };
  yield { kind: 'finished', reason: 'done', step: 2000 };
}

/** What each form of report writes of the whole run. */
const forms = {
  json: { json: true, isTTY: false },
  'json on a terminal': { json: true, isTTY: true },
  lines: { json: false, isTTY: false },
  bar: { json: false, isTTY: true },
};

for (const [name, { json, isTTY }] of Object.entries(forms)) {
  describe(`a report as ${name}`, () => {
    const runWith = (quiet: boolean, until?: ReportEvent['kind']) => {
      const clock = new TestClock();
      const stream = new TestStream(isTTY);
      const reporter = createReporter({ stream, json, quiet, clock: clock.read });
      for (const event of wholeRun(clock)) {
        if (event.kind === until) break;
        reporter.report(event);
      }
      return { stream, reporter };
    };

    it('tells of start, epochs, warnings, notes and the end, in this order', () => {
      const { stream, reporter } = runWith(false);
      reporter.stop();
      const wanted = ['runs/cvae-1', '-171.25', 'One is odd.', '-170.5', 'A word.', 'runs/cvae-1/pictures'];
      let place = 0;
      for (const text of wanted) {
        place = stream.text.indexOf(text, place);
        assert.ok(place >= 0, `${text} is missing in ${stream.text}`);
      }
      assert.ok(stream.text.endsWith('\n'));
    });

    it('writes nothing after it was stopped in the middle, and stops twice', async () => {
      const { stream, reporter } = runWith(false, 'evaluating');
      reporter.stop();
      const { text } = stream;
      reporter.stop();
      // A bar redraws itself each 100 ms.
      await new Promise((resolve) => setTimeout(resolve, 150));
      assert.equal(stream.text, text);
    });

    it('is nothing but the warnings, if quiet', () => {
      const { stream } = runWith(true);
      const expected = json ? '{"kind":"warning","message":"One is odd."}' : 'Warning: One is odd.';
      assert.deepEqual(stream.lines, [expected]);
    });
  });
}

describe('JSON', () => {
  it('has one event a line, whole, and progress no more often than each second', () => {
    const clock = new TestClock();
    const stream = new TestStream(false);
    const reporter = createReporter({ stream, json: true, clock: clock.read });
    const extra = { ...started, config: { epochs: 2, seed: '18446744073709551615' } };
    reporter.report(extra);
    for (let step = 10; step <= 250; step += 10) {
      reporter.report(progress(step));
      clock.pass(0.1);
    }
    reporter.report(epochDone(1));
    const parsed = stream.lines.map((line) => JSON.parse(line));
    assert.deepEqual(parsed, [extra, progress(10), progress(110), progress(210), epochDone(1)]);
  });

  it('has a text, and no null, where a number is not finite', () => {
    const stream = new TestStream(false);
    createReporter({ stream, json: true }).report(progress(1, Number.NaN));
    assert.equal(JSON.parse(stream.lines[0]!).batch.elbo, 'NaN');
  });
});

describe('plain lines', () => {
  it('are these', () => {
    const clock = new TestClock();
    const stream = new TestStream(false);
    const reporter = createReporter({ stream, clock: clock.read });
    for (const event of wholeRun(clock)) reporter.report(event);
    assert.deepEqual(stream.lines, [
      ...startedLines,
      'epoch 1/2  step 500/1,000  3,200 images/s  ELBO -180.00 nats  15 s left',
      'epoch 1/2  step 1,000/1,000  3,200 images/s  ELBO -180.00 nats  10 s left',
      ...epochLines(1),
      'Warning: One is odd.',
      // An evaluation takes as long as that of the first epoch: 2 s.
      'epoch 2/2  step 500/1,000  3,200 images/s  ELBO -180.00 nats  7 s left',
      'epoch 2/2  step 1,000/1,000  3,200 images/s  ELBO -180.00 nats  0 s left',
      ...epochLines(2),
      'A word.',
      'Done: 2,000 steps in 25 s',
      'Checkpoint   runs/cvae-1/checkpoints/2',
      'Pictures     runs/cvae-1/pictures',
    ]);
  });

  it('come every 5 s, however fast the steps and however long an epoch', () => {
    const linesOf = (stepsPerEpoch: number, stepsPerSecond: number, seconds: number) => {
      const clock = new TestClock();
      const stream = new TestStream(false);
      const reporter = createReporter({ stream, clock: clock.read });
      reporter.report({ ...started, stepsPerEpoch, endStep: 10 * stepsPerEpoch });
      for (let second = 1; second <= seconds; second++) {
        clock.pass(1);
        reporter.report({ ...progress(second * stepsPerSecond), epoch: 1 });
      }
      reporter.stop();
      return stream.lines
        .filter((line) => line.startsWith('epoch'))
        .map((line) => Number(/step ([\d,]+)/.exec(line)?.[1]));
    };
    assert.deepEqual(linesOf(200, 1, 22), [5, 10, 15, 20]);
    assert.deepEqual(linesOf(800, 7, 12), [35, 70]);
  });

  it('come while the run tells of nothing: a long step, a long evaluation; and end with it', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const clock = new TestClock();
      const stream = new TestStream(false);
      const reporter = createReporter({ stream, clock: clock.read });
      const wait = (seconds: number) => {
        for (let second = 0; second < seconds; second++) {
          clock.pass(1);
          mock.timers.tick(1000);
        }
      };
      reporter.report(started);
      wait(6);
      reporter.report(progress(500));
      wait(5);
      reporter.report({ kind: 'evaluating', epoch: 1, step: 1000 });
      wait(10);
      reporter.report({ kind: 'finished', reason: 'stopped', step: 1000 });
      wait(20);
      assert.deepEqual(stream.lines.slice(startedLines.length), [
        'epoch 1/2  step 0/1,000  starting, 5 s',
        'epoch 1/2  step 500/1,000  3,200 images/s  ELBO -180.00 nats  15 s left',
        'epoch 1/2  step 1,000/1,000  evaluating, 4 s',
        'epoch 1/2  step 1,000/1,000  evaluating, 9 s',
        'Stopped as asked: 1,000 steps in 21 s',
      ]);
    } finally {
      mock.timers.reset();
    }
  });

  it('tell where a resumed run goes on, and what was left to do', () => {
    const clock = new TestClock();
    const stream = new TestStream(false);
    const reporter = createReporter({ stream, clock: clock.read });
    reporter.report({ ...started, step: 1500, workers: 1 });
    clock.pass(10);
    reporter.report({ ...progress(1600), examples: 3200, seconds: 10 });
    reporter.report({ ...epochDone(2), seconds: 0, imagesPerSecond: 0 });
    reporter.report({ kind: 'finished', reason: 'stopped', step: 1600 });
    assert.deepEqual(stream.lines.slice(2), [
      'Workers      1, with 200 MiB of shared memory',
      'Training in runs/cvae-1',
      'Going on after step 1,500 of 2,000',
      'epoch 2/2  step 600/1,000  320 images/s  ELBO -180.00 nats  40 s left',
      'epoch 2/2  test ELBO -170.50 nats (reconstruction -165.38, KL 5.13),',
      '           train ELBO -171.25',
      'Stopped as asked after step 1,600: 100 steps in 10 s',
    ]);
  });
});
