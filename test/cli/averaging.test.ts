// Which parameters the commands read where a run has an average, and what they say of it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { runProgram } from './program.js';
import { assertRefused, parseLines, succeed, temporaryDirectory, writeSmallData } from './smallRun.js';

describe('a run with an average of its parameters', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  const data = ['--data', 'data'];
  let told = '';
  let last = '';
  let average = '';

  const json = async (args: readonly string[]) => {
    return parseLines(await succeed([...args, '--json'], directory)).at(-1)!;
  };

  before(async () => {
    writeSmallData(directory, 'data', 40);
    const args = ['train', ...data, '--model', 'mlp', '--latent', '2', '--workers', '1', '--batch-size', '8'];
    const output = ['--no-pictures', '--keep-checkpoints', '2', '--out', 'run', '--epochs', '2'];
    told = await succeed([...args, ...output, '--ema-decay', '0.9'], directory);
    const inspected = await json(['inspect', 'run']);
    last = String(inspected.parametersSha256);
    average = String(inspected.averageSha256);
  });

  it('says so at the start, and is inspected', async () => {
    assert.match(told.replaceAll(/\n {13}/g, ' '), /, seed 0; average of the parameters, decay 0\.9$/m);
    const text = await succeed(['inspect', 'run'], directory);
    assert.match(
      text,
      new RegExp(`^Average {8}of the parameters, decay 0\\.9; its SHA-256:\\n {15}${average}$`, 'm'),
    );
    assert.match(text, new RegExp(`^SHA-256 {8}${last}$`, 'm'));
    assert.notEqual(last, average);
  });

  for (const [words, more] of [
    ['evaluate', []],
    ['evaluate', ['--examples', '0:2']],
    ['infer', ['--method', 'variational', '--examples', '0:2']],
    ['compare estimators', ['--draws', '3', '--examples', '0:2']],
  ] as const) {
    it(`${[words, ...more].join(' ')}: the protocol names the average, or with --no-ema does not`, async () => {
      const args = [...words.split(' '), 'run', ...data, '--workers', '1', ...more];
      const line = /^Parameters {5}their moving average, decay 0\.9$/m;
      const averaged = await succeed(args, directory);
      assert.match(averaged, line);
      assert.match(averaged, new RegExp(`^SHA-256 {8}${average}$`, 'm'));
      const plain = await succeed([...args, '--no-ema'], directory);
      assert.doesNotMatch(plain, line);
      assert.match(plain, new RegExp(`^SHA-256 {8}${last}$`, 'm'));
    });
  }

  for (const [words, more] of [
    ['sample', []],
    ['reconstruct', data],
    ['interpolate', data],
    ['manifold', ['--side', '2']],
    ['manifold', ['--over-epochs', '--side', '2']],
  ] as const) {
    it(`${[words, ...more].join(' ')}: drawn by the average, or with --no-ema by the last parameters`, async () => {
      const found = await json([words, 'run', ...more]);
      assert.deepEqual([found.parametersSha256, found.emaDecay], [average, 0.9]);
      const plain = await json([words, 'run', ...more, '--no-ema']);
      assert.deepEqual([plain.parametersSha256, plain.emaDecay], [last, undefined]);
    });
  }

  it('refuses a decay of 1, and another one on resume', async () => {
    assertRefused(
      await runProgram(['train', ...data, '--ema-decay', '1'], directory),
      '--ema-decay takes a number from 0 up to, but not, 1, not "1".',
    );
    const { code, stderr } = await runProgram(
      ['train', '--resume', 'run', ...data, '--ema-decay', '0.99'],
      directory,
    );
    assert.equal(code, 2);
    assert.match(
      stderr.replaceAll('\n', ' '),
      /^run was started with emaDecay 0\.9, but 0\.99 is asked for now/,
    );
  });
});
