// Directories of IDX files, with something wrong in one of them.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type DataOption, loadDataset } from '#src/data/registry.js';
import type { Dataset, ImageSet } from '#src/data/source.js';
import { idxBytes } from '../data/idxFiles.js';
import { type ByteChange, byteChange, changedBytes, nastyNumber, nastyText } from './mutations.js';
import { outcomeOf, type Property, property } from './property.js';
import { workDirectory } from './workDirectory.js';

/** What a data set is written from. */
interface Source {
  readonly shape: readonly number[];
  readonly train: number;
  /** 0: no files of a test set. */
  readonly test: number;
  readonly labels: boolean;
  /** Which of the files are gzip: a bit each. */
  readonly gzip: number;
}

const source: fc.Arbitrary<Source> = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 2, maxLength: 3 }),
  train: fc.integer({ min: 2, max: 30 }),
  test: fc.nat({ max: 10 }),
  labels: fc.boolean(),
  gzip: fc.nat({ max: 15 }),
});

interface DataFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly gzip: boolean;
}

function filesOf({ shape, train, test, labels, gzip }: Source): DataFile[] {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const files: DataFile[] = [];
  for (const [set, count] of [
    ['train', train],
    ['t10k', test],
  ] as const) {
    if (count === 0) continue;
    const pixels = Uint8Array.from({ length: count * size }, (_, i) => (i * 37 + count) % 256);
    const rank = shape.length + 1;
    files.push({
      name: `${set}-images-idx${rank}-ubyte`,
      bytes: idxBytes([count, ...shape], pixels),
      gzip: false,
    });
    const classes = Uint8Array.from({ length: count }, (_, i) => i % 10);
    if (labels)
      files.push({ name: `${set}-labels-idx1-ubyte`, bytes: idxBytes([count], classes), gzip: false });
  }
  return files.map((file, i) =>
    (gzip >> i) & 1 ? { name: `${file.name}.gz`, bytes: gzipSync(file.bytes), gzip: true } : file,
  );
}

/** Changes before and after compression, of one of the files or of which files there are. */
type Change =
  | { readonly kind: 'bytes'; readonly file: number; readonly change: ByteChange }
  | { readonly kind: 'inside'; readonly file: number; readonly change: ByteChange }
  | { readonly kind: 'size'; readonly file: number; readonly axis: number; readonly size: number }
  | { readonly kind: 'remove'; readonly file: number }
  | { readonly kind: 'exchange'; readonly file: number; readonly other: number }
  | { readonly kind: 'directory'; readonly file: number }
  | { readonly kind: 'bomb'; readonly file: number; readonly megabytes: number }
  | { readonly kind: 'none' };

const file = fc.nat({ max: 3 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('bytes' as const), file, change: byteChange }),
  fc.record({ kind: fc.constant('inside' as const), file, change: byteChange }),
  fc.record({
    kind: fc.constant('size' as const),
    file,
    axis: fc.nat({ max: 3 }),
    size: fc.oneof(
      fc.nat({ max: 40 }),
      fc.constantFrom(0, 2 ** 16, 2 ** 16 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
    ),
  }),
  fc.record({ kind: fc.constant('remove' as const), file }),
  fc.record({ kind: fc.constant('exchange' as const), file, other: file }),
  fc.record({ kind: fc.constant('directory' as const), file }),
  fc.record({ kind: fc.constant('bomb' as const), file, megabytes: fc.integer({ min: 1, max: 8 }) }),
  fc.constant({ kind: 'none' as const }),
);

function changedFiles(
  files: readonly DataFile[],
  change: Change,
): (DataFile | { name: string; bytes: undefined })[] {
  if (change.kind === 'none') return [...files];
  const at = change.file % files.length;
  const chosen = files[at]!;
  const replaced = (bytes: Buffer) => files.with(at, { ...chosen, bytes });
  const inflated = () => (chosen.gzip ? gunzipSync(chosen.bytes) : chosen.bytes);
  const packed = (bytes: Buffer) => (chosen.gzip ? gzipSync(bytes) : bytes);
  switch (change.kind) {
    case 'bytes':
      return replaced(changedBytes(chosen.bytes, change.change));
    case 'inside':
      return replaced(packed(changedBytes(inflated(), change.change)));
    case 'size': {
      const bytes = Buffer.from(inflated());
      bytes.writeUInt32BE(change.size, 4 + 4 * (change.axis % bytes[3]!));
      return replaced(packed(bytes));
    }
    case 'remove':
      return files.toSpliced(at, 1);
    case 'exchange': {
      const other = change.other % files.length;
      return files
        .with(at, { ...files[other]!, name: chosen.name })
        .with(other, { ...chosen, name: files[other]!.name });
    }
    case 'directory':
      return files.map((each, i) => (i === at ? { name: each.name, bytes: undefined } : each));
    case 'bomb':
      return replaced(gzipSync(Buffer.concat([inflated(), Buffer.alloc(change.megabytes * 2 ** 20)])));
  }
}

const directory = join(workDirectory(), 'data');

const dataDirectories = property(
  'a data directory with one thing changed is read as it is, or refused',
  200,
  fc.record({ source, change }),
  async ({ source, change }) => {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    for (const { name, bytes } of changedFiles(filesOf(source), change)) {
      const path = join(directory, name);
      if (bytes === undefined) mkdirSync(path);
      else writeFileSync(path, bytes);
    }
    const outcome = await outcomeOf(() => loadDataset(directory), [directory]);
    if (change.kind === 'none') assert.equal(outcome.kind, 'accepted');
    if (outcome.kind === 'accepted') assertAsWritten(outcome.value, changedFiles(filesOf(source), change));
    return outcome.kind;
  },
);

/** What was read is in the files: the same count, shape and pixels, by the format's definition. */
function assertAsWritten(
  dataset: Dataset,
  files: readonly { readonly name: string; readonly bytes?: Uint8Array | undefined }[],
): void {
  const setOf = (kind: string) => {
    const found = files.find(({ name, bytes }) => bytes !== undefined && name.startsWith(kind));
    if (found?.bytes === undefined) return undefined;
    const { bytes } = found;
    return Buffer.from(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
  };
  const train = setOf('train-images') ?? setOf('t10k-images');
  assert.ok(train !== undefined);
  const read = dataset.testSplitOff ? joined(dataset.train, dataset.test) : dataset.train;
  assertImages(read, train);
  if (!dataset.testSplitOff) assertImages(dataset.test, setOf('t10k-images')!);
  const labels = setOf('train-labels');
  if (labels !== undefined) assert.deepEqual(Buffer.from(read.labels!), labels.subarray(8));
}

function joined(train: ImageSet, test: ImageSet): ImageSet {
  const labels = train.labels && test.labels ? { labels: Buffer.concat([train.labels, test.labels]) } : {};
  return {
    ...train,
    count: train.count + test.count,
    pixels: Buffer.concat([train.pixels, test.pixels]),
    ...labels,
  };
}

function assertImages({ count, height, width, channels, pixels }: ImageSet, bytes: Buffer): void {
  const rank = bytes[3]!;
  const sizes = Array.from({ length: rank }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  assert.deepEqual([count, height, width, channels], rank === 3 ? [...sizes, 1] : sizes);
  const elements = bytes.subarray(4 + 4 * rank);
  assert.equal(
    BigInt(elements.length),
    sizes.reduce((product, size) => product * BigInt(size), 1n),
  );
  assert.ok(elements.equals(pixels));
}

/** Things that are not what `images` or `height` should be, some of which look like it. */
const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  nastyNumber,
  nastyText,
  fc.constantFrom<unknown>(
    ...[
      null,
      undefined,
      true,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      10n,
      Symbol('x'),
      [],
      {},
      new Map(),
      new Date(0),
    ],
    ...[
      new Uint8Array(0),
      new Uint8Array(7),
      new Uint8ClampedArray(16),
      new Float32Array(16),
      new ArrayBuffer(16),
    ],
    ...[
      new DataView(new ArrayBuffer(16)),
      Buffer.alloc(32),
      new Uint8Array(new SharedArrayBuffer(32)),
      () => 1,
    ],
    ...[
      { [Symbol.toStringTag]: 'Uint8Array', length: 32 },
      { length: 32 },
      Object.create(null),
      new Uint16Array(32),
    ],
    ...[detached(), new Uint8Array(32).fill(9)],
  ),
);

function detached(): Uint8Array {
  const bytes = new Uint8Array(32);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

const KEYS = [
  'images',
  'height',
  'width',
  'channels',
  'labels',
  'testImages',
  'testLabels',
  'testCount',
  'name',
];

const arrays = property(
  'arrays with something else under one or two keys are taken as they are, or refused',
  2000,
  fc.record({
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 5 }),
    count: fc.integer({ min: 1, max: 12 }),
    changes: fc.array(fc.tuple(fc.oneof(fc.constantFrom(...KEYS), nastyText), nastyValue), { maxLength: 2 }),
  }),
  async ({ height, width, count, changes }) => {
    const images = Uint8Array.from({ length: count * height * width }, (_, i) => i);
    const data = { images, height, width, ...Object.fromEntries(changes) };
    const outcome = await outcomeOf(() => loadDataset(data as DataOption), ['data']);
    if (outcome.kind === 'accepted') {
      const { train, test } = outcome.value;
      for (const set of [train, test]) {
        assert.equal(set.pixels.length, set.count * set.height * set.width * set.channels);
        assert.ok(set.count > 0 && Object.prototype.toString.call(set.pixels) === '[object Uint8Array]');
        if (set.labels) assert.equal(set.labels.length, set.count);
      }
      const all = outcome.value.testSplitOff ? joined(train, test).pixels : train.pixels;
      assert.ok(Buffer.from(all).equals(Buffer.from(data.images)));
    }
    return outcome.kind;
  },
);

export const dataProperties: readonly Property[] = [dataDirectories, arrays];
