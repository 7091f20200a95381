import { UsageError } from '../errors.js';
import { inflateExactly, inflateHead, isGzip } from './inflate.js';
import { readBytes, withInputFile } from './inputFile.js';

/** Grey images, one unsigned byte a pixel. */
export interface IdxImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** [count, height, width], row-major. */
  readonly pixels: Uint8Array;
}

export interface IdxLabels {
  readonly count: number;
  /** [count] */
  readonly labels: Uint8Array;
}

/** Magic and sizes are big-endian; the magic's last byte counts the sizes that follow it. */
const MAGIC_BYTES = 4;
const SIZE_BYTES = 4;
const UNSIGNED_BYTE = 0x08;
/** Element types of the format's definition, at the foot of the MNIST page. */
const ELEMENT_TYPES = new Map([
  [UNSIGNED_BYTE, 'unsigned byte'],
  [0x09, 'signed byte'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);
/** The data set goes into a WebAssembly memory, which holds 4 GiB. */
const LARGEST_FILE = 2 ** 32 - 1;
const FETCH_AGAIN = 'Fetch or copy the file again.';

/**
 * Reads an IDX file of images, plain or gzip (told by its first bytes, not its name).
 *
 * @throws UsageError naming the file, the byte, what was found there and what was expected.
 */
export function readIdxImages(path: string): IdxImages {
  const { sizes, elements } = readIdx(path, ['count', 'height', 'width']);
  const [count, height, width] = sizes as [number, number, number];
  return { count, height, width, pixels: elements };
}

/**
 * Reads an IDX file of labels, plain or gzip (told by its first bytes, not its name).
 *
 * @throws UsageError naming the file, the byte, what was found there and what was expected.
 */
export function readIdxLabels(path: string): IdxLabels {
  const { sizes, elements } = readIdx(path, ['count']);
  const [count] = sizes as [number];
  return { count, labels: elements };
}

interface Idx {
  /** One for each dimension, all above zero. */
  readonly sizes: readonly number[];
  /** Their product in length. */
  readonly elements: Uint8Array;
}

function readIdx(path: string, dimensions: readonly string[]): Idx {
  return withInputFile(path, (descriptor, fileBytes) => {
    const head = readBytes(descriptor, 0, MAGIC_BYTES + SIZE_BYTES * dimensions.length);
    if (isGzip(head)) return readGzip({ path, inflated: true }, descriptor, fileBytes, dimensions);
    return readPlain({ path, inflated: false }, descriptor, fileBytes, head, dimensions);
  });
}

/** Allocates only after the file's length has been found to be what the header says. */
function readPlain(
  origin: Origin,
  descriptor: number,
  fileBytes: number,
  head: Uint8Array,
  dimensions: readonly string[],
): Idx {
  const sizes = parseHeader(origin, head, dimensions);
  const expected = idxBytes(sizes);
  if (fileBytes < expected) throw truncated(origin, fileBytes, sizes);
  if (fileBytes > expected) throw trailing(origin, expected, `${fileBytes - expected} more`);
  const elements = readBytes(descriptor, head.length, expected - head.length);
  // The file may have been cut since its length was asked for.
  if (elements.length < expected - head.length) throw truncated(origin, head.length + elements.length, sizes);
  return { sizes, elements };
}

/** Inflates the header first, so that its sizes bound what the rest may inflate to. */
function readGzip(origin: Origin, descriptor: number, fileBytes: number, dimensions: readonly string[]): Idx {
  if (fileBytes > LARGEST_FILE) {
    throw new UsageError(
      `${origin.path}: found ${fileBytes} bytes of gzip data, expected at most ${LARGEST_FILE}.`,
    );
  }
  const compressed = readBytes(descriptor, 0, fileBytes);
  const headBytes = MAGIC_BYTES + SIZE_BYTES * dimensions.length;
  const sizes = parseHeader(origin, inflateHead(origin.path, compressed, headBytes), dimensions);
  const result = inflateExactly(origin.path, compressed, idxBytes(sizes));
  if (result.kind === 'short') throw truncated(origin, result.bytes, sizes);
  if (result.kind === 'long') throw trailing(origin, idxBytes(sizes), 'more bytes');
  return { sizes, elements: result.data.subarray(headBytes) };
}

/** Where a header stands, for error sentences: offsets in a gzip file count inflated bytes. */
interface Origin {
  readonly path: string;
  readonly inflated: boolean;
}

/** The sizes, all above zero, their product within LARGEST_FILE. */
function parseHeader(origin: Origin, head: Uint8Array, dimensions: readonly string[]): number[] {
  const headBytes = MAGIC_BYTES + SIZE_BYTES * dimensions.length;
  if (head.length >= MAGIC_BYTES) checkMagic(origin, head, dimensions);
  if (head.length < headBytes) {
    const missing = headBytes - head.length;
    const expected = `a header of ${headBytes} bytes: ${missing} missing`;
    throw defect(origin, head.length, 'the end', expected, FETCH_AGAIN);
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const sizes = dimensions.map((name, axis) => {
    const offset = MAGIC_BYTES + SIZE_BYTES * axis;
    const size = view.getUint32(offset);
    if (size === 0) {
      throw defect(origin, offset, `a ${name} of 0`, 'at least 1', 'An empty set cannot be used.');
    }
    return size;
  });
  // In float64 the product of three 32-bit sizes may round, but never from above the limit to below it.
  if (idxBytes(sizes) > LARGEST_FILE) {
    const expected = `a product of at most ${LARGEST_FILE - headBytes}`;
    throw defect(origin, MAGIC_BYTES, `sizes of ${sizes.join(' x ')}`, expected, 'Split the set.');
  }
  return sizes;
}

function checkMagic(origin: Origin, head: Uint8Array, dimensions: readonly string[]): void {
  const [first = 0, second = 0, type = 0, rank = 0] = head;
  if (first !== 0 || second !== 0) {
    const found = `the bytes ${hex(first)} ${hex(second)}`;
    throw defect(origin, 0, found, '00 00, the start of every IDX file', 'Check that this is an IDX file.');
  }
  if (type !== UNSIGNED_BYTE) {
    const found = `element type ${hex(type)} (${ELEMENT_TYPES.get(type) ?? 'unknown to IDX'})`;
    throw defect(origin, 2, found, `${hex(UNSIGNED_BYTE)} (unsigned byte)`, 'Convert the elements to bytes.');
  }
  if (rank !== dimensions.length) {
    const expected = `${dimensions.length} (${dimensions.join(', ')})`;
    throw defect(
      origin,
      3,
      `${rank} as the number of dimensions`,
      expected,
      'Images have 3 dimensions, labels 1: check that the two files are not mixed up.',
    );
  }
}

/** Header and elements together. */
function idxBytes(sizes: readonly number[]): number {
  return MAGIC_BYTES + SIZE_BYTES * sizes.length + sizes.reduce((product, size) => product * size, 1);
}

function truncated(origin: Origin, bytes: number, sizes: readonly number[]): UsageError {
  const total = idxBytes(sizes);
  const expected = `${total} bytes (a header and ${sizes.join(' x ')} elements)`;
  return defect(origin, bytes, 'the end', `${expected}: ${total - bytes} missing`, FETCH_AGAIN);
}

function trailing(origin: Origin, total: number, found: string): UsageError {
  const advice = `The header and the length of the data disagree. ${FETCH_AGAIN}`;
  return defect(origin, total, found, 'the end', advice);
}

function defect(origin: Origin, offset: number, found: string, expected: string, advice: string): UsageError {
  const where = origin.inflated ? `byte ${offset} of the inflated data` : `byte ${offset}`;
  return new UsageError(`${origin.path}: at ${where}, found ${found}, expected ${expected}. ${advice}`);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
