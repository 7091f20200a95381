import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram, startProgram } from './program.js';
import {
  assertRefused,
  parseLines,
  succeed,
  succeedWithJson,
  temporaryDirectory,
  writeSmallData,
} from './smallRun.js';

const RUN = ['evaluate', 'run', '--data', 'data'];

/** Command lines and their refusals. */
const REFUSALS: readonly (readonly [string, string])[] = [
  ['--chains 4', '--chains belongs to --ais and --bdmc: add one of them, or leave --chains out.'],
  [
    '--examples 0:2 --temperatures 4',
    '--temperatures belongs to --ais and --bdmc: add one of them, or leave --temperatures out.',
  ],
  ['--ais --gap-steps 4', '--gap-steps belongs to --gaps: add it, or leave --gap-steps out.'],
  [
    '--ais --objective iwae',
    '--objective belongs to the evaluation of the whole test set: leave it out, or the estimates of each example.',
  ],
  [
    '--ais --kl analytic',
    '--kl belongs to the evaluation of the whole test set: leave it out, or the estimates of each example.',
  ],
  [
    '--ais --backend simd',
    '--backend belongs to the evaluation of the whole test set: leave it out, or the estimates of each example.',
  ],
  ['--importance 0,5', '--importance takes numbers of draws from 1 up, but one of them is 0.'],
  ['--examples 10:13', 'There are no test examples 10:13: the test set has 12, which are 0:12.'],
  ['--ais --temperatures 300000000', '300000000 temperatures are too many: the most is 268435456.'],
];

describe('estimates of each example', () => {
  const directory = temporaryDirectory();
  const wanted = [
    '--importance',
    '1,20',
    '--ais',
    '--bdmc',
    '--gaps',
    '--chains',
    '2',
    '--temperatures',
    '10',
  ];
  const all = [...wanted, '--gap-steps', '5'];

  before(async () => {
    writeSmallData(directory, 'data', 32);
    const training = ['train', '--data', 'data', '--model', 'mlp', '--batch-size', '8', '--epochs', '1'];
    await succeed([...training, '--no-pictures', '--quiet', '--out', 'run'], directory);
  });

  it('are the same for any number of workers, and for a range as for the whole', async () => {
    const whole = await succeedWithJson(
      [...RUN, ...all, '--workers', '1', '--per-example', 'w.jsonl'],
      directory,
    );
    const two = await succeedWithJson([...RUN, ...all, '--workers', '2'], directory);
    assert.deepEqual(two, whole);
    await succeedWithJson([...RUN, ...all, '--examples', '3:5', '--per-example', 'p.jsonl'], directory);
    const lines = (file: string) => parseLines(readFileSync(join(directory, file), 'utf8'));
    assert.equal(lines('w.jsonl').length, 12);
    assert.deepEqual(lines('p.jsonl'), lines('w.jsonl').slice(3, 5));
  });

  it('have the ELBO of an evaluation with the same draws', async () => {
    const own = await succeedWithJson([...RUN, '--samples', '3', '--examples', '0:12'], directory);
    const { test } = (await succeedWithJson([...RUN, '--samples', '3', '--kl', 'analytic'], directory)) as {
      test: { elbo: number };
    };
    const [elbo] = own.test as { name: string; mean: number }[];
    assert.equal(elbo!.name, 'elbo.elbo');
    // The sums over pixels are taken in another order.
    assert.ok(Math.abs(elbo!.mean - test.elbo) < 1e-4, `${elbo!.mean}, expected ${test.elbo}`);
  });

  it('print each figure with its protocol', async () => {
    const page = await succeed([...RUN, ...all, '--examples', '0:2'], directory);
    for (const part of [
      'test images 0:2',
      'IWAE L20',
      'k = 20',
      '2 chains, 10 sigmoidal temperatures',
      'BDMC',
    ]) {
      assert.ok(page.includes(part), `${part} is missing:\n${page}`);
    }
  });

  it('are a NumPy file with a row for each image', async () => {
    const file = ['--examples', '0:2', '--per-example', 'figures.npy'];
    const { code, stderr } = await runProgram([...RUN, ...file], directory);
    assert.equal(code, 0, stderr);
    const header = readFileSync(join(directory, 'figures.npy')).subarray(0, 128).toString('latin1');
    const columns = /columns (.*)\n/.exec(stderr)?.[1]?.split(', ').length;
    assert.match(header, new RegExp(`'<f8', 'fortran_order': False, 'shape': \\(2, ${columns}\\)`));
  });

  it('leave with 130 on Ctrl-C', {
    skip: process.platform === 'win32' && 'Windows has no such signals',
  }, async () => {
    const running = startProgram([...RUN, '--ais', '--temperatures', '10000000', '--json'], directory);
    await sleep(3000);
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.outcome;
    assert.deepEqual({ code, stdout }, { code: 130, stdout: '' });
    assert.match(stderr, /Stopped: 0 images are done\. Go on with --examples 0:12, and another file\./);
  });

  for (const [flags, sentence] of REFUSALS) {
    it(`are refused: ${flags}`, async () => {
      assertRefused(await runProgram([...RUN, ...flags.split(' ')], directory), sentence);
    });
  }

  it('are refused a file of another kind', async () => {
    const { code, stderr } = await runProgram([...RUN, '--per-example', 'a.csv'], directory);
    assert.equal(code, 2);
    assert.match(stderr, /^--per-example takes the path of a file that ends in \.npy or \.jsonl/);
  });
});
