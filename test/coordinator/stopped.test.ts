// A process that is stopped and continued is not stalled, however long it was stopped.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunningTime } from '#src/collective/runningTime.js';
import { startProgram } from '../cli/program.js';
import { parseLines } from '../cli/smallRun.js';
import { smallData, smallModel } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

test('running time leaves out what lies between two looks beyond twice their distance', () => {
  let now = 1000;
  const time = new RunningTime(200, () => now);
  now += 150;
  time.tick();
  assert.equal(time.total, 150);
  now += 72_000;
  time.tick();
  assert.equal(time.total, 550);
  time.restart();
  now += 100;
  time.tick();
  assert.equal(time.total, 100);
});

test('a process stopped for longer than --barrier-timeout goes on, without a recovery', {
  skip: process.platform === 'win32' && 'Windows has no such signals',
}, async () => {
  await withTemporaryDirectory(async (directory) => {
    await smallData(directory);
    await writeFile(`${directory}/small.json`, JSON.stringify(smallModel));
    const args = ['train', '--model', './small.json', '--data', 'data', '--no-pictures', '--json'];
    const more = ['--epochs', '1500', '--workers', '2', '--barrier-timeout', '4', '--out', 'run'];
    const running = startProgram([...args, ...more], directory);
    await running.printed('"kind":"epoch"');
    for (let stop = 0; stop < 2; stop++) {
      running.process.kill('SIGSTOP');
      // The coordinator's limit, and that of a rank, which is 5 s longer.
      await sleep(stop === 0 ? 5000 : 10_000);
      running.process.kill('SIGCONT');
      await sleep(50);
    }
    // Still at work: it has not ended of itself.
    assert.equal(running.process.exitCode, null);
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.outcome;
    assert.equal(code, 130, stderr);
    const kinds = parseLines(stdout).map(({ kind }) => kind);
    assert.ok(!kinds.includes('recovered'), 'being stopped counted as a stall');
  });
});
