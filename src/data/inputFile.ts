import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { UsageError } from '../errors.js';

/** One read call takes at most 2^31 - 1 bytes; larger files are read in pieces of this size. */
const READ_BYTES = 2 ** 30;

/**
 * Opens a regular file for `use` and closes it afterwards.
 *
 * @throws UsageError if the path is missing, is a directory or a device, or may not be read.
 */
export function withInputFile<T>(path: string, use: (descriptor: number, size: number) => T): T {
  let descriptor: number;
  try {
    // Asked before opening, because opening a pipe nobody writes to would wait for ever.
    if (!statSync(path).isFile()) throw notAFile(path);
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw pathError(path, error);
  }
  try {
    return use(descriptor, fstatSync(descriptor).size);
  } catch (error) {
    throw pathError(path, error);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The text of a file of at most `most` bytes.
 *
 * @param limit what messages say of the limit: a clause.
 * @throws UsageError as withInputFile does, and for a file that is larger or is not UTF-8.
 */
export function readTextFile(path: string, most: number, limit: string): string {
  return withInputFile(path, (descriptor, size) => {
    if (size > most) {
      throw new UsageError(`${path}: found ${size} bytes, expected at most ${most}: ${limit}.`);
    }
    const bytes = readBytes(descriptor, 0, size);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new UsageError(`${path}: found bytes that are not UTF-8, expected a text. ${MEND}`);
    }
  });
}

const MEND = 'Put an intact copy in its place.';

/** Bytes `start` to `start + length` of the file, or fewer where the file ends earlier. */
export function readBytes(descriptor: number, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(descriptor, bytes, filled, Math.min(length - filled, READ_BYTES), start + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

/** The sentence for what the operating system said about `path`; any other error passes unchanged. */
export function pathError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  const options = { cause: error };
  switch (error.code) {
    case 'ENOENT':
      return new UsageError(`${path}: there is no such file or directory. Check the path.`, options);
    case 'ENOTDIR':
      return new UsageError(`${path}: a part of this path is not a directory. Check the path.`, options);
    case 'EACCES':
    case 'EPERM':
      return new UsageError(
        `${path}: no permission to read it. Change its permissions or run as a user who may read it.`,
        options,
      );
    default:
      return new UsageError(`${path}: cannot be read: ${error.message}.`, options);
  }
}

function notAFile(path: string): UsageError {
  const found = statSync(path).isDirectory() ? 'a directory' : 'a pipe or a device';
  return new UsageError(`${path}: found ${found}, expected a file. Give the path of the file itself.`);
}
