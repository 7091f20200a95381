import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { beforeEach, mock, test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { isTemporaryFile, writeError, writeFileAtomic } from '#src/runs/atomicFile.js';
import { temporaryDirectory } from './temporaryDirectory.js';

const directory = join(temporaryDirectory(), 'files');
const file = join(directory, 'x');

beforeEach(() => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  writeFileSync(file, 'old');
});

/** Runs `script`, an ES module that knows writeFileAtomic and `file`, in a process of its own. */
function run(script: string, prefix: readonly string[] = []) {
  const module = import.meta.resolve('#src/runs/atomicFile.js');
  const prelude = `import { writeFileAtomic } from ${JSON.stringify(module)}; const file = ${JSON.stringify(file)};`;
  const node = [process.execPath, '--input-type=module', '--eval', prelude + script];
  const [command, ...args] = [...prefix, ...node];
  return spawnSync(command!, args, { encoding: 'utf8' });
}

/** The calls that reached the system, in order. */
async function callsOf(write: () => Promise<void>): Promise<string[]> {
  const calls: string[] = [];
  const { open, rename } = fsPromises;
  mock.method(fsPromises, 'open', async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    const name = args[0] === directory ? 'the directory' : 'the file';
    mock.method(handle, 'sync', async () => calls.push(`sync ${name}`));
    return handle;
  });
  mock.method(fsPromises, 'rename', async (...args: Parameters<typeof rename>) => {
    calls.push('rename');
    await rename(...args);
  });
  syncBuiltinESMExports();
  try {
    await write();
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
  return calls;
}

test('the new bytes replace the old ones, and nothing else is left', async () => {
  await writeFileAtomic(file, Uint8Array.of(1, 2));
  assert.deepEqual(readFileSync(file), Buffer.of(1, 2));
  await writeFileAtomic(join(directory, 'y'), 'ü\n');
  assert.equal(readFileSync(join(directory, 'y'), 'utf8'), 'ü\n');
  assert.deepEqual(readdirSync(directory), ['x', 'y']);
});

test('the file reaches the disk before its name does, and the name before the promise resolves', async () => {
  const calls = await callsOf(() => writeFileAtomic(file, 'new'));
  const expected = ['sync the file', 'rename', 'sync the directory'];
  assert.deepEqual(calls, process.platform === 'win32' ? expected.slice(0, 2) : expected);
});

test('writes of the same file at the same time: the result is one of them', async () => {
  const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000 * (i + 1)));
  await Promise.all(contents.map((content) => writeFileAtomic(file, content)));
  assert.ok(contents.includes(readFileSync(file, 'utf8')));
});

test('a rename that fails leaves the old file, and a sentence', async () => {
  const failure = Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO', syscall: 'rename' });
  mock.method(fsPromises, 'rename', () => Promise.reject(failure));
  syncBuiltinESMExports();
  try {
    const message = `${file} cannot be written: EIO: i/o error, rename. The disk or the connection to it may be failing: choose a directory on another one.`;
    await assert.rejects(writeFileAtomic(file, 'new'), new UsageError(message, { cause: failure }));
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
  assert.equal(readFileSync(file, 'utf8'), 'old');
  assert.deepEqual(readdirSync(directory), ['x']);
});

test('a directory that is not there: a sentence', async () => {
  const path = join(directory, 'no', 'x');
  await assert.rejects(writeFileAtomic(path, 'new'), (error) => {
    assert.ok(error instanceof UsageError);
    assert.ok(error.message.startsWith(`${path} cannot be written: ENOENT: no such file or directory`));
    assert.match(error.message, /\. Its directory does not exist, or was removed or renamed\.$/);
    return true;
  });
});

test('each cause has its own advice', async () => {
  const refused = async (path: string, code: string, advice: string) => {
    await assert.rejects(writeFileAtomic(path, 'new'), (error) => {
      assert.ok(error instanceof UsageError);
      assert.ok(error.message.startsWith(`${path} cannot be written: ${code}: `), error.message);
      assert.ok(error.message.endsWith(`. ${advice}`), error.message);
      return true;
    });
  };
  await refused(join(file, 'y'), 'ENOTDIR', 'A part of this path is a file: choose another path.');
  const long = join(directory, 'x'.repeat(1000));
  await refused(long, 'ENAMETOOLONG', 'Choose a shorter name.');
  mkdirSync(join(directory, 'd'));
  await refused(join(directory, 'd'), 'EISDIR', 'There is a directory of this name: choose another name.');
  // Causes that a test cannot make for everybody who runs it: root may write anywhere.
  for (const [code, advice] of [
    ['EACCES', 'Change the permissions of its directory, or choose another one.'],
    ['EPERM', 'Change the permissions of its directory, or choose another one.'],
    ['EROFS', 'The file system is read-only: choose a directory on another one.'],
    ['ENOSPC', 'Make room or choose another directory.'],
    ['EDQUOT', 'Your quota is used up: make room or choose another directory.'],
    ['EMFILE', 'Too many files are open: close some, or raise the limit (ulimit -n).'],
    ['ENFILE', 'Too many files are open on this machine: close some.'],
    ['EXDEV', 'Choose another directory.'],
  ] as const) {
    const failure = Object.assign(new Error(`${code}: so says the system, open`), { code, syscall: 'open' });
    const mapped = writeError('x', failure);
    const message = `x cannot be written: ${code}: so says the system, open. ${advice}`;
    assert.deepEqual(mapped, new UsageError(message, { cause: failure }));
  }
  const other = new Error('of no system call');
  assert.equal(writeError('x', other), other);
});

test('a kill between the write and the rename leaves the old file, and a file known as temporary', () => {
  const { signal } = run(`
    import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    fs.rename = () => process.kill(process.pid, 'SIGKILL');
    syncBuiltinESMExports();
    await writeFileAtomic(file, 'new');
  `);
  assert.equal(signal, 'SIGKILL');
  assert.equal(readFileSync(file, 'utf8'), 'old');
  const others = readdirSync(directory).filter((name) => name !== 'x');
  assert.equal(others.length, 1);
  assert.ok(isTemporaryFile(others[0]!));
  assert.equal(readFileSync(join(directory, others[0]!), 'utf8'), 'new');
});

// A limit on the size of files acts like a full disk: a first write is cut short and reports success, only
// the next one fails.
test('a disk that is full in the middle of the write leaves the old file', {
  skip: process.platform === 'win32' && 'Windows has no limit on the size of files',
}, () => {
  const script = `await writeFileAtomic(file, Buffer.alloc(2 ** 20, 7)).catch((error) => console.log(error.message));`;
  const { stdout } = run(script, ['bash', '-c', 'ulimit -f 100 && exec "$@"', 'bash']);
  assert.ok(stdout.startsWith(`${file} cannot be written: EFBIG: file too large`), stdout);
  assert.equal(readFileSync(file, 'utf8'), 'old');
  assert.deepEqual(readdirSync(directory), ['x']);
});

test('what counts as temporary', () => {
  assert.ok(isTemporaryFile('config.json.123-0-45.tmp'));
  for (const name of ['config.json', 'x.tmp', '.tmp', 'step-000000001.safetensors', 'a.1-2-3.tmp.b']) {
    assert.ok(!isTemporaryFile(name), name);
  }
});
