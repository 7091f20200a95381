// One process at a time trains in a run's directory. The file `lock` says which.
//
// Packages that lock by file (proper-lockfile, lockfile) tell a dead holder by the age of the file: a process
// that was stopped for a while loses its lock, and a clock that is set can take it away. Node has no flock.
// So the lock names a process, and whoever wants it looks whether that one lives.
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../errors.js';
import { temporaryName, writeError } from './atomicFile.js';
import { type Liveness, livenessOf, type ProcessIdentity, thisProcess } from './processIdentity.js';

/** The process that holds a lock. */
interface Holder extends ProcessIdentity {
  /** Names this lock: a process may hold several, one after the other. */
  readonly id: string;
  /** For people: nothing is decided by it. */
  readonly since: string;
}

export interface RunLock {
  /** Removes the lock, if it is still this one. Does not throw. */
  release(): void;
}

const NAME = 'lock';

/** A lock is some 300 bytes. */
const MOST_BYTES = 4096;

/** Ways to look again, where another process is taking the lock at the same moment. */
const ATTEMPTS = 50;

/** Milliseconds between them. */
const PAUSE = 20;

/** Whether a file of a run's directory belongs to its lock. */
export function isLockFile(name: string): boolean {
  return /^lock(\.[0-9a-f-]{36})?$/.test(name);
}

/**
 * Takes the lock of the run in `directory`, which is there. A lock whose process has ended is taken over.
 *
 * A lock that is to be taken over has one successor at most: the file `lock.<its id>`, which is made only
 * where there is none. So of several processes that find the same dead holder, one wins. It then renames its
 * file to `lock`. A process that is killed before this leaves a chain, whose last one holds the lock.
 *
 * @param dead a process that is known to have died, wherever it was.
 * @throws UsageError naming the holder and what to do, where another process holds it or may hold it, and
 * where the lock cannot be written.
 */
export async function lockRun(directory: string, dead?: ProcessIdentity): Promise<RunLock> {
  const holder: Holder = { ...thisProcess(), id: randomUUID(), since: new Date().toISOString() };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const last = lastHolder(directory);
    if (last === 'unreadable') {
      // It may be half-written, where files cannot be linked.
      await sleep(PAUSE);
      continue;
    }
    if (last !== undefined && !isSame(last, dead)) requireDead(directory, last);
    const path = last === undefined ? join(directory, NAME) : successorOf(directory, last.id);
    if (!makeLock(path, holder)) continue;
    if (last === undefined) return heldLock(directory, holder);
    const after = lastHolder(directory);
    if (after !== undefined && after !== 'unreadable' && after.id === holder.id) {
      succeed(directory, path);
      return heldLock(directory, holder);
    }
    // Another process had taken the lock over, and had renamed its own file: this one follows nothing.
    rmSync(path, { force: true });
  }
  throw unreadable(directory);
}

/** The lock at the end of the chain; undefined where there is none. */
function lastHolder(directory: string): Holder | 'unreadable' | undefined {
  let last: Holder | undefined;
  for (let path = join(directory, NAME); ; path = successorOf(directory, last.id)) {
    const holder = readHolder(path);
    if (holder === undefined) return last;
    if (holder === 'unreadable') return holder;
    last = holder;
  }
}

function readHolder(path: string): Holder | 'unreadable' | undefined {
  try {
    const stat = lstatSync(path);
    if (!stat.isFile() || stat.size > MOST_BYTES) return 'unreadable';
    const json = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder> | null;
    const isHolder =
      Number.isSafeInteger(json?.pid) &&
      Number(json?.pid) > 0 &&
      typeof json?.host === 'string' &&
      typeof json.since === 'string' &&
      /^[0-9a-f-]{36}$/.test(String(json.id));
    return isHolder ? (json as Holder) : 'unreadable';
  } catch (error) {
    if (error instanceof SyntaxError) return 'unreadable';
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw writeError(path, error);
  }
}

function isSame(holder: Holder, dead: ProcessIdentity | undefined): boolean {
  const { pid, host, boot, started } = holder;
  return dead?.pid === pid && dead.host === host && dead.boot === boot && dead.started === started;
}

function requireDead(directory: string, holder: Holder): void {
  const liveness = livenessOf(holder);
  if (liveness !== 'dead') throw new UsageError(sentence(directory, holder, liveness));
}

function sentence(
  directory: string,
  { pid, host, since }: Holder,
  liveness: Exclude<Liveness, 'dead'>,
): string {
  const lock = join(directory, NAME);
  const who = `process ${pid} of the machine ${JSON.stringify(host.slice(0, 80))}, since ${since.slice(0, 40)}`;
  switch (liveness) {
    case 'alive':
      return (
        `${directory} is in use: ${who}, is training in it. Wait until that run ends, or stop it ` +
        `(kill ${pid}), which leaves a checkpoint.`
      );
    case 'maybe':
      return (
        `${directory} is in use: ${who}, is training in it. Wait until that run ends, or stop it. If process ` +
        `${pid} is another program by now, remove ${lock}.`
      );
    case 'unknown':
      return (
        `${directory} is locked by ${who}, which cannot be seen from here (another machine or container). If that ` +
        `run has ended, remove ${lock} and try again.`
      );
  }
}

function unreadable(directory: string): UsageError {
  return new UsageError(
    `${directory} is locked by a file that names no process: ${join(directory, NAME)}. If no run is at work in the ` +
      'directory, remove that file and try again.',
  );
}

function successorOf(directory: string, id: string): string {
  return join(directory, `${NAME}.${id}`);
}

/**
 * Makes the file at `path` with its content at once; false where there is one already.
 * @throws UsageError where it cannot be written.
 */
function makeLock(path: string, holder: Holder): boolean {
  const text = `${JSON.stringify(holder)}\n`;
  const temporary = temporaryName(path);
  try {
    writeNew(temporary, text);
    try {
      linkSync(temporary, path);
    } catch (error) {
      if (!cannotLink(error)) throw error;
      writeNew(path, text);
    } finally {
      removeIfPossible(temporary);
    }
    return true;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // The holder of the lock cleans up: it has removed the temporary file.
    if (code === 'ENOENT' && syscall === 'link') return false;
    throw writeError(path, error);
  }
}

/** What stays is removed by the run. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It holds nothing that counts.
  }
}

/** Some file systems have no second names for a file. */
function cannotLink(error: unknown): boolean {
  return ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(
    String((error as NodeJS.ErrnoException).code),
  );
}

/** A file that was not there before, on the disk. */
function writeNew(path: string, text: string): void {
  const descriptor = openSync(path, 'wx');
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Puts the file at `path` in the place of a dead holder's lock, and removes the rest of the chain. */
function succeed(directory: string, path: string): void {
  try {
    renameSync(path, join(directory, NAME));
    for (const name of readdirSync(directory)) {
      if (isLockFile(name) && name !== NAME) rmSync(join(directory, name), { force: true });
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

const held = new Set<RunLock>();

function heldLock(directory: string, { id }: Holder): RunLock {
  const lock: RunLock = {
    release() {
      held.delete(lock);
      if (held.size === 0) process.off('exit', releaseAll);
      try {
        const found = readHolder(join(directory, NAME));
        if (found === undefined || found === 'unreadable' || found.id !== id) return;
        rmSync(join(directory, NAME), { force: true });
      } catch {
        // The directory is gone or cannot be written: what is left names a process that will be dead.
      }
    },
  };
  if (held.size === 0) process.on('exit', releaseAll);
  held.add(lock);
  return lock;
}

/** A process that leaves at once, e.g. at a second Ctrl-C, leaves no lock. */
function releaseAll(): void {
  for (const lock of held) lock.release();
}
