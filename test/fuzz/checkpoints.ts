// Safetensors files and checkpoints, with something wrong in the header, the bytes or the metadata.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { encodeCheckpoint, loadCheckpoint } from '#src/runs/checkpoint.js';
import { encodeSafetensors, readSafetensors, type Safetensors, type Tensor } from '#src/runs/safetensors.js';
import { tinyCheckpoint, tinyConfig } from '../runs/exampleRun.js';
import { withHashes } from '../runs/forgedCheckpoint.js';
import {
  byteChange,
  changedBytes,
  changedText,
  type Json,
  nastyNumber,
  nastyText,
  textChange,
} from './mutations.js';
import { outcomeOf, type Property, property } from './property.js';
import { workDirectory } from './workDirectory.js';

const path = join(workDirectory(), 'file.safetensors');

const ARRAYS = {
  F64: Float64Array,
  I64: BigInt64Array,
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const;
type Dtype = keyof typeof ARRAYS;

/** Whether UTF-8 can hold it: no half of a surrogate pair stands alone. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 3 });

/** A name that an encoder takes. */
const tensorName = fc
  .oneof(fc.string({ maxLength: 12 }), nastyText)
  .filter((name) => !/^__(metadata|proto)__$/.test(name) && isWellFormed(name));

const tensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom<Dtype>('F64', 'I64', 'F32', 'I32', 'U8'), shape, fc.nat())
  .map(([dtype, shape, salt]) => {
    const length = shape.reduce((product, extent) => product * extent, 1);
    const bytes = Uint8Array.from(
      { length: length * ARRAYS[dtype].BYTES_PER_ELEMENT },
      (_, i) => i * 31 + salt,
    );
    return { dtype, shape, data: new ARRAYS[dtype](bytes.buffer) } as Tensor;
  });

const metadataKey = tensorName;
const safetensors: fc.Arbitrary<Safetensors> = fc.record({
  tensors: fc.array(fc.tuple(tensorName, tensor), { maxLength: 5 }).map((list) => new Map(list)),
  metadata: fc
    .array(fc.tuple(metadataKey, nastyText.filter(isWellFormed)), { maxLength: 3 })
    .map((list) => new Map(list)),
});

const roundTrips = property(
  'every tensor file is read as it was written, whatever is in it',
  150,
  safetensors,
  (content) => {
    writeFileSync(path, encodeSafetensors(content));
    const read = readSafetensors(path);
    assert.deepEqual(new Map(read.metadata), content.metadata);
    assert.equal(read.tensors.size, content.tensors.size);
    for (const [name, { dtype, shape, data }] of content.tensors) {
      const found = read.tensors.get(name)!;
      assert.deepEqual([found.dtype, found.shape], [dtype, shape]);
      assert.ok(bytesOf(found.data).equals(bytesOf(data)));
    }
    return content.tensors.size === 0 ? 'empty' : 'with tensors';
  },
);

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Changes of the header that a random byte would hardly hit upon. */
const headerNumber = fc.oneof(nastyNumber, fc.integer({ min: -1, max: 300 }));
const headerChange = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), change: textChange }),
  fc.record({ kind: fc.constant('bytes' as const), change: byteChange }),
  fc.record({
    kind: fc.constant('offset' as const),
    tensor: fc.nat(),
    end: fc.boolean(),
    by: fc.constantFrom(-8, -4, -1, 1, 4, 8, 2 ** 31, 2 ** 53),
  }),
  fc.record({
    kind: fc.constant('shape' as const),
    tensor: fc.nat(),
    shape: fc.array(headerNumber, { maxLength: 40 }),
  }),
  fc.record({
    kind: fc.constant('dtype' as const),
    tensor: fc.nat(),
    dtype: fc.constantFrom<Json>('F64', 'U8', 'I64', 'BF16', 'f32', '', null, 4),
  }),
  fc.record({
    kind: fc.constant('length' as const),
    length: fc.constantFrom(
      0n,
      1n,
      2n,
      7n,
      100n,
      2n ** 31n,
      2n ** 32n,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
      100_000_000n,
      100_000_001n,
    ),
  }),
  fc.record({ kind: fc.constant('file' as const), change: byteChange }),
);
type HeaderChange = typeof headerChange extends fc.Arbitrary<infer T> ? T : never;

interface HeaderTensor {
  dtype: Json;
  shape: Json;
  data_offsets: [number, number];
}

function changedFile(content: Safetensors, change: HeaderChange): Buffer {
  const file = Buffer.from(encodeSafetensors(content));
  const length = Number(file.readBigUInt64LE(0));
  const header = file.subarray(8, 8 + length);
  const data = file.subarray(8 + length);
  const withHeader = (bytes: Uint8Array) => {
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(bytes.length));
    return Buffer.concat([prefix, bytes, data]);
  };
  const json = JSON.parse(header.toString()) as { [name: string]: Json };
  const withTensor = (index: number, act: (tensor: HeaderTensor) => void) => {
    const tensors = Object.entries(json).filter(([name]) => name !== '__metadata__');
    const found = tensors[index % Math.max(1, tensors.length)];
    if (found !== undefined) act(found[1] as unknown as HeaderTensor);
    return withHeader(Buffer.from(JSON.stringify(json)));
  };
  switch (change.kind) {
    case 'text':
      return withHeader(Buffer.from(changedText(json, change.change)));
    case 'bytes':
      return withHeader(changedBytes(header, change.change));
    case 'file':
      return changedBytes(file, change.change);
    case 'length': {
      file.writeBigUInt64LE(change.length);
      return file;
    }
    case 'offset':
      return withTensor(change.tensor, (tensor) => {
        tensor.data_offsets[change.end ? 1 : 0] += change.by;
      });
    case 'shape':
      return withTensor(change.tensor, (tensor) => {
        tensor.shape = change.shape;
      });
    case 'dtype':
      return withTensor(change.tensor, (tensor) => {
        tensor.dtype = change.dtype;
      });
  }
}

const damagedFiles = property(
  'a tensor file with one thing changed is read as its header says, or refused',
  500,
  fc.record({ content: safetensors, change: headerChange }),
  async ({ content, change }) => {
    const bytes = changedFile(content, change);
    writeFileSync(path, bytes);
    const outcome = await outcomeOf(() => readSafetensors(path), [path]);
    if (outcome.kind === 'accepted') assertByFormat(outcome.value, bytes);
    return outcome.kind;
  },
);

/** The format's definition: names once, ranges end to end, and as long as dtype and shape say. */
function assertByFormat({ tensors }: Safetensors, bytes: Buffer): void {
  const length = Number(bytes.readBigUInt64LE(0));
  const json = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, HeaderTensor>;
  const names = Object.keys(json).filter((name) => name !== '__metadata__');
  assert.deepEqual([...tensors.keys()].sort(), names.sort());
  let covered = 0n;
  for (const [name, { dtype, shape, data }] of tensors) {
    const [begin, end] = json[name]!.data_offsets;
    assert.equal(BigInt(begin), covered);
    covered = BigInt(end);
    const size = shape.reduce(
      (product, extent) => product * BigInt(extent),
      BigInt(ARRAYS[dtype].BYTES_PER_ELEMENT),
    );
    assert.equal(BigInt(end) - BigInt(begin), size);
    assert.ok(bytes.subarray(8 + length + begin, 8 + length + end).equals(bytesOf(data)));
  }
  assert.equal(covered, BigInt(bytes.length - 8 - length));
}

const checkpointChange = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('config' as const), change: textChange }) },
  fc.record({
    kind: fc.constant('metadata' as const),
    key: fc.constantFrom('formatVersion', 'step', 'epochSums', 'seed', 'arithmetic', 'config'),
    text: fc.oneof(
      nastyText,
      fc.constantFrom(
        '1',
        '2',
        '[]',
        '[1]',
        '{"a":"NaN"}',
        '{"a":1e999}',
        '{"a":"b"}',
        '-1',
        '1e3',
        '{}',
        '{"__proto__":1}',
      ),
    ),
  }),
  fc.record({ kind: fc.constant('sums' as const), change: textChange }),
  fc.record({ kind: fc.constant('drop' as const), tensor: fc.nat() }),
  fc.record({ kind: fc.constant('add' as const), name: tensorName, tensor }),
  fc.record({ kind: fc.constant('rename' as const), tensor: fc.nat(), name: tensorName }),
  fc.record({ kind: fc.constant('replace' as const), tensor: fc.nat(), by: tensor }),
  fc.record({
    kind: fc.constant('element' as const),
    tensor: fc.nat(),
    value: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e300, 0.5, -0),
  }),
  fc.record({ kind: fc.constant('bytes' as const), change: byteChange }),
  fc.record({ kind: fc.constant('none' as const) }),
);
type CheckpointChange = typeof checkpointChange extends fc.Arbitrary<infer T> ? T : never;

const intact = Buffer.from(encodeCheckpoint(tinyCheckpoint(7)).bytes);

/** What has the right hashes is what another program could have written. */
function changedCheckpoint(change: CheckpointChange): Uint8Array {
  if (change.kind === 'none') return intact;
  if (change.kind === 'bytes') return changedBytes(intact, change.change);
  writeFileSync(path, intact);
  const { tensors: read, metadata: texts } = readSafetensors(path);
  const [tensors, metadata] = [new Map(read), new Map(texts)];
  const names = [...tensors.keys()];
  switch (change.kind) {
    case 'config':
      metadata.set('config', changedText(tinyConfig as unknown as Json, change.change));
      break;
    case 'metadata':
      metadata.set(change.key, change.text);
      break;
    case 'sums':
      metadata.set('epochSums', changedText({ examples: 32, loss: 'NaN', kl: -0 }, change.change));
      break;
    case 'add':
      tensors.set(change.name, change.tensor);
      break;
    default: {
      const name = names[change.tensor % names.length]!;
      const old = tensors.get(name)!;
      if (change.kind === 'element') old.data[0] = change.value;
      else tensors.delete(name);
      if (change.kind === 'rename') tensors.set(change.name, old);
      if (change.kind === 'replace') tensors.set(name, change.by);
    }
  }
  // Texts that no UTF-8 can hold are not written as they are.
  for (const [key, text] of metadata) metadata.set(key, Buffer.from(text).toString());
  return encodeSafetensors(withHashes({ tensors, metadata }));
}

const checkpoints = property(
  'a checkpoint with one thing changed and hashes to match is loaded as it is, or refused',
  400,
  checkpointChange,
  async (change) => {
    writeFileSync(path, changedCheckpoint(change));
    const outcome = await outcomeOf(() => loadCheckpoint(path), [path]);
    if (change.kind === 'none') assert.equal(outcome.kind, 'accepted');
    if (outcome.kind === 'accepted') {
      const { value } = outcome;
      writeFileSync(path, encodeCheckpoint(value).bytes);
      assert.deepEqual(loadCheckpoint(path), value);
      assert.ok(Number.isSafeInteger(value.step) && value.step >= 0);
      assert.ok(!Array.isArray(value.epochSums));
      assert.ok(value.parameters.every(Number.isFinite));
    }
    return outcome.kind;
  },
);

export const checkpointProperties: readonly Property[] = [roundTrips, damagedFiles, checkpoints];
