import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { damage, forgeElement } from '../runs/forgedCheckpoint.js';
import { runProgram } from './program.js';
import { succeed, temporaryDirectory, writeSmallData } from './smallRun.js';

const directory = temporaryDirectory();
const train = ['train', '--data', 'data', '--batch-size', '16', '--workers', '1', '--no-pictures'];
const checkpoint = (run: string, step: number) => `${run}/checkpoints/step-00000000${step}.safetensors`;

before(async () => {
  writeSmallData(directory, 'data', 40);
  await succeed([...train, '--out', 'run', '--max-steps', '1'], directory);
  await succeed(
    ['train', '--data', 'data', '--resume', 'run', '--max-steps', '2', '--no-pictures'],
    directory,
  );
});

const commands = [
  ['inspect', 'run'],
  ['inspect', 'run', '--json'],
  ['evaluate', 'run', '--data', 'data'],
  ['evaluate', 'run', '--data', 'data', '--json'],
  ['sample', 'run', '--count', '2'],
  ['reconstruct', 'run', '--data', 'data', '--count', '2'],
  ['interpolate', 'run', '--data', 'data', '--steps', '3'],
  ['manifold', 'run', '--side', '2'],
] as const;

describe('a run whose newest checkpoint is damaged', () => {
  before(() => {
    cpSync(join(directory, 'run'), join(directory, 'damaged'), { recursive: true });
    damage(join(directory, checkpoint('damaged', 2)));
  });

  for (const [command, run, ...rest] of commands) {
    it(`is read by ${[command, ...rest].join(' ')} with a warning on standard error`, async () => {
      assert.equal(run, 'run');
      const { code, stdout, stderr } = await runProgram([command, 'damaged', ...rest], directory);
      assert.equal(code, 0);
      const [first, second, ...more] = stderr.split('\n');
      assert.match(
        first!,
        /^Warning: damaged\/checkpoints\/step-000000002\.safetensors: .+ The file is damaged/,
      );
      assert.equal(
        second,
        `Warning: An older checkpoint is used in its place: ${checkpoint('damaged', 1)}, of step 1.`,
      );
      assert.deepEqual(more, ['']);
      if (rest.some((word) => word === '--json')) assert.equal(JSON.parse(stdout).step, 1);
    });
  }
});

describe('a checkpoint that holds NaN', () => {
  before(() => {
    cpSync(join(directory, 'run'), join(directory, 'nan'), { recursive: true });
    for (const step of [1, 2]) {
      forgeElement(join(directory, checkpoint('nan', step)), 'parameters/encoder/conv2d/bias', Number.NaN);
    }
  });

  for (const [command, , ...rest] of commands) {
    it(`is refused by ${[command, ...rest].join(' ')}`, async () => {
      const path = checkpoint('nan', 2);
      const { code, stdout, stderr } = await runProgram([command, path, ...rest], directory);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.equal(
        stderr,
        `${path}: the tensor "parameters/encoder/conv2d/bias" holds NaN (element 1 of 32). Training had diverged when it ` +
          'was saved: use an earlier checkpoint, or train anew with a smaller learning rate.\n',
      );
    });
  }
});

describe('training that diverges', () => {
  it('ends with 1, a sentence, and no number that is none in its JSON', async () => {
    const args = [...train, '--out', 'diverged', '--learning-rate', '1e38', '--max-steps', '1', '--json'];
    const { code, stdout, stderr } = await runProgram(args, directory);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^At step 0 the update is not finite\. With it, the tensor "parameters\/.+" holds .+ There is no good checkpoint\. .+\.\n$/,
    );
    assert.doesNotMatch(stdout, /NaN|Infinity|"elbo":null|"kind":"(result|checkpoint)"/);
  });
});

describe('standard output on a full device', {
  skip: !existsSync('/dev/full') && 'there is no /dev/full',
}, () => {
  const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
  const onFullDevice = (args: readonly string[]) => {
    const full = openSync('/dev/full', 'w');
    return spawnSync(process.execPath, [main, ...args], {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
      timeout: 60_000,
    });
  };
  const reason = 'Standard output cannot be written: ENOSPC: no space left on device, write.';

  for (const json of [[], ['--json']]) {
    it(`stops train ${json.join(' ')} with 1, a sentence, and a checkpoint`, async () => {
      const out = `full${json.length}`;
      const { status, stderr } = onFullDevice([...train, '--out', out, '--epochs', '1000', ...json]);
      assert.equal(status, 1);
      const [first, hash, ...next] = stderr.split('\n');
      assert.match(
        first!,
        /^Standard output .+ write\. The run stopped after step \d+, with a checkpoint\.$/,
      );
      assert.ok(first!.startsWith(`${reason} `), first);
      assert.match(hash!, /^SHA-256 {6}[0-9a-f]{64}$/);
      assert.deepEqual(next, [
        `next: lowerbound train --resume ${out} --data data  # go on`,
        `      lowerbound sample ${out}                      # new images`,
        `      lowerbound evaluate ${out} --data data        # test ELBO in nats`,
        '',
      ]);
      assert.match(await succeed(['inspect', out], directory), /^Step +\d+$/m);
    });
  }

  for (const args of [
    ['inspect', 'run'],
    ['evaluate', 'run', '--data', 'data', '--json'],
    ['sample', 'run', '--count', '1'],
    ['--help'],
  ]) {
    it(`ends ${args.join(' ')} with 1 and a sentence`, () => {
      const { status, stderr } = onFullDevice(args);
      assert.deepEqual({ status, stderr }, { status: 1, stderr: `${reason}\n` });
    });
  }
});
