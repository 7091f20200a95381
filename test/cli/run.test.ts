// A run from its first step to its last picture, as a user types it.
import assert from 'node:assert/strict';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { forgeElement } from '../runs/forgedCheckpoint.js';
import { runProgram } from './program.js';
import {
  assertRefused,
  parseLines,
  succeed,
  succeedWithJson,
  temporaryDirectory,
  writeSmallData,
} from './smallRun.js';

const tiny = ['--batch-size', '16', '--max-steps', '3', '--no-pictures'];

describe('a run', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  const run = 'runs/cvae-1';
  let output = '';
  let sha256 = '';

  before(async () => {
    writeSmallData(directory, 'data', 40);
    output = await succeed(['train', '--data', 'data', '--workers', '1', ...tiny], directory);
    sha256 = /^SHA-256 +([0-9a-f]{64})$/m.exec(output)?.[1] ?? '';
  });

  it('says what it does, where, and what to type next', () => {
    assert.match(
      output,
      /^Model +cvae, d = 2\nData +data, binarise threshold\nObjective +ELBO, K = 1, KL analytic, beta 1; likelihood Bernoulli\nOptimizer +Adam, beta1 0\.9, beta2 0\.999, epsilon 1e-8, learning rate 0\.0001,\s+batches of 16 in 8 shards, seed 0$/m,
    );
    assert.match(
      output,
      new RegExp(
        `^Kernels +simd kernels, (portable|fused) arithmetic, tile \\d+x\\d+, (128-bit|256-bit\\s+\\(re-vectorised\\)),\\s+Node ${process.versions.node}$`,
        'm',
      ),
    );
    assert.match(output, new RegExp(`^Training in ${run}`, 'm'));
    assert.ok(output.includes(`${run}/checkpoints/step-000000003.safetensors`));
    assert.match(
      output,
      /^SHA-256 +[0-9a-f]{64}\nnext: lowerbound train --resume runs\/cvae-1 --data data +# go on\n {6}lowerbound sample runs\/cvae-1 +# new images\n {6}lowerbound evaluate runs\/cvae-1 --data data +# test ELBO in nats\n$/m,
    );
  });

  it('writes no control characters to a pipe', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    assert.doesNotMatch(output, /[\x00-\x09\x0b-\x1f\x7f]/);
  });

  it('has the same bits with two workers, into a directory of choice, as JSON', async () => {
    const args = ['train', '--data', 'data', '--workers', '2', ...tiny, '--out', 'two', '--json'];
    const lines = parseLines(await succeed(args, directory));
    for (const kind of ['progress', 'checkpoint', 'finished']) {
      assert.ok(
        lines.some((line) => line.kind === kind),
        kind,
      );
    }
    assert.equal(lines[0]?.kind, 'started');
    assert.equal(lines[0]?.workers, 2);
    assert.equal(lines[0]?.node, process.version);
    assert.equal(lines[0]?.runtime, `Node ${process.versions.node}`);
    const { kind, parametersSha256, directory: where, step, reason } = lines.at(-1)!;
    assert.deepEqual(
      { kind, parametersSha256, where, step, reason },
      { kind: 'result', parametersSha256: sha256, where: 'two', step: 3, reason: 'maxSteps' },
    );
  });

  it('prints nothing with --quiet', async () => {
    assert.equal(
      await succeed(['train', '--data', 'data', ...tiny, '--quiet', '--out', 'quiet'], directory),
      '',
    );
    assert.ok(existsSync(join(directory, 'quiet/checkpoints/step-000000003.safetensors')));
  });

  it('starts another one from its config.json, with the same bits; flags stand above the file', async () => {
    const again = [
      'train',
      '--config',
      `${run}/config.json`,
      '--data',
      'data',
      '--max-steps',
      '3',
      '--no-pictures',
    ];
    const same = await succeed([...again, '--workers', '2', '--out', 'again'], directory);
    assert.ok(same.includes(sha256));
    const other = await succeed([...again, '--kl', 'monte-carlo', '--out', 'other'], directory);
    assert.match(other, /, KL monte-carlo, /);
    assert.match(other, /batches of 16 in 8/);
    assert.ok(!other.includes(sha256));
    assertRefused(
      await runProgram(['train', '--config', `${run}/config.json`], directory),
      `${run}/config.json names the data of data, not MNIST: say by the option data (--data) what the new run is ` +
        'trained on, those or others.',
    );
  });

  it('is inspected: config, step, SHA-256, layers', async () => {
    const text = await succeed(['inspect', run], directory);
    assert.ok(text.includes(`\nSHA-256        ${sha256}\n`), text);
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(text, /^Step +3$/m);
    assert.match(text, /^encoder\n {2}conv2d +conv2d 3x3 \/2 +\[3,3,32\] +320 /m);
    const json = await succeedWithJson(
      ['inspect', `${run}/checkpoints/step-000000003.safetensors`],
      directory,
    );
    assert.deepEqual(Object.keys(json), ['path', 'step', 'parametersSha256', 'config', 'parameters']);
    assert.equal(json.parametersSha256, sha256);
    assert.deepEqual(json.config, JSON.parse(readFileSync(join(directory, run, 'config.json'), 'utf8')));
  });

  it('is verified: its steps have the same bits again', async () => {
    const text = await succeed(['verify', run, '--data', 'data', '--workers', '2'], directory);
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(
      text,
      /^Replayed +on 2 workers, (portable|fused) arithmetic, tile \d+x\d+,\s+(not )?re-vectorised\nStep 3 +from the initial parameters, by simd: the bits agree, the epoch\s+sums agree, 1 metrics line agrees\nSHA-256 +[0-9a-f]{64}\nThe bits agree\.\n$/,
    );
    assert.ok(text.includes(sha256));
    const json = await succeedWithJson(['verify', run, '--data', 'data', '--all'], directory);
    assert.equal(json.agrees, true);
    assert.equal((json.intervals as unknown[]).length, 1);
  });

  it('with a bit that was changed is told where, with code 1', async () => {
    cpSync(join(directory, run), join(directory, 'changed'), { recursive: true });
    const tensor = 'parameters/encoder/conv2d/weights';
    forgeElement(join(directory, 'changed/checkpoints/step-000000003.safetensors'), tensor, 1);
    const { code, stdout, stderr } = await runProgram(['verify', 'changed', '--data', 'data'], directory);
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(stdout, /^Step 3 +from the initial parameters, by simd: THE BITS DIFFER,/m);
    assert.match(
      stdout.replace(/\n +/g, ' '),
      /parameters\/encoder\/conv2d\/weights \[3, 3, 1, 32\]: 1 of 288 elements differs, by at most [\d,]+ ULP; the first is \[0, 0, 0, 1\]: 1 in the checkpoint, -?0\.\d+ here/,
    );
    assert.match(stdout, /The bits differ: between the initial parameters and step 3\.\n$/);
  });

  it('with a damaged checkpoint alone has nothing to verify', async () => {
    cpSync(join(directory, run), join(directory, 'broken'), { recursive: true });
    truncateSync(join(directory, 'broken/checkpoints/step-000000003.safetensors'), 1000);
    const { code, stdout } = await runProgram(['verify', 'broken', '--data', 'data'], directory);
    assert.equal(code, 1);
    assert.match(stdout, /^Cannot be used broken\/checkpoints\/step-000000003\.safetensors/);
    assert.match(stdout, /No checkpoint can be used, so there is nothing to compare\.\n$/);
  });

  it('is evaluated: figures, standard error and protocol', async () => {
    const args = ['evaluate', run, '--data', 'data', '--samples', '3', '--kl', 'monte-carlo', '--seed', '7'];
    const json = (await succeedWithJson(args, directory)) as {
      test: { elbo: number; logLikelihood: number; kl: number };
      elboStandardError: number;
      protocol: object;
      parametersSha256: string;
    };
    const { elbo, logLikelihood, kl } = json.test;
    // Sums of 12 terms in double precision, each bounded by their largest.
    assert.ok(Math.abs(elbo - (logLikelihood - kl)) <= 12 * Math.abs(logLikelihood) * Number.EPSILON);
    assert.deepEqual(json.protocol, {
      data: 'data',
      examples: 12,
      objective: 'elbo',
      likelihood: { name: 'bernoulli' },
      samples: 3,
      kl: 'monteCarlo',
      binarize: 'threshold',
      seed: '7',
    });
    assert.equal(json.parametersSha256, sha256);
    const text = await succeed(args, directory);
    assert.ok(
      text.startsWith(
        `Test ELBO      ${elbo.toFixed(2).padStart(9)} ± ${json.elboStandardError.toFixed(2)} nats`,
      ),
      text,
    );
    assert.ok(
      text.includes(
        `Reconstruction ${logLikelihood.toFixed(2).padStart(9)} nats\nKL             ${kl.toFixed(2).padStart(9)} nats\n`,
      ),
      text,
    );
    assert.match(
      text,
      /^Protocol +data, 12 test images, binarise threshold, K = 3, KL monte-carlo,\s+seed 7$/m,
    );
  });

  it('says that a large picture is on its way', async () => {
    const args = ['sample', run, '--count', '1000', '-o', 'many.png'];
    assert.deepEqual(await runProgram(args, directory), {
      code: 0,
      stdout: 'many.png\n',
      stderr: 'Drawing 1,000 images: this takes some seconds …\n',
    });
    assert.equal((await runProgram([...args, '--json'], directory)).stderr, '');
  });

  const pictures: readonly (readonly [name: string, args: readonly string[]])[] = [
    ['samples', ['sample', run, '--count', '5']],
    ['draws', ['sample', run, '--count', '5', '--draw', '--seed', '18446744073709551615']],
    ['reconstructions', ['reconstruct', run, '--data', 'data', '--count', '4']],
    [
      'interpolation',
      ['interpolate', run, '--data', 'data', '--from', '0,11', '--to', '5,3', '--steps', '3'],
    ],
    ['manifold', ['manifold', run, '--side', '3']],
  ];
  for (const [name, args] of pictures) {
    it(`is drawn by ${args.join(' ')}`, async () => {
      const path = `${run}/pictures/${name}-step-000000003.png`;
      assert.equal(await succeed(args, directory), `${path}\n`);
      assertPng(join(directory, path));
      const json = await succeedWithJson([...args, '--out', `own-${name}.png`], directory);
      assert.deepEqual(json, {
        path: `own-${name}.png`,
        checkpoint: `${run}/checkpoints/step-000000003.safetensors`,
        step: 3,
        parametersSha256: sha256,
      });
      assert.deepEqual(readFileSync(join(directory, `own-${name}.png`)), readFileSync(join(directory, path)));
    });
  }

  it('is drawn beside a checkpoint that stands alone', async () => {
    copyFileSync(
      join(directory, run, 'checkpoints/step-000000003.safetensors'),
      join(directory, 'alone.safetensors'),
    );
    assert.equal(
      await succeed(['sample', 'alone.safetensors', '--count', '1'], directory),
      'samples-step-000000003.png\n',
    );
  });

  it('refuses to be measured by data that are not its own', async () => {
    const checkpoint = `${run}/checkpoints/step-000000003.safetensors`;
    const sentence = `${checkpoint} was started with the data of data, not with MNIST: name them again by the option data (--data).`;
    assertRefused(await runProgram(['evaluate', run], directory), sentence);
    assertRefused(await runProgram(['reconstruct', run], directory), sentence);
    assertRefused(
      await runProgram(['train', '--resume', run], directory),
      `${run} was started with the data of data, not with MNIST: name them again by the option data (--data).`,
    );
    writeSmallData(directory, 'larger', 4, 12);
    assertRefused(
      await runProgram(['interpolate', run, '--data', 'larger'], directory),
      `${checkpoint} was trained on images of 8×8, but those of larger are 12×12. Name data of the same shape with --data.`,
    );
  });

  it('refuses test images that are not there', async () => {
    assertRefused(
      await runProgram(['interpolate', run, '--data', 'data', '--from', '3', '--to', '12'], directory),
      'There is no test example 12: the test set has examples 0 to 11.',
    );
  });

  it('refuses the directory of another run, and what is not a run', async () => {
    assertRefused(
      await runProgram(['train', '--data', 'data', '--out', run], directory),
      `${run} holds a run already. Continue that run with --resume ${run}, or name another directory for a new one.`,
    );
    assertRefused(
      await runProgram(['inspect', 'data'], directory),
      'data holds no run: it has no config.json. Name the directory that a run was started in.',
    );
  });

  it('is only read by what reads: no file and no directory is new', async () => {
    cpSync(join(directory, run), join(directory, 'bare'), { recursive: true });
    rmSync(join(directory, 'bare/pictures'), { recursive: true });
    rmSync(join(directory, 'bare/metrics.jsonl'), { force: true });
    const files = () => readdirSync(join(directory, 'bare'), { recursive: true }).sort();
    const before = files();
    await succeed(['inspect', 'bare'], directory);
    await succeed(['evaluate', 'bare', '--data', 'data'], directory);
    await succeed(['sample', 'bare', '--count', '1', '--out', 'elsewhere.png'], directory);
    assert.deepEqual(files(), before);
    // A picture of the run goes into the run.
    await succeed(['sample', 'bare', '--count', '1'], directory);
    assert.deepEqual(files(), [...before, 'pictures', 'pictures/samples-step-000000003.png'].sort());
  });

  it('that was killed right after config.json was written goes on', async () => {
    mkdirSync(join(directory, 'begun'));
    copyFileSync(join(directory, run, 'config.json'), join(directory, 'begun/config.json'));
    const args = ['train', '--data', 'data', '--resume', 'begun', '--max-steps', '3', '--json'];
    const lines = parseLines(await succeed(args, directory));
    assert.equal(lines.at(-1)?.parametersSha256, sha256);
  });

  it('refuses to change its bits when it goes on', async () => {
    const { code, stderr } = await runProgram(
      ['train', '--data', 'data', '--resume', run, '--seed', '1'],
      directory,
    );
    assert.equal(code, 2);
    assert.match(stderr, /^runs\/cvae-1 was started with seed "0", but "1" is asked for now\. /);
  });

  it('that is damaged is refused without a stack, or with one for --debug', async () => {
    const path = join(directory, 'damaged.safetensors');
    copyFileSync(join(directory, run, 'checkpoints/step-000000003.safetensors'), path);
    truncateSync(path, 1000);
    const plain = await runProgram(['inspect', 'damaged.safetensors'], directory);
    assert.equal(plain.code, 2);
    assert.match(plain.stderr, /^damaged\.safetensors: .+\n$/);
    const debug = await runProgram(['inspect', 'damaged.safetensors', '--debug'], directory);
    assert.equal(debug.code, 2);
    assert.ok(debug.stderr.includes(plain.stderr.trim()));
    assert.match(debug.stderr, /^ {4}at .+\.js:\d+:\d+/m);
  });

  it('of another latent space has no manifold', async () => {
    await succeed(
      ['train', '--data', 'data', '--model', 'mlp', '--latent', '3', '--out', 'cube', ...tiny],
      directory,
    );
    assertRefused(
      await runProgram(['manifold', 'cube'], directory),
      'A manifold is drawn over two latent dimensions, but the model mlp has 3. Train with --latent 2.',
    );
  });
});

describe('training', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  before(() => {
    writeSmallData(directory, 'data', 40);
  });

  it('takes every setting of a run from its flag', async () => {
    const flags = {
      model: 'iwae',
      latent: '3',
      data: 'data',
      binarize: 'static',
      samples: '2',
      kl: 'monte-carlo',
      beta: '0.5',
      'kl-warmup-epochs': '1.5',
      epochs: '7',
      'max-steps': '2',
      'batch-size': '10',
      'learning-rate': '2e-3',
      shards: '5',
      seed: '18446744073709551615',
      out: 'all',
      workers: '1',
      'barrier-timeout': '30',
      'log-every': '1',
    };
    const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
    await succeed(['train', ...args, '--no-pictures'], directory);
    const { model, data, adam, arithmetic, backend, formatVersion, ...config } = JSON.parse(
      readFileSync(join(directory, 'all/config.json'), 'utf8'),
    );
    assert.equal(model.name, 'iwae');
    assert.equal(data.source, 'data');
    assert.deepEqual(config, {
      latent: 3,
      binarize: 'static',
      seed: '18446744073709551615',
      batchSize: 10,
      shards: 5,
      samples: 2,
      kl: 'monteCarlo',
      beta: 0.5,
      klWarmupEpochs: 1.5,
      learningRate: 0.002,
      epochs: 7,
    });
    const metrics = parseLines(readFileSync(join(directory, 'all/metrics.jsonl'), 'utf8'));
    assert.deepEqual(
      metrics.map(({ step }) => step),
      [1, 2],
    );
  });

  it('takes the short names of options', async () => {
    const args = '-e 7 -b16 --lr 0.002 -j1 -o short --model mlp --max-steps 1 --no-pictures'.split(' ');
    await succeed(['train', '--data', 'data', ...args], directory);
    const config = JSON.parse(readFileSync(join(directory, 'short/config.json'), 'utf8'));
    const { epochs, batchSize, learningRate } = config;
    assert.deepEqual({ epochs, batchSize, learningRate }, { epochs: 7, batchSize: 16, learningRate: 0.002 });
    assert.equal(
      await succeed(['sample', 'short', '-o', 'short.png', '--count', '4'], directory),
      'short.png\n',
    );
    await succeed(['evaluate', 'short', '--data', 'data', '-j', '2'], directory);
  });

  it('of a whole epoch tells its figures and draws pictures', async () => {
    const output = await succeed(['train', '--data', 'data', '--epochs', '1', '--out', 'my run'], directory);
    assert.match(
      output,
      /^epoch 1\/1 {2}test ELBO -\d+\.\d\d nats \(reconstruction -\d+\.\d\d, KL \d+\.\d\d\),\s+train ELBO -\d+\.\d\d, \d+ s,\s+[\d,.]+\s+images\/s$/m,
    );
    // What to type next works as it stands.
    const [, next] = /^(next: lowerbound sample .*)/ms.exec(output)!;
    const lines = next!.trim().split('\n');
    assert.deepEqual(lines.length, 3, output);
    for (const line of lines) {
      const [, words] = /^(?:next:| {5}) lowerbound (.*?) +# \w/.exec(line)!;
      await succeed(
        words!.match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", '')),
        directory,
      );
    }
    const names = readdirSync(join(directory, 'my run/pictures'));
    assert.deepEqual(names.sort(), [
      'curves.png',
      'latent.png',
      'manifold-epoch-0001.png',
      // The pictures of the two commands above.
      'manifold-step-000000002.png',
      'reconstructions-epoch-0001.png',
      'samples-epoch-0001.png',
      'samples-step-000000002.png',
    ]);
    for (const name of names) assertPng(join(directory, 'my run/pictures', name));
  });
});

/** The signature, and that the last chunk is there. */
function assertPng(path: string): void {
  const bytes = readFileSync(path);
  assert.equal(bytes.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  assert.equal(bytes.subarray(-8, -4).toString('latin1'), 'IEND');
}
