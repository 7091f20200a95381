import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { StageReporter } from '#src/report/stageReporter.js';

function reporter(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
  const state = { time: 0 };
  const stages = new StageReporter({ stream, clock: () => state.time });
  const text = () => String(stream.read() ?? '');
  return { stages, state, text };
}

test('work in plain lines: at its beginning, and every five seconds with the time left', () => {
  const { stages, state, text } = reporter(false);
  stages.begin('Downloading');
  for (state.time = 1000; state.time <= 25_000; state.time += 1000) stages.advance(state.time, 40_000);
  stages.note('It failed.');
  stages.begin('Unpacking');
  stages.advance(1, 1);
  stages.stop();
  assert.deepEqual(text().split('\n'), [
    'Downloading …',
    'Downloading: 12 %, 35 s left',
    'Downloading: 25 %, 30 s left',
    'Downloading: 37 %, 25 s left',
    'Downloading: 50 %, 20 s left',
    'Downloading: 62 %, 15 s left',
    'It failed.',
    'Unpacking …',
    '',
  ]);
});

test('work on a terminal: a bar with the time left, gone when the next work begins', () => {
  const { stages, state, text } = reporter(true);
  stages.begin('Downloading');
  state.time = 10_000;
  stages.advance(25, 100);
  assert.match(text(), /█{10}░{30} 25 % 30 s left/);
  stages.begin('Unpacking');
  // The bar's own line is erased before.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's codes are what is looked for.
  assert.match(text(), /^[^█]*\x1b\[2KUnpacking …\n$/);
});
