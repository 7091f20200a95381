import { fstatSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { checkCompressedLength, HEAD_BYTES, inflateExactly, inflateHead, isGzip } from './inflate.js';
import { readBytes, withInputFile } from './inputFile.js';
import type { StoredImages } from './source.js';
import { imageBytes } from './storedImages.js';

/** Images, one unsigned byte a value. */
export interface IdxImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** 1 in a file of three dimensions, which has grey images. */
  readonly channels: number;
  /** [count, height, width, channels], row-major. */
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
/** What the dimensions of a file mean: one list for each number of dimensions that is read. */
type Layouts = readonly (readonly string[])[];
const IMAGE_LAYOUTS: Layouts = [
  ['count', 'height', 'width'],
  ['count', 'height', 'width', 'channels'],
];
const LABEL_LAYOUTS: Layouts = [['count']];
/** The data set goes into a WebAssembly memory, which holds 4 GiB. */
export const LARGEST_FILE = 2 ** 32 - 1;
const SPLIT = 'Split the set, or train on it with --shard-data (docs/cluster.md).';
const FETCH_AGAIN = 'Fetch or copy the file again.';

/**
 * Reads an IDX file of images, plain or gzip (told by its first bytes, not its name): [count, height, width],
 * grey, or [count, height, width, channels].
 *
 * @throws UsageError naming the file, the byte, what was found there and what was expected.
 */
export function readIdxImages(path: string): IdxImages {
  const { sizes, elements } = readIdx(path, IMAGE_LAYOUTS);
  const [count, height, width, channels = 1] = sizes as [number, number, number, number?];
  return { count, height, width, channels, pixels: elements };
}

/**
 * Reads an IDX file of labels, plain or gzip (told by its first bytes, not its name).
 *
 * @throws UsageError naming the file, the byte, what was found there and what was expected.
 */
export function readIdxLabels(path: string): IdxLabels {
  const { sizes, elements } = readIdx(path, LABEL_LAYOUTS);
  const [count] = sizes as [number];
  return { count, labels: elements };
}

/**
 * A plain file of images, of any length, whose images are read one by one: its header, checked against its
 * length. A file that is changed afterwards is refused when images are read.
 *
 * @throws UsageError as readIdxShape does; CompressedImages for a file that is compressed.
 */
export function openIdxImages(path: string): StoredImages {
  const { sizes, stamp } = withInputFile(path, (descriptor, fileBytes) => {
    const head = readBytes(descriptor, 0, mostHeaderBytes(IMAGE_LAYOUTS));
    if (isGzip(head)) throw new CompressedImages(path);
    const sizes = plainSizes(
      { path, inflated: false },
      fileBytes,
      head,
      IMAGE_LAYOUTS,
      Number.MAX_SAFE_INTEGER,
    );
    return { sizes, stamp: stampOf(descriptor) };
  });
  const [count, height, width, channels = 1] = sizes as [number, number, number, number?];
  const shape = { count, height, width, channels };
  const start = headerBytes(sizes.length);
  const size = imageBytes(shape);
  const read = (first: number, many: number) =>
    withInputFile(path, (descriptor) => {
      const pixels = readBytes(descriptor, start + first * size, many * size);
      // Asked behind the reading, so that nothing is between them.
      if (stampOf(descriptor) !== stamp) throw changed(path);
      return pixels;
    });
  return { ...shape, read };
}

/** What changes with a file's bytes. */
function stampOf(descriptor: number): string {
  const { size, mtimeMs } = fstatSync(descriptor);
  return `${size} ${mtimeMs}`;
}

/** A file whose images cannot be read one by one. */
export class CompressedImages extends UsageError {
  constructor(path: string) {
    super(
      `${path}: found gzip data, expected a plain file, because --shard-data reads single images, which compressed data ` +
        'do not allow. Decompress it (gunzip), or leave --shard-data out.',
    );
  }
}

function changed(path: string): UsageError {
  return new UsageError(
    `${path}: found a file that has changed since the run has begun, expected the same images in every epoch. ` +
      'Leave it as it is while a run with --shard-data reads it.',
  );
}

/** What the header of a file of images says. */
export type IdxShape = Omit<IdxImages, 'pixels'>;

/**
 * The header of a file of images, checked against the file's length; nothing else is read.
 *
 * @throws UsageError as readIdxImages does, for what can be told by the header and the length.
 */
export function readIdxShape(path: string): IdxShape {
  const [count, height, width, channels = 1] = readHeader(path, IMAGE_LAYOUTS) as [
    number,
    number,
    number,
    number?,
  ];
  return { count, height, width, channels };
}

/** The same of a file of labels: how many there are. */
export function readIdxLabelCount(path: string): number {
  const [count] = readHeader(path, LABEL_LAYOUTS) as [number];
  return count;
}

function readHeader(path: string, layouts: Layouts): number[] {
  return withInputFile(path, (descriptor, fileBytes) => {
    const head = readBytes(descriptor, 0, mostHeaderBytes(layouts));
    if (isGzip(head)) return gzipSizes({ path, inflated: true }, descriptor, fileBytes, layouts);
    return plainSizes({ path, inflated: false }, fileBytes, head, layouts);
  });
}

interface Idx {
  /** One for each dimension, all above zero. */
  readonly sizes: readonly number[];
  /** Their product in length. */
  readonly elements: Uint8Array;
}

function readIdx(path: string, layouts: Layouts): Idx {
  return withInputFile(path, (descriptor, fileBytes) => {
    const head = readBytes(descriptor, 0, mostHeaderBytes(layouts));
    if (isGzip(head)) return readGzip({ path, inflated: true }, descriptor, fileBytes, layouts);
    return readPlain({ path, inflated: false }, descriptor, fileBytes, head, layouts);
  });
}

/** Allocates only after the file's length has been found to be what the header says. */
function readPlain(
  origin: Origin,
  descriptor: number,
  fileBytes: number,
  head: Uint8Array,
  layouts: Layouts,
): Idx {
  const sizes = plainSizes(origin, fileBytes, head, layouts);
  const expected = idxBytes(sizes);
  const start = headerBytes(sizes.length);
  const elements = readBytes(descriptor, start, expected - start);
  // The file may have been cut since its length was asked for.
  if (elements.length < expected - start) throw truncated(origin, start + elements.length, sizes);
  return { sizes, elements };
}

/** The sizes in the header, where they agree with the file's length. */
function plainSizes(
  origin: Origin,
  fileBytes: number,
  head: Uint8Array,
  layouts: Layouts,
  most = LARGEST_FILE,
): number[] {
  const sizes = parseHeader(origin, head, layouts, most);
  const expected = idxBytes(sizes);
  if (fileBytes < expected) throw truncated(origin, fileBytes, sizes);
  if (fileBytes > expected) throw trailing(origin, expected, `${fileBytes - expected} more`);
  return sizes;
}

/** The sizes in the header, where a gzip file of this length can hold as much, and no less. */
function gzipSizes(origin: Origin, descriptor: number, fileBytes: number, layouts: Layouts): number[] {
  if (fileBytes > LARGEST_FILE) {
    throw new UsageError(
      `${origin.path}: found ${fileBytes} bytes of gzip data, expected at most ${LARGEST_FILE}.`,
    );
  }
  const start = readBytes(descriptor, 0, Math.min(fileBytes, HEAD_BYTES));
  const head = inflateHead(origin.path, start, fileBytes, mostHeaderBytes(layouts));
  const sizes = parseHeader(origin, head, layouts);
  checkCompressedLength(origin.path, fileBytes, idxBytes(sizes));
  return sizes;
}

/** Inflates the header first, so that its sizes bound what is read and what the rest may inflate to. */
function readGzip(origin: Origin, descriptor: number, fileBytes: number, layouts: Layouts): Idx {
  const sizes = gzipSizes(origin, descriptor, fileBytes, layouts);
  const compressed = readBytes(descriptor, 0, fileBytes);
  const result = inflateExactly(origin.path, compressed, idxBytes(sizes));
  if (result.kind === 'short') throw truncated(origin, result.bytes, sizes);
  if (result.kind === 'long') throw trailing(origin, idxBytes(sizes), 'more bytes');
  return { sizes, elements: result.data.subarray(headerBytes(sizes.length)) };
}

/** Where a header stands, for error sentences: offsets in a gzip file count inflated bytes. */
interface Origin {
  readonly path: string;
  readonly inflated: boolean;
}

/** The sizes, all above zero. @param most bytes of the whole file. */
function parseHeader(origin: Origin, head: Uint8Array, layouts: Layouts, most = LARGEST_FILE): number[] {
  // Where not even the magic is there, the shortest header is asked for.
  const dimensions = head.length >= MAGIC_BYTES ? checkMagic(origin, head, layouts) : layouts[0]!;
  const headBytes = headerBytes(dimensions.length);
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
      throw defect(
        origin,
        offset,
        name === 'channels' ? '0 channels' : `a ${name} of 0`,
        'at least 1',
        'An empty set cannot be used.',
      );
    }
    return size;
  });
  // In float64 the product of 32-bit sizes may round, but never from above the limit to below it.
  if (idxBytes(sizes) > most) {
    const expected = `a product of at most ${most - headBytes}`;
    throw defect(origin, MAGIC_BYTES, `sizes of ${sizes.join(' x ')}`, expected, SPLIT);
  }
  return sizes;
}

/** What the dimensions of the file mean, by their number. */
function checkMagic(origin: Origin, head: Uint8Array, layouts: Layouts): readonly string[] {
  const [first = 0, second = 0, type = 0, rank = 0] = head;
  if (first !== 0 || second !== 0) {
    const found = `the bytes ${hex(first)} ${hex(second)}`;
    throw defect(origin, 0, found, '00 00, the start of every IDX file', 'Check that this is an IDX file.');
  }
  if (type !== UNSIGNED_BYTE) {
    const found = `element type ${hex(type)} (${ELEMENT_TYPES.get(type) ?? 'unknown to IDX'})`;
    throw defect(origin, 2, found, `${hex(UNSIGNED_BYTE)} (unsigned byte)`, 'Convert the elements to bytes.');
  }
  const dimensions = layouts.find(({ length }) => length === rank);
  if (dimensions !== undefined) return dimensions;
  throw defect(
    origin,
    3,
    `${rank} as the number of dimensions`,
    layouts.map((layout) => `${layout.length} (${layout.join(', ')})`).join(' or '),
    'Images have 3 dimensions, or 4 with channels; labels have 1: check that the two files are not mixed up.',
  );
}

function headerBytes(rank: number): number {
  return MAGIC_BYTES + SIZE_BYTES * rank;
}

function mostHeaderBytes(layouts: Layouts): number {
  return headerBytes(Math.max(...layouts.map(({ length }) => length)));
}

/** Header and elements together. */
function idxBytes(sizes: readonly number[]): number {
  return headerBytes(sizes.length) + sizes.reduce((product, size) => product * size, 1);
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
