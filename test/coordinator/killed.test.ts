// KIL: a run that is killed again and again, without a word, and resumed each time, is the run that nobody
// disturbed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTemporaryFile } from '#src/runs/atomicFile.js';
import { startProgram } from '../cli/program.js';
import { parseLines, succeed } from '../cli/smallRun.js';
import { generator } from './parkMiller.js';
import { smallData, smallModel } from './smallRun.js';
import { withoutTimes, withTemporaryDirectory } from './temporaryRun.js';

const KILLS = 7;
/** The number of epochs, each of 7 steps: more than all kills let pass, even where an epoch takes 2 ms. */
const EPOCHS = 150;

/** Lines of metrics.jsonl without what the clock decides. */
async function metricsOf(run: string): Promise<unknown[]> {
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8');
  return parseLines(text).map(withoutTimes);
}

/**
 * Kills the program `delay` ms after its checkpoint number `count`; returns the step at which it had begun.
 */
async function killAfter(args: readonly string[], directory: string, count: number, delay: number) {
  const running = startProgram(args, directory);
  let begun: number | undefined;
  let checkpoints = 0;
  for await (const line of createInterface(running.process.stdout)) {
    const { kind, step } = JSON.parse(line) as Record<string, unknown>;
    if (kind === 'started') begun = Number(step);
    if (kind === 'checkpoint') checkpoints++;
    if (checkpoints >= count && begun !== undefined) break;
  }
  await sleep(delay);
  running.process.kill('SIGKILL');
  if (running.process.signalCode === null) await once(running.process, 'exit');
  assert.equal(running.process.signalCode, 'SIGKILL', 'the run was over before it was killed');
  assert.ok(begun !== undefined);
  return begun;
}

test('KIL: killed at random moments and resumed each time: the bits and the metrics of the undisturbed run', {
  skip: process.platform === 'win32' && 'Windows has no such signals',
}, async (context) => {
  await withTemporaryDirectory(async (directory) => {
    await smallData(directory);
    await writeFile(join(directory, 'small.json'), JSON.stringify(smallModel));
    const common = ['--data', 'data', '--no-pictures', '--log-every', '5', '--json'];
    const begin = ['train', '--model', './small.json', '--epochs', String(EPOCHS), ...common];
    const whole = await succeed([...begin, '--workers', '1', '--out', 'whole'], directory);

    // The same moments in every run of this test, as far as a clock allows.
    const random = generator(12);
    const begun: number[] = [];
    const counts: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      // Before the first checkpoint, too; then in steps, evaluations, writes, wherever the delay ends.
      const args = kill === 0 ? [...begin, '--out', 'killed'] : ['train', '--resume', 'killed', ...common];
      const workers = ['--workers', String(1 + random(3))];
      const count = kill === 0 ? 0 : random(6);
      begun.push(await killAfter([...args, ...workers], directory, count, random(25)));
      counts.push(count);
    }
    const last = await succeed(['train', '--resume', 'killed', ...common], directory);
    begun.push(Number(parseLines(last)[0]?.step));
    context.diagnostic(`the run began at steps ${begun.join(', ')}`);
    assert.equal(begun[0], 0);
    // Each life of the run went on from what the one before had left: a checkpoint that was told is on the
    // disk.
    counts.forEach((count, kill) => {
      assert.ok(
        begun[kill + 1]! >= begun[kill]! + 7 * count,
        `${count} checkpoints, but ${begun.join(', ')}`,
      );
    });

    const [expected, resumed] = [whole, last].map((text) => parseLines(text).at(-1)!);
    assert.equal(resumed!.step, 7 * EPOCHS);
    assert.equal(resumed!.parametersSha256, expected!.parametersSha256);
    assert.deepEqual(resumed!.test, expected!.test);
    assert.deepEqual(await metricsOf(join(directory, 'killed')), await metricsOf(join(directory, 'whole')));
    const names = await readdir(join(directory, 'killed'), { recursive: true });
    assert.deepEqual(names.filter(isTemporaryFile), []);
  });
});
