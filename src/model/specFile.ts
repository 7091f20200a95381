// A model's JSON file: read without ever waiting where Ctrl-C cannot reach.

import { constants, openSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { AbortSignalLike } from '../abortSignal.js';
import { UsageError } from '../errors.js';
import { parseModelSpec } from './parse.js';
import type { ModelSpec } from './spec.js';
import { parseJson } from './strictJson.js';

/** No honest model file comes near it. */
const MOST_BYTES = 1 << 20;

/**
 * Reads a model from a file, or from a pipe to its end (a shell's `<(…)`, a named pipe, `/dev/stdin`).
 *
 * @param signal aborting it ends the wait for a pipe that nobody writes to.
 * @throws UsageError where the file cannot be read, is a directory or a device, is too large, is no JSON, has
 * a key twice, or is no model.
 * @throws the reason of `signal`, where it was aborted.
 */
export async function readModelSpecFile(path: string, signal?: AbortSignalLike): Promise<ModelSpec> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileOrPipe(path, signal);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (signal?.aborted) throw signal.reason;
    throw new UsageError(`Cannot read the model file ${path}: ${(error as Error).message}.`);
  }
  return parseModelSpec(parseJson(decode(bytes, path), path), path);
}

async function readFileOrPipe(path: string, signal: AbortSignalLike | undefined): Promise<Uint8Array> {
  const found = await stat(path);
  if (found.isFIFO()) return atMost(pipeChunks(path, signal), path);
  if (!found.isFile()) {
    const what = found.isDirectory() ? 'a directory' : 'a device';
    throw new UsageError(
      `The model file ${path} is ${what}, expected a file. Give the path of the file itself.`,
    );
  }
  const file = await open(path);
  try {
    return await atMost(fileChunks(file), path);
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
  signal?.addEventListener('abort', abort);
  pipe.once('close', () => signal?.removeEventListener('abort', abort));
  return pipe;
}

async function atMost(chunks: AsyncIterable<Uint8Array>, path: string): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    read.push(chunk);
    length += chunk.length;
    if (length > MOST_BYTES) {
      throw new UsageError(
        `The model file ${path} is larger than ${MOST_BYTES} bytes; a model is a short list of layers.`,
      );
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
