import { randomBytes } from 'node:crypto';
import { constants, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../errors.js';

/**
 * A name beside `path` for a file that is to replace it. Nobody can guess it, and so nobody can put a link to
 * another file there.
 */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(16).toString('hex')}.tmp`;
}

/** What a kill in the middle of writeFileAtomic leaves behind; earlier versions had numbers in the name. */
export function isTemporaryFile(name: string): boolean {
  return /\.([0-9a-f]{32}|\d+-\d+-\d+)\.tmp$/.test(name);
}

/**
 * Replaces the file at `path` as a whole: whatever happens, a reader finds the old bytes or the new ones.
 * When the promise resolves, the new ones survive a loss of power.
 *
 * The package write-file-atomic is not used, because it writes once and ignores how much was written: on a
 * full disk it puts a truncated file in the place of the good one, and reports success.
 *
 * @throws UsageError where the system refuses, e.g. on a full disk.
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    // Never what is there already, be it a file or a link.
    const file = await open(temporary, 'wx');
    try {
      // Loops until all is written or the system says why not.
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw writeError(path, error);
  }
}

/** The sentence for what the operating system said about writing `path`; any other error passes unchanged. */
export function writeError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const advice = WRITE_ADVICE[String('code' in error && error.code)] ?? 'Choose another directory.';
  return new UsageError(`${path} cannot be written: ${error.message}. ${advice}`, { cause: error });
}

/** What helps, by the system's code. */
const WRITE_ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'Change the permissions of its directory, or choose another one.',
  EPERM: 'Change the permissions of its directory, or choose another one.',
  EROFS: 'The file system is read-only: choose a directory on another one.',
  ENOSPC: 'Make room or choose another directory.',
  EDQUOT: 'Your quota is used up: make room or choose another directory.',
  EFBIG:
    'The file system, or a limit such as ulimit -f, takes no file of this size: choose another directory or raise the limit.',
  EIO: 'The disk or the connection to it may be failing: choose a directory on another one.',
  ENOENT: 'Its directory does not exist, or was removed or renamed.',
  ENOTDIR: 'A part of this path is a file: choose another path.',
  EEXIST: 'There is a file of this name: choose another name.',
  EISDIR: 'There is a directory of this name: choose another name.',
  ENAMETOOLONG: 'Choose a shorter name.',
  EMFILE: 'Too many files are open: close some, or raise the limit (ulimit -n).',
  ELOOP: 'There is a symbolic link in the place of the file, which a run does not follow: remove the link.',
  ENFILE: 'Too many files are open on this machine: close some.',
};

/** The rename itself is an entry of the directory, which has to reach the disk too. */
async function syncDirectory(path: string): Promise<void> {
  // Windows has no such call; its file systems keep a journal of renames.
  if (process.platform === 'win32') return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
