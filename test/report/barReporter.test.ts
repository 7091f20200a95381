import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { barLine } from '#src/report/phrases.js';
import { createReporter } from '#src/report/progress.js';
import { RunStatus } from '#src/report/runStatus.js';
import { epochDone, progress, started, startedLines, TestClock, TestStream } from './exampleRun.js';

const ESCAPE = '\u001b';
const TOKENS = new RegExp(`${ESCAPE}(?:\\[\\d*[A-Za-z]|[78])|[^]`, 'gu');

/** What a terminal shows after `text`, in lines: knows the few sequences that the bar uses. */
function screen(text: string): string[] {
  const lines = [''];
  let saved = 0;
  let column = 0;
  for (const [token] of text.matchAll(TOKENS)) {
    const line = lines.at(-1)!;
    if (token === '\n') {
      lines.push('');
      column = 0;
    } else if (token === `${ESCAPE}[1G`) column = 0;
    else if (token === `${ESCAPE}[0K`) lines[lines.length - 1] = line.slice(0, column);
    else if (token === `${ESCAPE}[2K`) lines[lines.length - 1] = '';
    else if (token === `${ESCAPE}7`) saved = column;
    else if (token === `${ESCAPE}8`) column = saved;
    else {
      assert.ok(!token.startsWith(ESCAPE), `unknown sequence ${JSON.stringify(token)}`);
      lines[lines.length - 1] = line.slice(0, column) + token + line.slice(column + 1);
      column += 1;
    }
  }
  return lines;
}

describe('the bar on a terminal', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }));
  afterEach(() => mock.timers.reset());

  const start = (columns: number) => {
    const clock = new TestClock();
    const stream = new TestStream(true, columns);
    const reporter = createReporter({ stream, clock: clock.read });
    reporter.report(started);
    return { clock, stream, reporter };
  };

  it('stands below the lines, and moves on with the run', () => {
    const { stream, reporter } = start(100);
    assert.deepEqual(screen(stream.text), [
      ...startedLines,
      'epoch 1/2 ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ step 0/2,000  starting',
    ]);
    reporter.report(progress(500));
    mock.timers.tick(100);
    assert.equal(
      screen(stream.text).at(-1),
      'epoch 1/2 ███████░░░░░░░░░░░░░░░░░░░░░ step 500/2,000  3,200 images/s  ELBO -180.00 nats  15 s left',
    );
    reporter.report({ kind: 'evaluating', epoch: 1, step: 1000 });
    mock.timers.tick(100);
    assert.equal(
      screen(stream.text).at(-1),
      'epoch 1/2 ████████████████████░░░░░░░░░░░░░░░░░░░░ step 1,000/2,000  evaluating',
    );
    reporter.stop();
  });

  it('lets lines pass above it, and leaves nothing behind', () => {
    const { clock, stream, reporter } = start(80);
    reporter.report(progress(1000));
    reporter.report({ kind: 'evaluating', epoch: 1, step: 1000 });
    clock.pass(3);
    reporter.report(epochDone(1));
    const epochLine =
      'epoch 1/2: ELBO train -171.25, test -170.50 nats (reconstruction -165.38, KL 5.13), 10 s, 3,200 images/s';
    assert.deepEqual(screen(stream.text), [
      ...startedLines,
      epochLine,
      // 1,000 steps at 100 a second, and an evaluation of 3 s.
      'epoch 1/2 ██████░░░░░░░ 1000/2000  3,200 images/s  ELBO -180.00 nats  13 s left',
    ]);
    reporter.report({ kind: 'finished', reason: 'maxSteps', step: 1000 });
    assert.deepEqual(screen(stream.text), [
      ...startedLines,
      epochLine,
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

describe('barLine', () => {
  it('tells less where there is less room, and never more than fits', () => {
    const status = new RunStatus(new TestClock().read);
    status.follow(started);
    status.follow(progress(500));
    const told = (width: number) => barLine(status, width).replace(/[█░]+/, '#');
    const pace = '3,200 images/s  ELBO -180.00 nats  15 s left';
    assert.equal(told(90), `epoch 1/2 # step 500/2,000  ${pace}`);
    assert.equal(told(75), `epoch 1/2 # 500/2000  ${pace}`);
    assert.equal(told(65), `epoch 1/2 # ${pace}`);
    assert.equal(told(50), 'epoch 1/2 # ELBO -180.00 nats  15 s left');
    assert.equal(told(30), 'epoch 1/2 # 15 s left');
    assert.equal(told(20), 'epoch 1/2');
    for (let width = 0; width < 140; width++) assert.ok(barLine(status, width).length <= width);
  });
});
