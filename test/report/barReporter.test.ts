import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { barLine } from '#src/report/phrases.js';
import { createReporter } from '#src/report/progress.js';
import { RunStatus } from '#src/report/runStatus.js';
import { styleFor } from '#src/report/style.js';
import { visibleLength } from '#src/report/wrap.js';
import { epochDone, progress, started, startedLines, TestClock, TestStream } from './exampleRun.js';

const ESCAPE = '\u001b';
const TOKENS = new RegExp(`${ESCAPE}(?:\\[\\d*[A-Za-z]|[78])|[^]`, 'gu');

/** What a terminal shows after `text`, in lines: knows the few sequences that the bar uses. */
function screen(text: string): string[] {
  const lines = [''];
  let column = 0;
  for (const [token] of text.matchAll(TOKENS)) {
    const line = lines.at(-1)!;
    if (token === '\n') {
      lines.push('');
      column = 0;
    } else if (token === '\r') column = 0;
    else if (token === `${ESCAPE}[2K`) lines[lines.length - 1] = '';
    else {
      assert.ok(!token.startsWith(ESCAPE), `unknown sequence ${JSON.stringify(token)}`);
      lines[lines.length - 1] = line.slice(0, column) + token + line.slice(column + 1);
      column += 1;
    }
  }
  return lines;
}

describe('the bar on a terminal', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  const start = (columns: number) => {
    const clock = new TestClock();
    const stream = new TestStream(true, columns);
    const reporter = createReporter({ stream, clock: clock.read });
    reporter.report(started);
    return { clock, stream, reporter };
  };

  it('stands below the lines, and moves on with the run', () => {
    const { clock, stream, reporter } = start(120);
    assert.deepEqual(screen(stream.text), [
      ...startedLines,
      'epoch 1/2 ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ step 0/1,000  starting',
    ]);
    reporter.report(progress(500));
    mock.timers.tick(100);
    assert.equal(
      screen(stream.text).at(-1),
      `epoch 1/2 ${'█'.repeat(17)}${'░'.repeat(18)} step 500/1,000  3,200 images/s  ELBO -180.00  left: epoch 5 s, run 15 s`,
    );
    reporter.report({ kind: 'evaluating', epoch: 1, step: 1000 });
    clock.pass(2);
    mock.timers.tick(100);
    assert.equal(
      screen(stream.text).at(-1),
      'epoch 1/2 ████████████████████████████████████████ step 1,000/1,000  evaluating, 2 s',
    );
    reporter.stop();
  });

  it('lets lines pass above it, and leaves nothing behind', () => {
    const { clock, stream, reporter } = start(80);
    reporter.report(progress(1000));
    reporter.report({ kind: 'evaluating', epoch: 1, step: 1000 });
    clock.pass(3);
    reporter.report(epochDone(1));
    const epochLines = [
      'epoch 1/2  test ELBO -170.50 nats (reconstruction -165.38, KL 5.13),',
      '           train ELBO -171.25, 10 s, 3,200 images/s',
    ];
    assert.deepEqual(screen(stream.text), [
      ...startedLines,
      ...epochLines,
      // 1,000 steps at 100 a second, and an evaluation of 3 s.
      'epoch 1/2 ██████████████ 1,000/1,000  ELBO -180.00  left: epoch 0 s, run 13 s',
    ]);
    reporter.report({ kind: 'finished', reason: 'maxSteps', step: 1000 });
    assert.deepEqual(screen(stream.text), [
      ...startedLines,
      ...epochLines,
      'Stopped at the limit on steps: 1,000 steps in 3 s',
      '',
    ]);
  });

  it('goes away where the run fails', () => {
    const { stream, reporter } = start(80);
    reporter.report(progress(10));
    reporter.stop();
    assert.deepEqual(screen(stream.text), [...startedLines, '']);
  });

  it('leaves cursor and wrapping of the terminal alone', () => {
    const { stream, reporter } = start(80);
    reporter.report(progress(10));
    reporter.report({ kind: 'warning', message: 'odd' });
    reporter.stop();
    assert.ok(!stream.text.includes(`${ESCAPE}[?`));
  });
});

describe('a run that is asked to stop', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  for (const columns of [40, 80, 120]) {
    it(`has no bar from then on, and left room for the ^C of the terminal before, in ${columns} columns`, () => {
      const stream = new TestStream(true, columns);
      const reporter = createReporter({ stream, clock: new TestClock().read });
      reporter.report(started);
      reporter.report(progress(500));
      mock.timers.tick(100);
      const bar = screen(stream.text).at(-1)!;
      assert.match(bar, /^epoch 1\/2 █+░+ /);
      assert.ok(bar.length + '^C'.length < columns, bar);
      reporter.report({ kind: 'stopping', message: 'It stops.' });
      reporter.report(progress(501));
      mock.timers.tick(1000);
      assert.deepEqual(screen(stream.text).slice(-2), ['It stops.', '']);
      reporter.report({ kind: 'finished', reason: 'stopped', step: 501 });
      assert.deepEqual(screen(stream.text).slice(-2), ['Stopped as asked: 501 steps in 0 s', '']);
    });
  }
});

describe('barLine', () => {
  it('counts the steps of the epoch, up to the limit of the run', () => {
    const status = new RunStatus(new TestClock().read);
    status.follow({ ...started, endStep: 1250 });
    status.follow({ ...progress(1100), epoch: 2 });
    assert.match(barLine(status, 100), /^epoch 2\/2 █+░+ step 100\/250 .* {2}2 s left$/);
    status.follow({ ...started, endStep: 25 });
    status.follow(progress(5));
    assert.match(barLine(status, 100), /^epoch 1\/1 █+░+ step 5\/25 /);
  });

  it('tells less where there is less room, and never more than fits', () => {
    const status = new RunStatus(new TestClock().read);
    status.follow(started);
    status.follow(progress(500));
    const told = (width: number) => barLine(status, width).replace(/[█░]+/, '#');
    const times = 'left: epoch 5 s, run 15 s';
    assert.equal(told(99), `epoch 1/2 # step 500/1,000  3,200 images/s  ELBO -180.00  ${times}`);
    assert.equal(told(77), `epoch 1/2 # 500/1,000  ELBO -180.00  ${times}`);
    assert.equal(told(60), `epoch 1/2 # ELBO -180.00  ${times}`);
    assert.equal(told(50), `epoch 1/2 # ${times}`);
    assert.equal(told(30), 'epoch 1/2 # 15 s left');
    assert.equal(told(20), 'epoch 1/2');
    for (let width = 0; width < 140; width++) {
      assert.ok(barLine(status, width).length <= width);
      assert.ok(visibleLength(barLine(status, width, styleFor(24))) <= width);
    }
  });
});
