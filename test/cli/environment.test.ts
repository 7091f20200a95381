// Faults of the machine around a run: each ends with one sentence and a defined code, and what was on
// the disk stays.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { main, runProgram } from './program.js';
import { assertRefused, parseLines, succeed, temporaryDirectory, writeSmallData } from './smallRun.js';

/** What takes long, and breaks rarely, is left to `npm run test:writes`. */
const inWhole = { skip: process.env.LOWERBOUND_WRITES !== 'all' && 'part of npm run test:writes' };

const common = ['--data', 'data', '--workers', '2', '--no-pictures', '--json'];
const begin = ['train', '--model', 'mlp', '--batch-size', '50', '--epochs', '3', ...common];

describe('limits of a process', { skip: process.platform !== 'linux' && 'needs /proc and bash' }, () => {
  const directory = temporaryDirectory();
  before(() => void writeSmallData(directory, 'data', 200));

  const limited = (limit: string, out: string, env: Readonly<Record<string, string>> = {}) => {
    const words = ['-c', `${limit} && exec "$@"`, 'bash', process.execPath, main, ...begin, '--out', out];
    const { status, stdout, stderr } = spawnSync('bash', words, {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    return { code: status, stdout, stderr };
  };

  for (const files of [24, 40, 63]) {
    it(`${files} open files: a sentence`, () => {
      assertRefused(
        limited(`ulimit -n ${files}`, 'files'),
        `Only ${files} files may be open at once, but lowerbound needs 64, and more with many workers. Raise the limit: ` +
          'ulimit -n 1024.',
      );
    });
  }

  it('64 open files are enough for two workers', inWhole, () => {
    assert.equal(limited('ulimit -n 64', 'files').code, 0);
  });

  it('few addresses (ulimit -v): a sentence with advice, and the advice helps', {
    skip: Number(process.versions.node.split('.')[0]) >= 24 && 'this Node does without the addresses',
  }, () => {
    const { code, stderr } = limited('ulimit -v 3000000', 'addresses');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^WebAssembly\.Memory\(\): could not allocate memory\. Node reserves up to 10 GiB of addresses .+\(ulimit -v 32000000\), or set NODE_OPTIONS=--disable-wasm-trap-handler, .+\.\n$/,
    );
    const helped = limited('ulimit -v 3000000', 'addresses', { NODE_OPTIONS: '--disable-wasm-trap-handler' });
    assert.deepEqual([helped.code, helped.stderr], [0, '']);
  });

  it(
    'no file of more than 100 KiB (ulimit -f): the checkpoint is refused, the run can go on elsewhere',
    inWhole,
    async () => {
      const { code, stderr } = limited('ulimit -f 100', 'sizes');
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^sizes\/checkpoints\/step-\d+\.safetensors cannot be written: EFBIG: .+raise the limit\.\n$/,
      );
      assert.deepEqual(readdirSync(join(directory, 'sizes', 'checkpoints')), []);
      const resumed = await succeed(['train', '--resume', 'sizes', ...common], directory);
      const straight = await succeed([...begin, '--out', 'sizes-straight'], directory);
      assert.equal(
        parseLines(resumed).at(-1)!.parametersSha256,
        parseLines(straight).at(-1)!.parametersSha256,
      );
    },
  );

  it('a clock that jumps changes neither bits nor checkpoints', inWhole, async () => {
    const preload = join(directory, 'clock.mjs');
    // Backwards and forwards by years, at every look.
    writeFileSync(
      preload,
      `const { now } = Date; let looks = 0;
       Date.now = () => now() + ((++looks % 3) - 1) * 1e11;`,
    );
    const variables = { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` };
    const often = ['--checkpoint-every', '1h'];
    const jumped = await runProgram([...begin, ...often, '--out', 'jumped'], directory, variables);
    assert.deepEqual([jumped.code, jumped.stderr], [0, '']);
    const straight = await succeed([...begin, '--out', 'clock-straight'], directory);
    assert.equal(
      parseLines(jumped.stdout).at(-1)!.parametersSha256,
      parseLines(straight).at(-1)!.parametersSha256,
    );
    for (const run of ['jumped', 'clock-straight']) {
      assert.deepEqual(readdirSync(join(directory, run, 'checkpoints')), [
        'step-000000004.safetensors',
        'step-000000008.safetensors',
        'step-000000012.safetensors',
      ]);
    }
  });
});

describe('file systems', () => {
  // Before the directory is removed.
  after(() => {
    if (mounts) spawnSync('umount', [place]);
  });
  const directory = temporaryDirectory();
  const place = join(directory, 'mount');
  mkdirSync(place);
  const mount = (...args: string[]) => spawnSync('mount', args).status === 0;
  const mounts = process.platform === 'linux' && mount('-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', place);
  const needsMount = { skip: !mounts && 'needs the right to mount a file system' };

  before(() => void writeSmallData(directory, 'data', 200));

  it(
    'a full disk: a sentence, the last good checkpoint stays, and a resume goes on once there is room',
    needsMount,
    async () => {
      const out = join(place, 'run');
      await succeed([...begin, '--out', out, '--max-steps', '4'], directory);
      const names = readdirSync(join(out, 'checkpoints'));
      // Leaves less than a checkpoint, which takes 0.9 MB.
      writeFileSync(join(place, 'ballast'), Buffer.alloc(2.5 * 2 ** 20));
      const resume = ['train', '--resume', out, ...common, '--keep-checkpoints', '1'];
      const { code, stderr } = await runProgram(resume, directory);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^\S+ cannot be written: ENOSPC: no space left on device, write\. Make room or choose another directory\..*\n$/,
      );
      assert.deepEqual(readdirSync(join(out, 'checkpoints')), names);
      assert.ok(!readdirSync(out).includes('lock'));
      writeFileSync(join(place, 'ballast'), '');
      const resumed = await succeed(resume, directory);
      const straight = await succeed([...begin, '--out', 'full-straight'], directory);
      assert.equal(
        parseLines(resumed).at(-1)!.parametersSha256,
        parseLines(straight).at(-1)!.parametersSha256,
      );
    },
  );

  it(
    'a read-only file system: a sentence that says so, for a new run and for one that goes on',
    needsMount,
    async () => {
      assert.ok(mount('-o', 'remount,ro', place));
      const advice = 'The file system is read-only: choose a directory on another one.';
      const fresh = await runProgram([...begin, '--out', join(place, 'deep', 'new')], directory);
      assert.equal(fresh.code, 2);
      assert.equal(
        fresh.stderr,
        `${join(place, 'deep', 'new')} cannot be written: EROFS: read-only file system, mkdir '${join(place, 'deep')}'. ${advice}\n`,
      );
      const out = join(place, 'run');
      const { code, stderr } = await runProgram(['train', '--resume', out, ...common], directory);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^\S+lock cannot be written: EROFS: read-only file system, .+\. The file system is read-only: choose a directory on another one\.\n$/,
      );
      // What only reads needs no lock.
      await succeed(['inspect', out], directory);
    },
  );
});
