import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram, startProgram } from './program.js';
import { assertRefused, parseLines, succeed, temporaryDirectory, writeSmallData } from './smallRun.js';

const RUN = ['infer', 'run', '--data', 'data'];
const FEW = ['--chains', '2', '--warmup', '6', '--draws', '16', '--leapfrog-steps', '2'];

describe('infer', () => {
  const directory = temporaryDirectory();

  before(async () => {
    writeSmallData(directory, 'data', 32);
    const training = ['train', '--data', 'data', '--model', 'mlp', '--batch-size', '8', '--epochs', '1'];
    const where = ['--latent', '2', '--no-pictures', '--quiet', '--out', 'run'];
    await succeed([...training, ...where], directory);
  });

  /** Its lines of JSON; a warning that chains have not mixed is not looked at. */
  async function infer(args: readonly string[]): Promise<Record<string, unknown>[]> {
    const { code, stdout, stderr } = await runProgram([...RUN, ...args, '--json'], directory);
    assert.equal(code, 0, stderr);
    return parseLines(stdout);
  }

  it('gives an image the same draws for any number of workers and beside any others', async () => {
    const draws = ['--out', 'a.png', '--npy'];
    const one = await infer([...FEW, '--examples', '0:5', '--workers', '1', ...draws, 'one.npy']);
    const two = await infer([...FEW, '--examples', '0:5', '--workers', '2', ...draws, 'two.npy']);
    assert.deepEqual(two.slice(0, 5), one.slice(0, 5));
    const bytes = (file: string) => readFileSync(join(directory, file));
    assert.deepEqual(bytes('two.npy'), bytes('one.npy'));
    const alone = await infer([...FEW, '--image', '3', '--out', 'a.png']);
    assert.deepEqual(alone[0], one[3]);
    assert.ok(existsSync(join(directory, 'a.png')));
  });

  it('draws from q(z|x) have no diagnostics of chains', async () => {
    const [first] = await infer([...FEW, '--method', 'variational', '--examples', '0:1']);
    assert.deepEqual(Object.keys(first!), ['image', 'class', 'mean', 'deviation', 'q']);
  });

  it('prints a table for each image, and the protocol', async () => {
    const { code, stdout } = await runProgram([...RUN, ...FEW, '--examples', '0:2'], directory);
    assert.equal(code, 0);
    assert.match(stdout, /^Test image 0, class 0: acceptance 0\.\d\d, step size /m);
    assert.match(stdout, /^z2 +(-?\d+\.\d+ +){5}\d+\.\d+ +\d+ +\d+$/m);
    assert.match(
      stdout,
      /^Protocol .*, 2 test images, .*HMC, 2 chains of 16 draws after 6, 2 leapfrog steps/m,
    );
  });

  it('leaves with 130 on Ctrl-C', {
    skip: process.platform === 'win32' && 'Windows has no such signals',
  }, async () => {
    const running = startProgram([...RUN, '--draws', '10000000', '--chains', '1', '--json'], directory);
    await sleep(3000);
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.outcome;
    assert.deepEqual({ code, stdout }, { code: 130, stdout: '' });
    assert.match(stderr, /Stopped: 0 of 8 images are done\./);
  });

  it('refuses both ways of naming images, and an image that is not there', async () => {
    const both = await runProgram([...RUN, '--image', '1', '--examples', '0:2'], directory);
    assertRefused(both, '--image and --examples both say which test images: leave one of them out.');
    const far = await runProgram([...RUN, '--image', '12'], directory);
    assertRefused(far, 'There is no test example 12: the test set has examples 0 to 11.');
  });
});
