// The JSON header of a safetensors file, checked in full before anything is believed.
import { UsageError } from '../errors.js';
import type { Shape } from '../model/model.js';
import { deeperThan, jsonKeys } from '../model/strictJson.js';
import { printableLine } from '../printable.js';

/** Bytes of one element. The format has more types; these are the ones that this package reads. */
export const elementBytes = { F64: 8, I64: 8, F32: 4, I32: 4, U8: 1 } as const;
export type Dtype = keyof typeof elementBytes;

/** The size of the header's length, at the start of the file. */
export const prefixBytes = 8;
/** The reference implementation's limit. */
export const mostHeaderBytes = 100_000_000;
/** How deep a header is: a tensor is an object inside of it, and its shape is a list inside of that. */
const mostLevels = 3;

/** One tensor; its bytes are [begin, end) after the header. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly tensors: readonly TensorInfo[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** What every break of the format says: the file, where in it, what is there and what should be. */
export function damage(path: string, offset: number, found: string, expected: string): UsageError {
  return new UsageError(
    `${path}: ${found} at byte ${offset}, expected ${expected}. ` +
      'The file is damaged or not a safetensors file; use another one.',
  );
}

/**
 * @param bytes the header alone; it starts at byte 8 of the file.
 * @throws UsageError unless the tensors cover the rest of a file of `fileBytes` bytes, each byte once, with
 * ranges that fit their dtypes and shapes.
 */
export function parseHeader(bytes: Uint8Array, path: string, fileBytes: number): Header {
  const entries = headerEntries(decode(bytes, path), path);
  const dataStart = prefixBytes + bytes.length;
  const tensors: TensorInfo[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of entries) {
    if (name === '__metadata__') metadata = readMetadata(value, path);
    else tensors.push(readTensorInfo(name, value, path));
  }
  // An empty tensor shares its offset with the tensor that follows it.
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  refuseGaps(tensors, path, dataStart, fileBytes);
  return { tensors, metadata };
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damage(path, prefixBytes, 'found a header that is not UTF-8', 'a JSON object');
  }
}

function headerEntries(text: string, path: string): [string, unknown][] {
  // Anything else is refused below, after a parse that ends where the object should begin.
  const deep = text.startsWith('{') ? deeperThan(mostLevels, text) : undefined;
  if (deep !== undefined) {
    const found = `found a list or an object inside of ${mostLevels} others`;
    throw damage(path, offsetOf(text, deep), found, 'lists of numbers inside of tensors');
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw damage(
      path,
      prefixBytes,
      `found a header that is not JSON (${printableLine((error as Error).message)})`,
      'an object',
    );
  }
  // The format forbids white space before the brace.
  if (!isObject(json) || !text.startsWith('{')) {
    throw damage(path, prefixBytes, 'found a header that is not a JSON object', '"{"');
  }
  refuseKeys(text, path);
  return Object.entries(json);
}

/**
 * JSON.parse keeps the last of several equal keys, so they have to be found in the text. `__proto__` is
 * refused because it would not be an ordinary key to every program that copies a header.
 *
 * @param text valid JSON.
 */
function refuseKeys(text: string, path: string): void {
  for (const { key, at, before } of jsonKeys(text)) {
    if (key === '__proto__')
      throw damage(path, offsetOf(text, at), 'found the key "__proto__"', 'any other name');
    if (before !== undefined)
      throw damage(path, offsetOf(text, at), `found the key ${quote(key)} again`, 'every key once');
  }
}

/** Where in the file the character at `at` of the header stands. */
function offsetOf(text: string, at: number): number {
  return prefixBytes + Buffer.byteLength(text.slice(0, at));
}

function readMetadata(value: unknown, path: string): ReadonlyMap<string, string> {
  if (!isObject(value)) throw unfit(path, '"__metadata__"', value, 'an object of strings');
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw unfit(path, `"__metadata__", key ${quote(key)},`, text, 'a string');
    metadata.set(key, text);
  }
  return metadata;
}

function readTensorInfo(name: string, value: unknown, path: string): TensorInfo {
  const tensor = `tensor ${quote(name)}`;
  if (!isObject(value)) throw unfit(path, tensor, value, 'an object with dtype, shape and data_offsets');
  const fields = new Map(Object.entries(value));
  const dtype = readDtype(fields.get('dtype'), tensor, path);
  const shape = readIntegers(fields.get('shape'));
  if (shape === undefined) {
    throw unfit(path, `the shape of ${tensor}`, fields.get('shape'), 'a list of whole numbers from 0 up');
  }
  const [begin, end, ...more] = readIntegers(fields.get('data_offsets')) ?? [];
  if (begin === undefined || end === undefined || more.length > 0 || begin > end) {
    const expected = 'a list [begin, end] with begin no larger than end';
    throw unfit(path, `data_offsets of ${tensor}`, fields.get('data_offsets'), expected);
  }
  const bytes = shape.reduce((product, extent) => product * extent, elementBytes[dtype]);
  // A product beyond 2^1024 is infinite, and not a number if a zero follows. One that is rounded is above
  // 2^53, where no offset is.
  if (!Number.isFinite(bytes)) {
    throw unfit(path, `the shape of ${tensor}`, shape, 'one of fewer than 2^53 bytes');
  }
  if (end - begin !== bytes) {
    const expected = `${bytes} bytes for ${dtype} of shape ${shapeText(shape)}`;
    throw unfit(path, `data_offsets of ${tensor}`, [begin, end], expected);
  }
  return { name, dtype, shape, begin, end };
}

const dtypes = Object.keys(elementBytes) as Dtype[];

function readDtype(value: unknown, tensor: string, path: string): Dtype {
  const dtype = dtypes.find((candidate) => candidate === value);
  if (dtype !== undefined) return dtype;
  if (typeof value !== 'string') throw unfit(path, `the dtype of ${tensor}`, value, 'its name');
  // Not damage: the format has types that nothing here writes.
  throw new UsageError(
    `${path}: ${tensor} has the dtype ${quote(value)}; those read here are ${dtypes.join(', ')}.`,
  );
}

/** @param tensors in the order of their bytes. */
function refuseGaps(
  tensors: readonly TensorInfo[],
  path: string,
  dataStart: number,
  fileBytes: number,
): void {
  let covered = 0;
  for (const { name, begin, end } of tensors) {
    if (begin !== covered) {
      const offset = dataStart + Math.min(begin, covered);
      const what = begin < covered ? 'an overlap' : `a gap of ${begin - covered} bytes`;
      throw damage(path, offset, `found ${what} before tensor ${quote(name)}`, 'tensors end to end');
    }
    if (dataStart + end > fileBytes) {
      const found = `found the end of the file inside tensor ${quote(name)}`;
      throw damage(path, fileBytes, found, `${dataStart + end} bytes or more`);
    }
    covered = end;
  }
  if (dataStart + covered !== fileBytes) {
    const surplus = fileBytes - dataStart - covered;
    throw damage(
      path,
      dataStart + covered,
      `found ${surplus} bytes after the last tensor`,
      'the end of the file',
    );
  }
}

function readIntegers(value: unknown): number[] | undefined {
  const isCount = (item: unknown): item is number => Number.isSafeInteger(item) && (item as number) >= 0;
  return Array.isArray(value) && value.every(isCount) ? value : undefined;
}

/** Something in the header that is not as it should be; the header as a whole is its place. */
function unfit(path: string, what: string, found: unknown, expected: string): UsageError {
  return damage(path, prefixBytes, `found ${foundText(found)} for ${what} in the header`, expected);
}

/** Short whatever it is: of a list that is too long to be shown, its length. */
function foundText(found: unknown): string {
  if (found === undefined) return 'nothing';
  if (Array.isArray(found) && found.length > 100) return `a list of ${found.length}`;
  return JSON.stringify(found).slice(0, 80);
}

/** For messages: a damaged file may have a shape of any length. */
export function shapeText(shape: Shape): string {
  const more = shape.length - MOST_EXTENTS;
  return more <= 0
    ? `[${shape.join(', ')}]`
    : `[${shape.slice(0, MOST_EXTENTS).join(', ')}, and ${more} more]`;
}

const MOST_EXTENTS = 8;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For messages. */
export function quote(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 80)}…`);
}
