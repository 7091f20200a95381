import { constants, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { threadId } from 'node:worker_threads';
import { UsageError } from '../errors.js';

let writes = 0;

/** What a kill in the middle of writeFileAtomic leaves behind. */
export function isTemporaryFile(name: string): boolean {
  return /\.\d+-\d+-\d+\.tmp$/.test(name);
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
  writes += 1;
  const temporary = `${path}.${process.pid}-${threadId}-${writes}.tmp`;
  try {
    const file = await open(temporary, 'w');
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
  const advice =
    'code' in error && error.code === 'ENOENT'
      ? 'Its directory was removed or renamed.'
      : 'Make room or choose another directory.';
  return new UsageError(`${path} cannot be written: ${error.message}. ${advice}`, { cause: error });
}

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
