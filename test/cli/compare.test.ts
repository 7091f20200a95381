import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { ESTIMATORS } from '#src/objective/estimators/registry.js';
import { runProgram, startProgram } from './program.js';
import { assertRefused, parseLines, succeed, temporaryDirectory, writeSmallData } from './smallRun.js';

const RUN = ['compare', 'estimators', 'run', '--data', 'data'];
const FEW = ['--draws', '12', '--examples', '0:3'];

/** What follows `compare`, and its refusal. */
const REFUSALS: readonly (readonly [string, string])[] = [
  ['', 'WHAT is missing: what is compared: estimators. See "lowerbound compare --help".'],
  ['layers run', 'WHAT takes estimators, not "layers": nothing else can be compared.'],
  [
    'estimators',
    'RUN is missing: a run\'s directory (its newest checkpoint), or a checkpoint file. See "lowerbound compare --help".',
  ],
  ['estimators nowhere', 'nowhere: there is no such file or directory. Check the path.'],
  [
    'estimators run',
    'run/checkpoints/step-000000004.safetensors was started with the data of data, not with MNIST: name them again ' +
      'by the option data (--data).',
  ],
  ['estimators run --draws 2', '--draws takes a whole number from 3 to 1000000, not "2".'],
  [
    'estimators run --examples 3',
    '--examples takes a range FIRST:END of whole numbers from 0 up, FIRST below END, not "3".',
  ],
  [
    'estimators run --data data --examples 10:13',
    'There are no test examples 10:13: the test set has 12, which are 0:12.',
  ],
  ['estimators run --objective vr', '--objective takes elbo or iwae, not "vr".'],
  ['estimators run --samples 0', '--samples takes a whole number from 1 up, not "0".'],
  ['estimators run --beta -1', '--beta takes a number from 0 up, not "-1".'],
  ['estimators run --seed x', '--seed takes a whole number from 0 to 18446744073709551615, not "x".'],
  ['estimators run --workers 0', '--workers takes a whole number from 1 up, not "0".'],
  ['estimators run --out a.jpg', '--out takes the path of a file that ends in .png, not "a.jpg".'],
  [
    'estimators run --estimator score-function',
    'There is no flag --estimator. See "lowerbound compare --help".',
  ],
];

interface Printed {
  readonly figures: readonly {
    readonly estimator: string;
    readonly kl: string;
    readonly variance: object;
    readonly squaredBias?: object;
  }[];
  readonly squaredNorm: object;
  readonly protocol: Readonly<Record<string, unknown>>;
  readonly checkpoint: string;
  readonly step: number;
  readonly parametersSha256: string;
  readonly interrupted: boolean;
}

describe('compare estimators', () => {
  const directory = temporaryDirectory();

  before(async () => {
    writeSmallData(directory, 'data', 32);
    const training = ['train', '--data', 'data', '--model', 'mlp', '--batch-size', '8', '--epochs', '1'];
    await succeed([...training, '--no-pictures', '--quiet', '--out', 'run'], directory);
  });

  it('prints a table with a row for each estimator, the protocol, and where the picture is', async () => {
    const stdout = await succeed([...RUN, ...FEW], directory);
    const lines = stdout.split('\n');
    assert.match(lines[0]!, /^Estimator +variance +ratio +bias²$/);
    assert.match(lines[1]!, /^reparameterized, analytic KL +\S+ +1\.00 +none$/);
    const rows = [
      'reparameterized, Monte-Carlo KL',
      'score-function',
      'sticking-the-landing',
      'doubly-reparameterized',
    ];
    rows.forEach((name, i) => {
      assert.match(lines[i + 2]!, new RegExp(`^${name} +[\\d.e-]+ +[\\d.e-]+ +-?[\\d.e-]+ ± [\\d.e-]+$`));
    });
    const flowing = stdout.replaceAll(/\s+/g, ' ');
    assert.match(
      flowing,
      /test images 0:3, binarise \w+, likelihood bernoulli, objective elbo, K = 1, beta 1, 12 draws, seed 0 /,
    );
    const picture = join('run', 'pictures', 'estimators-step-000000004.png');
    assert.equal(lines.at(-2), picture);
    assert.ok(existsSync(join(directory, picture)));
  });

  it('prints JSON with figures and protocol, the same for any number of workers', async () => {
    const asked = [...RUN, ...FEW, '--objective', 'iwae', '--samples', '4', '--beta', '0.5', '--seed', '9'];
    const json = async (workers: string, out: string) =>
      parseLines(await succeed([...asked, '--workers', workers, '--out', out, '--json'], directory));
    const [compared, picture] = await json('1', 'one.png');
    const { figures, squaredNorm, protocol, checkpoint, step, parametersSha256, interrupted } =
      compared as unknown as Printed;
    assert.deepEqual(
      figures.map(({ estimator, kl }) => [estimator, kl]),
      Object.keys(ESTIMATORS).map((name) => [name, 'monteCarlo']),
    );
    figures.forEach(({ variance, squaredBias }, i) => {
      for (const moment of [variance, squaredNorm, ...(i === 0 ? [] : [squaredBias!])]) {
        assert.deepEqual(Object.keys(moment), ['value', 'standardError']);
        for (const value of Object.values(moment)) assert.equal(typeof value, 'number');
      }
      assert.equal(squaredBias === undefined, i === 0);
    });
    const { data: _, binarize: __, ...asGiven } = protocol;
    assert.deepEqual(asGiven, {
      examples: { first: 0, end: 3 },
      likelihood: { name: 'bernoulli' },
      ...{ objective: 'iwae', samples: 4, beta: 0.5, draws: 12, seed: '9' },
    });
    assert.deepEqual({ step, interrupted }, { step: 4, interrupted: false });
    assert.match(parametersSha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(picture, { path: 'one.png', checkpoint, step, parametersSha256 });
    const [same] = await json('3', 'three.png');
    assert.deepEqual(same, compared);
    const bytes = (file: string) => readFileSync(join(directory, file));
    assert.deepEqual(bytes('three.png'), bytes('one.png'));
  });

  it('leaves with 130 on Ctrl-C', {
    skip: process.platform === 'win32' && 'Windows has no such signals',
  }, async () => {
    const running = startProgram([...RUN, '--draws', '1000000'], directory);
    await running.printed('Estimating gradients: ', 'stderr');
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.outcome;
    assert.deepEqual({ code, stdout }, { code: 130, stdout: '' });
    assert.match(stderr, /Stopped: 0 draws are done, too few for figures\./);
  });

  for (const [words, sentence] of REFUSALS) {
    it(`refuses: lowerbound compare ${words}`, async () => {
      const args = ['compare', ...words.split(' ').filter((word) => word !== '')];
      assertRefused(await runProgram(args, directory), sentence);
    });
  }
});
