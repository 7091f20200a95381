// A model from a file on the command line: what the shell may put in its place, and what is refused.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { main, runProgram, startProgram } from './program.js';
import { assertRefused, succeed, temporaryDirectory, writeSmallData } from './smallRun.js';

const model = {
  name: 'mine',
  latent: 2,
  encoder: [{ type: 'flatten' }, { type: 'dense', units: 'posterior' }],
  decoder: [{ type: 'dense', units: 'pixels' }],
};

describe('--model FILE', () => {
  const directory = temporaryDirectory();
  writeSmallData(directory, 'data', 40);
  const train = ['train', '--data', 'data', '--max-steps', '1', '--no-pictures', '--workers', '1'];
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);

  for (const input of [
    [4, 4, 1],
    [8, 8, 3],
  ]) {
    it(`made for ${input} is refused for data of 8,8,1, and nothing is written`, async () => {
      write('other.json', JSON.stringify({ ...model, input }));
      assertRefused(
        await runProgram([...train, '--model', './other.json', '--out', 'other'], directory),
        `Model "mine" is made for examples of shape [${input.join(', ')}], but the data's are [8, 8, 1] (height, width, ` +
          'channels). Use other data, or leave "input" out of the model.',
      );
      // The directory is as free as before.
      mkdirSync(join(directory, 'other'));
      write('fits.json', JSON.stringify({ ...model, input: [8, 8, 1] }));
      const { code } = await runProgram([...train, '--model', './fits.json', '--out', 'other'], directory);
      assert.equal(code, 0);
      execFileSync('rm', ['-r', join(directory, 'other')]);
    });
  }

  it('with a key twice is refused', async () => {
    write('twice.json', JSON.stringify(model).replace('"latent":2', '"latent":2,"latent":3'));
    assertRefused(
      await runProgram([...train, '--model', './twice.json'], directory),
      './twice.json: the key "latent" stands twice in one object, at line 1, column 16 and at line 1, column 27, and ' +
        'which one counts would be a guess. Remove one of them.',
    );
  });

  const skip = process.platform === 'win32' && 'Windows has no named pipes in the file system';

  it('may be what a shell writes into a pipe', { skip }, async () => {
    write('mine.json', JSON.stringify(model));
    const line = `"$0" "$@" --out piped --model <(cat mine.json)`;
    const { stdout } = await promisify(execFile)('bash', ['-c', line, process.execPath, main, ...train], {
      cwd: directory,
    });
    assert.match(stdout, /^SHA-256 {6}[0-9a-f]{64}$/m);
  });

  it('may be a pipe that nobody writes to: Ctrl-C leaves with 130', { skip }, async () => {
    execFileSync('mkfifo', [join(directory, 'waiting.json')]);
    const running = startProgram([...train, '--model', './waiting.json', '--out', 'waiting'], directory);
    // Until its handlers are there; before, the signal would end it by itself.
    await sleep(3000);
    running.process.kill('SIGINT');
    const { code, stderr } = await running.outcome;
    assert.deepEqual({ code, stderr }, { code: 130, stderr: '' });
  });
});

describe('the preset iwae', () => {
  it('says in inspect whether it has the importance-weighted bound', async () => {
    const directory = temporaryDirectory();
    writeSmallData(directory, 'data', 40);
    for (const [run, flags, objective] of [
      [
        'elbo',
        ['--model', 'iwae', '--samples', '5'],
        'ELBO, K = 5 (draws averaged), KL analytic, beta 1 (not the importance-weighted bound)',
      ],
      [
        'weighted',
        ['--model', 'iwae', '--samples', '5', '--objective', 'iwae'],
        'IWAE bound, K = 5, KL monte-carlo, beta 1',
      ],
      ['other', ['--model', 'mlp'], 'ELBO, K = 1, KL analytic, beta 1'],
    ] as const) {
      const options = [...flags, '--out', run, '--max-steps', '1'];
      await succeed(['train', '--data', 'data', '--no-pictures', ...options], directory);
      // Lines of 80 columns, broken between words, go on under their text.
      const text = (await succeed(['inspect', run], directory)).replaceAll(`\n${' '.repeat(15)}`, ' ');
      assert.match(text, new RegExp(`^Objective {6}${objective.replace(/[()]/g, '\\$&')}$`, 'm'));
    }
  });
});
