// The safetensors format: 8 bytes of header length (little-endian), a JSON header, and the tensors' bytes end
// to end (https://github.com/huggingface/safetensors, "Format"). Elements are little-endian and row-major.
import { endianness } from 'node:os';
import { readBytes, withInputFile } from '../data/inputFile.js';
import type { Shape } from '../model/model.js';
import {
  damage,
  elementBytes,
  type Header,
  mostHeaderBytes,
  parseHeader,
  prefixBytes,
  type TensorInfo,
} from './safetensorsHeader.js';

export type Tensor =
  | { readonly dtype: 'F64'; readonly shape: Shape; readonly data: Float64Array }
  | { readonly dtype: 'I64'; readonly shape: Shape; readonly data: BigInt64Array }
  | { readonly dtype: 'F32'; readonly shape: Shape; readonly data: Float32Array }
  | { readonly dtype: 'I32'; readonly shape: Shape; readonly data: Int32Array }
  | { readonly dtype: 'U8'; readonly shape: Shape; readonly data: Uint8Array };

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The header's `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * The bytes of a safetensors file. Tensors of wide elements go first, so that each starts at a multiple of
 * its element's size; otherwise they keep their order.
 *
 * @throws Error where a name is reserved, a shape is not its data's, or the header passes the format's limit.
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  requireLittleEndian();
  const ordered = [...tensors].sort(([, a], [, b]) => elementBytes[b.dtype] - elementBytes[a.dtype]);
  const header = encodeHeader(ordered, metadata);
  const dataBytes = ordered.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
  const file = new Uint8Array(prefixBytes + header.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, prefixBytes);
  let offset = prefixBytes + header.length;
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return file;
}

/**
 * Reads a whole file into arrays of its own, in the order of the file. Nothing is allocated for tensors
 * before all of the header is checked against the file.
 *
 * @throws UsageError where the file cannot be read, breaks the format, or has a dtype that is not read here.
 */
export function readSafetensors(path: string): Safetensors {
  return readCheckedSafetensors(path, () => undefined).file;
}

/**
 * The same, with what a caller makes of the header before a tensor is read.
 * @param check what it throws refuses the file; what it returns is `checked`.
 */
export function readCheckedSafetensors<T>(
  path: string,
  check: (header: Header) => T,
): { readonly file: Safetensors; readonly checked: T } {
  requireLittleEndian();
  return withInputFile(path, (descriptor, size) => {
    const headerBytes = readHeaderLength(readBytes(descriptor, 0, prefixBytes), size, path);
    const dataStart = prefixBytes + headerBytes;
    const header = parseHeader(readBytes(descriptor, prefixBytes, headerBytes), path, size);
    const checked = check(header);
    const tensors = new Map<string, Tensor>();
    for (const info of header.tensors) {
      const bytes = readBytes(descriptor, dataStart + info.begin, info.end - info.begin);
      if (bytes.length < info.end - info.begin) {
        throw damage(
          path,
          dataStart + info.begin + bytes.length,
          'found the end of the file',
          `${size} bytes`,
        );
      }
      tensors.set(info.name, tensorOf(info, bytes));
    }
    return { file: { tensors, metadata: header.metadata }, checked };
  });
}

/**
 * Written by hand, because an object would order names that look like numbers, and has no key `__proto__`.
 */
function encodeHeader(
  tensors: readonly (readonly [string, Tensor])[],
  metadata: ReadonlyMap<string, string>,
): Uint8Array {
  const members: string[] = [];
  if (metadata.size > 0) {
    const texts = [...metadata].map(([key, text]) => {
      if (key === '__proto__') throw new Error('Metadata cannot have the key "__proto__".');
      return `${JSON.stringify(key)}:${JSON.stringify(text)}`;
    });
    members.push(`"__metadata__":{${texts.join(',')}}`);
  }
  let begin = 0;
  for (const [name, tensor] of tensors) {
    refuseUnfit(name, tensor);
    const { dtype, shape } = tensor;
    const end = begin + tensor.data.byteLength;
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    begin = end;
  }
  const text = new TextEncoder().encode(`{${members.join(',')}}`);
  // Padded with spaces, as the reference implementation does, so that the data starts at a multiple of 8.
  const header = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  if (header.length > mostHeaderBytes) {
    throw new Error(`The header would have ${header.length} bytes; the format allows ${mostHeaderBytes}.`);
  }
  header.set(text);
  return header;
}

function refuseUnfit(name: string, { shape, data }: Tensor): void {
  if (name === '__metadata__' || name === '__proto__')
    throw new Error(`A tensor cannot be called "${name}".`);
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || size !== data.length) {
    throw new Error(
      `Tensor "${name}" has ${data.length} elements, which is not its shape [${shape.join(', ')}].`,
    );
  }
}

function readHeaderLength(prefix: Uint8Array, fileBytes: number, path: string): number {
  if (prefix.length < prefixBytes) {
    throw damage(path, 0, `found ${prefix.length} bytes in all`, `${prefixBytes} bytes of header length`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  const most = Math.min(mostHeaderBytes, fileBytes - prefixBytes);
  if (length > BigInt(most)) {
    const reason = most < mostHeaderBytes ? 'the rest of the file' : "the format's limit";
    throw damage(path, 0, `found a header length of ${length}`, `at most ${most}, ${reason}`);
  }
  return Number(length);
}

/** `bytes` start a buffer of their own, so every element type finds its alignment. */
function tensorOf({ dtype, shape }: TensorInfo, bytes: Uint8Array): Tensor {
  const { buffer, byteOffset, byteLength } = bytes;
  const length = byteLength / elementBytes[dtype];
  switch (dtype) {
    case 'F64':
      return { dtype, shape, data: new Float64Array(buffer, byteOffset, length) };
    case 'I64':
      return { dtype, shape, data: new BigInt64Array(buffer, byteOffset, length) };
    case 'F32':
      return { dtype, shape, data: new Float32Array(buffer, byteOffset, length) };
    case 'I32':
      return { dtype, shape, data: new Int32Array(buffer, byteOffset, length) };
    case 'U8':
      return { dtype, shape, data: bytes };
  }
}

/** Typed arrays have the machine's byte order, files the format's; all of Node's common platforms agree. */
function requireLittleEndian(): void {
  if (endianness() !== 'LE')
    throw new Error('Checkpoints are read and written on little-endian machines only.');
}
