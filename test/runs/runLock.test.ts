// One process at a time trains in a run's directory: who is refused, and which locks are taken over.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { livenessOf, thisProcess } from '#src/runs/processIdentity.js';
import { isLockFile, lockRun } from '#src/runs/runLock.js';
import { temporaryDirectory } from './temporaryDirectory.js';

const root = temporaryDirectory();
let directories = 0;

function newDirectory(): string {
  const path = join(root, `run-${++directories}`);
  mkdirSync(path);
  return path;
}

const onLinux = { skip: process.platform !== 'linux' && 'needs /proc' };

const ids = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002'] as const;

/** Writes a lock as another process would have. */
function forge(directory: string, changes: Readonly<Record<string, unknown>>, name = 'lock'): void {
  const holder = { ...thisProcess(), id: ids[0], since: '2026-01-02T03:04:05.000Z', ...changes };
  writeFileSync(join(directory, name), JSON.stringify(holder));
}

async function refusal(directory: string): Promise<string> {
  try {
    await lockRun(directory);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  return assert.fail('the lock was given');
}

/** A process that takes the lock when it is told to, says whether it has it, and waits. */
class Taker {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(directory: string) {
    const module = import.meta.resolve('#src/runs/runLock.js');
    const script = `
      import { lockRun } from ${JSON.stringify(module)};
      console.log('ready');
      process.stdin.once('data', async () => {
        console.log(await lockRun(${JSON.stringify(directory)}).then(() => 'held', (error) => error.message));
      });`;
    const args = ['--input-type=module', '--eval', script];
    this.#process = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#process.stdout!)[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#process.pid!;
  }

  async line(): Promise<string> {
    return String((await this.#lines.next()).value);
  }

  take(): void {
    this.#process.stdin!.write('now\n');
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    await ended;
  }
}

async function holding(directory: string): Promise<Taker> {
  const taker = new Taker(directory);
  assert.equal(await taker.line(), 'ready');
  taker.take();
  assert.equal(await taker.line(), 'held');
  return taker;
}

test('a lock is there while it is held, names its process, and leaves nothing', async () => {
  const directory = newDirectory();
  const lock = await lockRun(directory);
  assert.deepEqual(readdirSync(directory), ['lock']);
  const { pid, host } = JSON.parse(readFileSync(join(directory, 'lock'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual([pid, host], [process.pid, hostname()]);
  const exits = process.listenerCount('exit');
  lock.release();
  lock.release();
  assert.deepEqual(readdirSync(directory), []);
  assert.equal(process.listenerCount('exit'), exits - 1);
  (await lockRun(directory)).release();
});

test('refused: a second run in this process', onLinux, async () => {
  const directory = newDirectory();
  const lock = await lockRun(directory);
  assert.match(await refusal(directory), new RegExp(`is in use: process ${process.pid} of the machine`));
  lock.release();
});

test(
  'refused while another process holds it, by a sentence that names it; taken over once it was killed',
  onLinux,
  async () => {
    const directory = newDirectory();
    const taker = await holding(directory);
    const message = await refusal(directory);
    assert.ok(
      message.startsWith(
        `${directory} is in use: process ${taker.pid} of the machine "${hostname()}", since 2`,
      ),
    );
    assert.ok(
      message.endsWith(
        `, is training in it. Wait until that run ends, or stop it (kill ${taker.pid}), which leaves a checkpoint.`,
      ),
    );
    await taker.end('SIGKILL');
    assert.ok(existsSync(join(directory, 'lock')));
    const lock = await lockRun(directory);
    assert.deepEqual(readdirSync(directory), ['lock']);
    lock.release();
    assert.deepEqual(readdirSync(directory), []);
  },
);

test('a stopped process (SIGSTOP) keeps its lock', onLinux, async () => {
  const directory = newDirectory();
  const taker = await holding(directory);
  process.kill(taker.pid, 'SIGSTOP');
  assert.match(await refusal(directory), / is in use: process /);
  process.kill(taker.pid, 'SIGCONT');
  await taker.end('SIGKILL');
});

test('a process that ends by process.exit leaves no lock', async () => {
  const directory = newDirectory();
  const module = import.meta.resolve('#src/runs/runLock.js');
  const script = `import { lockRun } from ${JSON.stringify(module)};
    await lockRun(${JSON.stringify(directory)}); process.exit(3);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
  assert.deepEqual(await once(child, 'exit'), [3, null]);
  assert.deepEqual(readdirSync(directory), []);
});

const { boot, pidNamespace, started } = thisProcess();

for (const [name, changes] of [
  ['a pid that another process has by now', { started: `${Number(started) + 1}` }],
  ['a process before the machine was started anew', { boot: 'another', started }],
  ['a process that is gone', { pid: 2 ** 22 + 1 }],
] as const) {
  test(`taken over: the lock of ${name}`, onLinux, async () => {
    const directory = newDirectory();
    forge(directory, changes);
    const lock = await lockRun(directory);
    assert.deepEqual(readdirSync(directory), ['lock']);
    lock.release();
    assert.deepEqual(readdirSync(directory), []);
  });
}

for (const [name, changes] of [
  ['of another machine', { host: 'alpha', boot: 'another', pid: 77 }],
  ['of another container', { pidNamespace: 'pid:[1]', host: 'alpha', pid: 77 }],
] as const) {
  test(`refused: the lock ${name}, which cannot be asked`, onLinux, async () => {
    const directory = newDirectory();
    forge(directory, changes);
    assert.equal(
      await refusal(directory),
      `${directory} is locked by process 77 of the machine "alpha", since 2026-01-02T03:04:05.000Z, which cannot be ` +
        `seen from here (another machine or container). If that run has ended, remove ${join(directory, 'lock')} and try again.`,
    );
    assert.deepEqual(readdirSync(directory), ['lock']);
  });
}

test('where the system tells no boot, a pid that is there may be another program, and one that is not is dead', () => {
  const here = { pid: process.pid, host: 'here' };
  assert.equal(livenessOf(here, here), 'maybe');
  assert.equal(livenessOf({ ...here, pid: 2 ** 22 + 1 }, here), 'dead');
  assert.equal(livenessOf({ ...here, host: 'there' }, here), 'unknown');
  const told = { ...here, boot: 'a', pidNamespace: 'n', started: '5' };
  assert.equal(livenessOf({ ...told, host: 'renamed', pid: 2 ** 22 + 1 }, told), 'dead');
  assert.equal(livenessOf({ ...told, boot: 'b' }, told), 'dead');
});

test('the sentence where the holder may be another program', async () => {
  const directory = newDirectory();
  forge(directory, { boot: undefined, pidNamespace: undefined, started: undefined });
  assert.ok(
    (await refusal(directory)).endsWith(
      `Wait until that run ends, or stop it. If process ${process.pid} is another program by now, remove ${join(directory, 'lock')}.`,
    ),
  );
});

for (const [name, make] of [
  ['an empty file', (path: string) => writeFileSync(path, '')],
  ['half a lock', (path: string) => writeFileSync(path, '{"pid": 5, "ho')],
  ['a directory', (path: string) => mkdirSync(path)],
  ['a link', (path: string) => symlinkSync('/dev/zero', path)],
  [
    'a lock with a path for an id',
    (path: string) => writeFileSync(path, '{"pid":1,"host":"a","since":"","id":"../x"}'),
  ],
] as const) {
  test(`refused: ${name} in the place of the lock`, async () => {
    const directory = newDirectory();
    const path = join(directory, 'lock');
    make(path);
    assert.equal(
      await refusal(directory),
      `${directory} is locked by a file that names no process: ${path}. If no run is at work in the directory, ` +
        'remove that file and try again.',
    );
  });
}

test('a chain that kills have left: the last one counts', onLinux, async () => {
  const directory = newDirectory();
  forge(directory, { pid: 2 ** 22 + 1 });
  forge(directory, { id: ids[1] }, `lock.${ids[0]}`);
  assert.match(await refusal(directory), new RegExp(` is in use: process ${process.pid} `));
  forge(directory, { id: ids[1], pid: 2 ** 22 + 2 }, `lock.${ids[0]}`);
  const lock = await lockRun(directory);
  assert.deepEqual(readdirSync(directory), ['lock']);
  lock.release();
  assert.deepEqual(readdirSync(directory), []);
});

test('many that find the same dead holder at once: one of them has the lock', onLinux, async () => {
  const directory = newDirectory();
  const takers = Array.from({ length: 6 }, () => new Taker(directory));
  for (const taker of takers) assert.equal(await taker.line(), 'ready');
  forge(directory, { pid: 2 ** 22 + 1 });
  for (const taker of takers) taker.take();
  const lines = await Promise.all(takers.map((taker) => taker.line()));
  assert.equal(lines.filter((line) => line === 'held').length, 1, lines.join('\n'));
  assert.equal(lines.filter((line) => line.includes(' is in use: process ')).length, 5, lines.join('\n'));
  for (const taker of takers) await taker.end('SIGKILL');
});

test('one process takes over a hundred times against itself: never two at once', onLinux, async () => {
  const directory = newDirectory();
  for (let round = 0; round < 100; round++) {
    forge(directory, { pid: 2 ** 22 + 1, id: `00000000-0000-0000-0000-${String(round).padStart(12, '0')}` });
    const given = await Promise.all(
      Array.from({ length: 4 }, () => lockRun(directory).catch(() => undefined)),
    );
    const locks = given.filter((lock) => lock !== undefined);
    assert.equal(locks.length, 1);
    locks[0]!.release();
    assert.deepEqual(readdirSync(directory), []);
  }
});

test('which files belong to a lock', () => {
  for (const name of ['lock', `lock.${ids[0]}`]) assert.ok(isLockFile(name), name);
  for (const name of ['lock.json', 'lock.1', 'lockfile', 'x.lock']) assert.ok(!isLockFile(name), name);
});

test('a lock names boot, namespace and start where the system tells them', onLinux, () => {
  assert.match(String(boot), /^[0-9a-f-]{36}$/);
  assert.match(String(pidNamespace), /^pid:\[\d+\]$/);
  assert.match(String(started), /^\d+$/);
});
