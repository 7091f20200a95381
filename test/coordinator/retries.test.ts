// Retries are bounded: a run that fails again and again ends with a checkpoint and exit code 1.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RecoveryBudget } from '#src/coordinator/recovery.js';
import { startProgram } from '../cli/program.js';
import { parseLines, succeed } from '../cli/smallRun.js';
import { smallData, smallModel } from './smallRun.js';
import { metricsOf, withoutTimes, withTemporaryDirectory } from './temporaryRun.js';

/** Failures at these steps, in order: which of them may be recovered from. */
function spent(steps: readonly number[]): boolean[] {
  const budget = new RecoveryBudget();
  return steps.map((step) => budget.spend(`step ${step}`, step));
}

test('three recoveries at one step, whatever happened before', () => {
  assert.deepEqual(spent([7, 7, 7, 7]), [true, true, true, false]);
  assert.deepEqual(spent([7, 7, 7, 8, 7]), [true, true, true, true, true]);
});

test('an evaluation is another place than the step after it', () => {
  const budget = new RecoveryBudget();
  for (let i = 0; i < 3; i++) assert.equal(budget.spend('step 7', 7), true);
  for (let i = 0; i < 3; i++) assert.equal(budget.spend('evaluation after step 7', 7), true);
  assert.equal(budget.spend('evaluation after step 7', 7), false);
});

test('ten recoveries without an advance of ten steps', () => {
  const ten = Array.from({ length: 10 }, (_, i) => 20 + (i % 2));
  assert.ok(spent(ten).every(Boolean));
  assert.equal(spent([...ten, 29]).at(-1), false);
  assert.equal(spent([...ten, 30]).at(-1), true);
  // Counted anew from there.
  const more = Array.from({ length: 9 }, (_, i) => 31 + (i % 2));
  assert.ok(spent([...ten, 30, ...more]).every(Boolean));
  assert.equal(spent([...ten, 30, ...more, 39]).at(-1), false);
  assert.equal(spent([...ten, 30, ...more, 40]).at(-1), true);
});

/** Lets each rank throw where it counts what it has evaluated: nothing else adds to a word of this number. */
const FAILS_IN_EVALUATION = `
const { add } = Atomics;
Atomics.add = (words, index, value) => {
  if (index === 3) throw new Error('Fault on purpose.');
  return add(words, index, value);
};`;

test('an evaluation that fails each time ends the run with its checkpoint and code 1; --resume evaluates', async () => {
  await withTemporaryDirectory(async (directory) => {
    await smallData(directory);
    await writeFile(join(directory, 'small.json'), JSON.stringify(smallModel));
    const common = ['--data', 'data', '--no-pictures', '--workers', '2', '--json'];
    const begin = ['train', '--model', './small.json', ...common, '--out'];
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(FAILS_IN_EVALUATION)}`;
    const { code, stdout, stderr } = await startProgram([...begin, 'run'], directory, { NODE_OPTIONS })
      .outcome;
    assert.equal(code, 1, stderr);
    const checkpoint = join('run', 'checkpoints', 'step-000000007.safetensors');
    assert.match(
      stderr,
      new RegExp(
        `Rank [01] failed at step \\d: Fault on purpose\\. The run stopped, with a checkpoint of the state after step 7: ${checkpoint}\\. ` +
          'Go on with --resume run\\.\n$',
      ),
    );
    assert.ok(existsSync(join(directory, checkpoint)));
    assert.equal(parseLines(stdout).filter(({ kind }) => kind === 'recovered').length, 3);
    await succeed(['train', '--resume', 'run', ...common], directory);
    await succeed([...begin, 'whole'], directory);
    const [resumed, whole] = await Promise.all(
      ['run', 'whole'].map(async (out) => (await metricsOf(join(directory, out))).map(withoutTimes)),
    );
    assert.ok(resumed!.some(({ kind, step }) => kind === 'epoch' && step === 7));
    assert.deepEqual(resumed, whole);
  });
});
