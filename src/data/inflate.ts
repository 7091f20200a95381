import { constants, gunzipSync, type ZlibOptions } from 'node:zlib';
import { UsageError } from '../errors.js';

/** Deflate's greatest ratio of output to input: 258 bytes out of two bits. */
const LARGEST_RATIO = 1032;
/** zlib refuses smaller output chunks. */
const SMALLEST_CHUNK = 64;
/** Output up to this size arrives in one piece, without a concatenation; zlib counts a piece in 32 bits. */
const LARGEST_CHUNK = 2 ** 30;
/**
 * A head is looked for in no more compressed bytes than this, which bounds what looking costs.
 * Before the data stand only gzip's own header, 64 KiB with the longest extra field, and code tables.
 */
const FIRST_PREFIX = 2 ** 10;
export const HEAD_BYTES = 2 ** 17;
const FETCH_AGAIN = 'Fetch or copy the file again.';

/** `bytes` is how many the stream held, where that is fewer than asked for. */
export type Inflated =
  | { readonly kind: 'exact'; readonly data: Uint8Array }
  | { readonly kind: 'short'; readonly bytes: number }
  | { readonly kind: 'long' };

export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * The first `length` inflated bytes, or fewer where the stream holds fewer.
 *
 * @param start the first bytes of the file, at least HEAD_BYTES or all.
 * @throws UsageError naming `path` if the gzip data are corrupt.
 */
export function inflateHead(path: string, start: Uint8Array, fileBytes: number, length: number): Uint8Array {
  for (let prefix = FIRST_PREFIX; ; prefix *= 2) {
    const head = inflateWhatIsThere(path, start.subarray(0, prefix), {});
    if (head.length >= length || prefix >= fileBytes) return head.subarray(0, length);
    if (prefix >= HEAD_BYTES) {
      throw new UsageError(
        `${path}: found only ${head.length} bytes of data in the first ${prefix} bytes of gzip, expected ${length}. ` +
          'Compress the file again.',
      );
    }
  }
}

/**
 * Inflates a gzip file that should hold exactly `length` bytes, and never allocates for more.
 *
 * @throws UsageError naming `path` if the gzip data are corrupt, unfinished or followed by others.
 */
export function inflateExactly(path: string, compressed: Uint8Array, length: number): Inflated {
  checkCompressedLength(path, compressed.length, length);
  // One byte more than expected, so that data of the right length do not ask for a second piece.
  const chunkSize = Math.max(SMALLEST_CHUNK, Math.min(length + 1, LARGEST_CHUNK));
  const options = { chunkSize, maxOutputLength: length };
  let result: InflateInfo;
  try {
    result = gunzipWithInfo(compressed, options);
  } catch (error) {
    if (hasCode(error, 'ERR_BUFFER_TOO_LARGE')) return { kind: 'long' };
    if (!hasCode(error, 'Z_BUF_ERROR')) throw corrupt(path, compressed, error);
    return inflateUnfinished(path, compressed, length, options);
  }
  const { buffer, engine } = result;
  if (buffer.length < length) return { kind: 'short', bytes: buffer.length };
  // zlib takes bytes after the stream for padding if the first is zero.
  if (engine.bytesWritten < compressed.length) throw trailing(path, compressed, engine.bytesWritten);
  return { kind: 'exact', data: new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length) };
}

/** What is wrong with a stream that stops before its end. */
function inflateUnfinished(
  path: string,
  compressed: Uint8Array,
  length: number,
  options: ZlibOptions,
): Inflated {
  let bytes: number;
  try {
    bytes = inflateWhatIsThere(path, compressed, options).length;
  } catch (error) {
    // zlib asks whether the stream is whole before it asks whether it is too long.
    if (hasCode(error, 'ERR_BUFFER_TOO_LARGE')) return { kind: 'long' };
    throw error;
  }
  if (bytes < length) return { kind: 'short', bytes };
  throw unfinished(path, compressed);
}

/** The output of a stream that may stop before its end. */
function inflateWhatIsThere(path: string, compressed: Uint8Array, options: ZlibOptions): Uint8Array {
  try {
    return gunzipSync(compressed, { ...options, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw corrupt(path, compressed, error);
  }
}

/**
 * A file too short for what its header says is refused before memory is taken for it, and one that is far too
 * long before it is read.
 *
 * @param length of the inflated data.
 * @throws UsageError naming `path`.
 */
export function checkCompressedLength(path: string, fileBytes: number, length: number): void {
  // Data that cannot be compressed grow by some thousandths; names and comments come on top.
  const longest = length + Math.ceil(length / 8) + 2 ** 24;
  if (fileBytes > longest) {
    throw new UsageError(
      `${path}: found ${fileBytes} bytes of gzip data, expected at most ${longest} for the ${length} bytes that the header ` +
        `inside announces. ${FETCH_AGAIN}`,
    );
  }
  const most = fileBytes * LARGEST_RATIO;
  if (most >= length) return;
  throw new UsageError(
    `${path}: found ${fileBytes} bytes of gzip data, which inflate to at most ${most} bytes, expected ` +
      `the ${length} bytes that the header inside announces: at least ${length - most} missing. ${FETCH_AGAIN}`,
  );
}

function unfinished(path: string, compressed: Uint8Array): UsageError {
  return new UsageError(
    `${path}: at byte ${compressed.length} of the gzip data, found the end, expected the checksum that closes them. ${FETCH_AGAIN}`,
  );
}

function trailing(path: string, compressed: Uint8Array, end: number): UsageError {
  const more = compressed.length - end;
  return new UsageError(
    `${path}: at byte ${end} of the gzip data, found ${more} more, expected the end. ${FETCH_AGAIN}`,
  );
}

/** zlib tells what is wrong, but not where. */
function corrupt(path: string, compressed: Uint8Array, error: unknown): unknown {
  if (!(error instanceof Error) || !hasCode(error, 'Z_DATA_ERROR')) return error;
  // The first two bytes are known to be right, so this complaint is about bytes after the stream.
  const found =
    error.message === 'incorrect header check' ? 'other bytes after the gzip data' : error.message;
  return new UsageError(
    `${path}: corrupt gzip data within bytes 0 to ${compressed.length - 1}: found ${found}, expected an intact gzip file. ${FETCH_AGAIN}`,
    { cause: error },
  );
}

interface InflateInfo {
  readonly buffer: Buffer;
  /** `bytesWritten` counts the compressed bytes taken in. */
  readonly engine: { readonly bytesWritten: number };
}

/** The typings of Node leave out what its documented option `info` changes in the result. */
function gunzipWithInfo(compressed: Uint8Array, options: ZlibOptions): InflateInfo {
  return gunzipSync(compressed, { ...options, info: true }) as unknown as InflateInfo;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
