import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '#src/errors.js';
import { encodeSafetensors, readSafetensors, type Tensor } from '#src/runs/safetensors.js';
import { temporaryDirectory } from './temporaryDirectory.js';

const file = join(temporaryDirectory(), 'x.safetensors');

/**
 * A file of `header` and the bytes 0, 1, 2 … An object becomes JSON padded to 120 bytes, so that the data
 * starts at byte 128; a string stays as it is.
 */
function write(header: string | object, dataBytes = 0, headerLength?: bigint): void {
  const json = typeof header === 'string' ? header : JSON.stringify(header).padEnd(120);
  const text = Buffer.from(json, 'latin1');
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(headerLength ?? BigInt(text.length));
  writeFileSync(file, Buffer.concat([prefix, text, Buffer.from([...Array(dataBytes).keys()])]));
}

const bytesOf = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

const tensorOfBytes = (dtype: Tensor['dtype'], shape: number[], byte: (i: number) => number): Tensor => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = { F64: Float64Array, I64: BigInt64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array };
  const elements = new data[dtype](size);
  new Uint8Array(elements.buffer).forEach((_, i, bytes) => {
    bytes[i] = byte(i);
  });
  return { dtype, shape, data: elements } as Tensor;
};

const names = fc
  .string({ unit: 'binary', maxLength: 8 })
  .filter((name) => !/^__(metadata|proto)__$/.test(name));
const tensors = fc
  .record({
    dtype: fc.constantFrom('F64', 'I64', 'F32', 'I32', 'U8'),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    bytes: fc.infiniteStream(fc.nat(255)),
  })
  .map(({ dtype, shape, bytes }) => tensorOfBytes(dtype, shape, () => bytes.next().value as number));
const contents = fc.record({
  tensors: fc.array(fc.tuple(names, tensors), { maxLength: 6 }).map((entries) => new Map(entries)),
  metadata: fc.array(fc.tuple(names, fc.string({ unit: 'binary' })), { maxLength: 4 }).map((e) => new Map(e)),
});

test('what is written is read: names, shapes, every bit of every element (NaNs too), metadata', () => {
  fc.assert(
    fc.property(contents, (content) => {
      writeFileSync(file, encodeSafetensors(content));
      const read = readSafetensors(file);
      assert.deepEqual(read.metadata, content.metadata);
      assert.deepEqual(new Set(read.tensors.keys()), new Set(content.tensors.keys()));
      for (const [name, tensor] of content.tensors) {
        const found = read.tensors.get(name)!;
        assert.deepEqual([found.dtype, found.shape], [tensor.dtype, tensor.shape]);
        assert.deepEqual(bytesOf(found), bytesOf(tensor));
      }
    }),
  );
});

test('a file of damaged bytes is read or refused in a sentence, and nothing else happens', () => {
  const damages = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 });
  let refused = 0;
  fc.assert(
    fc.property(contents, damages, fc.integer({ min: -9, max: 3 }), (content, flips, growth) => {
      const bytes = encodeSafetensors(content);
      for (const { at, byte } of flips) bytes[at % bytes.length] = byte;
      writeFileSync(file, bytes);
      truncateSync(file, Math.max(0, bytes.length + growth));
      try {
        readSafetensors(file);
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
        assert.ok(error.message.startsWith(`${file}: `), error.message);
        refused += 1;
      }
    }),
  );
  assert.ok(refused > 50, `only ${refused} of 100 were refused`);
});

test('layout: padded header, wide elements first, otherwise the order given', () => {
  const content = new Map<string, Tensor>([
    ['b', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) }],
    ['2', { dtype: 'F32', shape: [], data: Float32Array.of(1) }],
    ['1', { dtype: 'F32', shape: [0, 5], data: new Float32Array(0) }],
    ['a', { dtype: 'F64', shape: [1], data: Float64Array.of(2) }],
  ]);
  const text =
    '{"__metadata__":{"k":"v"},"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},' +
    '"2":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"1":{"dtype":"F32","shape":[0,5],"data_offsets":[12,12]},' +
    '"b":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}}';
  const header = text.padEnd(Math.ceil(text.length / 8) * 8, ' ');
  assert.notEqual(header, text);
  const expected = Buffer.concat([
    Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0].map((byte, i) => (i === 1 ? header.length >> 8 : byte))),
    Buffer.from(header),
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0x80, 0x3f, 1, 2, 3]),
  ]);
  const encoded = encodeSafetensors({ tensors: content, metadata: new Map([['k', 'v']]) });
  assert.deepEqual(Buffer.from(encoded), expected);
});

test('views into shared memory are written as they are', () => {
  const shared = new Float32Array(new SharedArrayBuffer(32)).map((_, i) => i);
  const tensor: Tensor = { dtype: 'F32', shape: [2], data: shared.subarray(3, 5) };
  writeFileSync(file, encodeSafetensors({ tensors: new Map([['x', tensor]]), metadata: new Map() }));
  assert.deepEqual(readSafetensors(file).tensors.get('x')!.data, Float32Array.of(3, 4));
});

test('other writers: an unpadded header, tensors in any order, names of Object.prototype', () => {
  write(
    {
      toString: { dtype: 'U8', shape: [2], data_offsets: [4, 6], more: 1 },
      constructor: { dtype: 'I32', shape: [1, 1], data_offsets: [0, 4] },
      empty: { dtype: 'U8', shape: [0], data_offsets: [4, 4] },
    },
    6,
  );
  const { tensors, metadata } = readSafetensors(file);
  assert.deepEqual([...tensors.keys()], ['constructor', 'empty', 'toString']);
  assert.deepEqual(tensors.get('toString')!.data, Uint8Array.of(4, 5));
  assert.deepEqual(tensors.get('constructor')!.data, Int32Array.of(0x03020100));
  assert.equal(metadata.size, 0);
});

const one = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
/** Each file, and what is said of it between the path and the advice. */
const damaged: readonly [name: string, write: () => void, message: string][] = [
  [
    'an empty file',
    () => writeFileSync(file, ''),
    'found 0 bytes in all at byte 0, expected 8 bytes of header length',
  ],
  [
    'a file of 7 bytes',
    () => writeFileSync(file, '1234567'),
    'found 7 bytes in all at byte 0, expected 8 bytes of header length',
  ],
  [
    'a header longer than the file',
    () => write('{}', 5, 8n),
    'found a header length of 8 at byte 0, expected at most 7, the rest of the file',
  ],
  [
    'a header length that no double holds',
    () => write('{}', 0, 2n ** 64n - 1n),
    'found a header length of 18446744073709551615 at byte 0, expected at most 2, the rest of the file',
  ],
  [
    "a header beyond the format's limit",
    () => {
      write('{}', 0, 100_000_001n);
      truncateSync(file, 200_000_000); // A sparse file: it takes no room.
    },
    "found a header length of 100000001 at byte 0, expected at most 100000000, the format's limit",
  ],
  [
    'a header that is not UTF-8',
    () => write('{"\xff":1}'),
    'found a header that is not UTF-8 at byte 8, expected a JSON object',
  ],
  ['a list', () => write('[]'), 'found a header that is not a JSON object at byte 8, expected "{"'],
  ['null', () => write('null'), 'found a header that is not a JSON object at byte 8, expected "{"'],
  [
    'white space before the brace',
    () => write(' {}'),
    'found a header that is not a JSON object at byte 8, expected "{"',
  ],
  [
    'a tensor twice',
    () => write('{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}, "\\u0078" :{}}'),
    'found the key "x" again at byte 62, expected every key once',
  ],
  [
    'a field twice',
    () => write('{"x":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    'found the key "dtype" again at byte 27, expected every key once',
  ],
  [
    'a tensor called __proto__',
    () => write('{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    'found the key "__proto__" at byte 9, expected any other name',
  ],
  [
    'metadata called __proto__',
    () => write('{"__metadata__":{"\\u005f_proto__":"x"}}'),
    'found the key "__proto__" at byte 25, expected any other name',
  ],
  [
    'metadata that is no object',
    () => write({ __metadata__: ['x'] }),
    'found ["x"] for "__metadata__" in the header at byte 8, expected an object of strings',
  ],
  [
    'metadata that is no text',
    () => write({ __metadata__: { step: 3 } }),
    'found 3 for "__metadata__", key "step", in the header at byte 8, expected a string',
  ],
  [
    'a tensor that is no object',
    () => write({ x: 3 }),
    'found 3 for tensor "x" in the header at byte 8, expected an object with dtype, shape and data_offsets',
  ],
  [
    'a dtype that is no text',
    () => write({ x: { ...one, dtype: 4 } }, 8),
    'found 4 for the dtype of tensor "x" in the header at byte 8, expected its name',
  ],
  [
    'no shape',
    () => write({ x: { dtype: 'F32', data_offsets: [0, 8] } }, 8),
    'found nothing for the shape of tensor "x" in the header at byte 8, expected a list of whole numbers from 0 up',
  ],
  ...[[-1], [1.5], ['2'], 2, [2 ** 53]].map((shape): [string, () => void, string] => [
    `the shape ${JSON.stringify(shape)}`,
    () => write({ x: { ...one, shape } }, 8),
    `found ${JSON.stringify(shape)} for the shape of tensor "x" in the header at byte 8, ` +
      'expected a list of whole numbers from 0 up',
  ]),
  ...[[8, 0], [0], [0, 8, 8], [-8, 0], [0.5, 8.5], '0', { 0: 0, 1: 8 }].map(
    (offsets): [string, () => void, string] => [
      `the offsets ${JSON.stringify(offsets)}`,
      () => write({ x: { ...one, data_offsets: offsets } }, 8),
      `found ${JSON.stringify(offsets)} for data_offsets of tensor "x" in the header at byte 8, ` +
        'expected a list [begin, end] with begin no larger than end',
    ],
  ),
  [
    'a shape that is not its bytes',
    () => write({ x: { ...one, shape: [3] } }, 8),
    'found [0,8] for data_offsets of tensor "x" in the header at byte 8, expected 12 bytes for F32 of shape [3]',
  ],
  [
    'a shape whose product overflows',
    () => write({ x: { ...one, shape: [2 ** 40, 2 ** 40] } }, 8),
    'found [0,8] for data_offsets of tensor "x" in the header at byte 8, ' +
      'expected 4.835703278458517e+24 bytes for F32 of shape [1099511627776, 1099511627776]',
  ],
  [
    'a tensor that ends behind the file',
    () => write({ x: { dtype: 'U8', shape: [2 ** 50], data_offsets: [0, 2 ** 50] } }, 8),
    'found the end of the file inside tensor "x" at byte 136, expected 1125899906842752 bytes or more',
  ],
  [
    'a gap at the start',
    () => write({ x: { dtype: 'U8', shape: [3], data_offsets: [5, 8] } }, 8),
    'found a gap of 5 bytes before tensor "x" at byte 128, expected tensors end to end',
  ],
  [
    'tensors that overlap',
    () => write({ x: one, y: { dtype: 'U8', shape: [4], data_offsets: [6, 10] } }, 10),
    'found an overlap before tensor "y" at byte 134, expected tensors end to end',
  ],
  [
    'a tensor at the place of another',
    () => write({ x: one, y: one }, 8),
    'found an overlap before tensor "y" at byte 128, expected tensors end to end',
  ],
  [
    'bytes after the last tensor',
    () => write({ x: one }, 9),
    'found 1 bytes after the last tensor at byte 136, expected the end of the file',
  ],
  [
    'bytes and no tensor',
    () => write({}, 3),
    'found 3 bytes after the last tensor at byte 128, expected the end of the file',
  ],
];

for (const [name, prepare, message] of damaged) {
  test(`refused: ${name}`, () => {
    prepare();
    const advice = 'The file is damaged or not a safetensors file; use another one.';
    assert.throws(() => readSafetensors(file), new UsageError(`${file}: ${message}. ${advice}`));
  });
}

test('refused: a header that is not JSON, in the words of the parser', () => {
  write('{"x":}');
  assert.throws(() => readSafetensors(file), {
    name: 'UsageError',
    message:
      /^.*: found a header that is not JSON \(.+\) at byte 8, expected an object\. The file is damaged/,
  });
});

test('refused: a dtype of the format that is not read here', () => {
  write({ x: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } }, 4);
  const message = `${file}: tensor "x" has the dtype "BF16"; those read here are F64, I64, F32, I32, U8.`;
  assert.throws(() => readSafetensors(file), new UsageError(message));
});

test('refused: no file', () => {
  const message = `${file}.no: there is no such file or directory. Check the path.`;
  assert.throws(() => readSafetensors(`${file}.no`), new UsageError(message));
});

test('what no file may hold is not written', () => {
  const encode = (name: string, tensor: Tensor, key = 'k') =>
    encodeSafetensors({ tensors: new Map([[name, tensor]]), metadata: new Map([[key, 'v']]) });
  const tensor: Tensor = { dtype: 'U8', shape: [1], data: Uint8Array.of(1) };
  assert.throws(() => encode('__proto__', tensor), new Error('A tensor cannot be called "__proto__".'));
  assert.throws(() => encode('__metadata__', tensor), new Error('A tensor cannot be called "__metadata__".'));
  assert.throws(
    () => encode('x', tensor, '__proto__'),
    new Error('Metadata cannot have the key "__proto__".'),
  );
  const message = 'Tensor "x" has 1 elements, which is not its shape [1, 2].';
  assert.throws(() => encode('x', { ...tensor, shape: [1, 2] }), new Error(message));
  assert.throws(() => encode('x', { ...tensor, shape: [-1, -1] }), /not its shape \[-1, -1\]/);
});
