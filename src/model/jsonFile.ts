// A JSON file that a user names: read without ever waiting where Ctrl-C cannot reach.

import { constants, openSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { AbortSignalLike } from '../abortSignal.js';
import { UsageError } from '../errors.js';
import { parseJson } from './strictJson.js';

/** No honest file comes near it. */
const MOST_BYTES = 1 << 20;

/** What messages say of a kind of file. */
export interface DocumentWords {
  /** e.g. `model`. */
  readonly name: string;
  /** Why it is never large: a clause. */
  readonly size: string;
}

/**
 * Reads a file, or a pipe to its end (a shell's `<(…)`, a named pipe, `/dev/stdin`).
 *
 * @param signal aborting it ends the wait for a pipe that nobody writes to.
 * @throws UsageError where the file cannot be read, is a directory or a device, is too large, is no JSON, or
 * has a key twice.
 * @throws the reason of `signal`, where it was aborted.
 */
export async function readJsonFile(
  path: string,
  what: DocumentWords,
  signal?: AbortSignalLike,
): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileOrPipe(path, signal, what);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (signal?.aborted) throw signal.reason;
    throw new UsageError(`Cannot read the ${what.name} file ${path}: ${(error as Error).message}.`);
  }
  return parseJson(decode(bytes, path), path);
}

async function readFileOrPipe(
  path: string,
  signal: AbortSignalLike | undefined,
  what: DocumentWords,
): Promise<Uint8Array> {
  const found = await stat(path);
  if (found.isFIFO()) return atMost(pipeChunks(path, signal), path, what);
  if (!found.isFile()) {
    const kind = found.isDirectory() ? 'a directory' : 'a device';
    throw new UsageError(
      `The ${what.name} file ${path} is ${kind}, expected a file. Give the path of the file itself.`,
    );
  }
  const file = await open(path);
  try {
    return await atMost(fileChunks(file), path, what);
  } finally {
    await file.close();
  }
}

/** Reads to the end rather than trusting the file's size, which may grow meanwhile. */
async function* fileChunks(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(65536));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * A pipe is opened without waiting for a writer and read from the event loop: a call that waits would hold a
 * thread, and the process could not even exit.
 */
function pipeChunks(path: string, signal: AbortSignalLike | undefined): AsyncIterable<Uint8Array> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const pipe = new Socket({ fd, readable: true, writable: false });
  const abort = () => pipe.destroy(new Error('The wait for the pipe was aborted.'));
  // A signal that was aborted before has no event any more.
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  pipe.once('close', () => signal?.removeEventListener('abort', abort));
  return pipe;
}

async function atMost(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  what: DocumentWords,
): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    read.push(chunk);
    length += chunk.length;
    if (length > MOST_BYTES) {
      throw new UsageError(`The ${what.name} file ${path} is larger than ${MOST_BYTES} bytes; ${what.size}.`);
    }
  }
  return Buffer.concat(read);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${path} is not JSON: its bytes are not UTF-8 text.`);
  }
}
