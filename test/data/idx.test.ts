import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readIdxImages, readIdxLabels } from '#src/data/idx.js';
import { UsageError } from '#src/errors.js';
import {
  assertRefused,
  countingImages,
  idxBytes,
  randomImages,
  temporaryDirectory,
  withBitFlipped,
  writeFile,
} from './idxFiles.js';

const directory = temporaryDirectory();
const file = (bytes: Uint8Array): string => writeFile(directory, 'file', bytes);

test('random images come back as they were written, plain and gzip', () => {
  fc.assert(
    fc.property(randomImages, fc.boolean(), ({ sizes, pixels }, compress) => {
      const bytes = idxBytes(sizes, pixels);
      const [count, height, width] = sizes;
      assert.deepEqual(readIdxImages(file(compress ? gzipSync(bytes) : bytes)), {
        count,
        height,
        width,
        channels: 1,
        pixels,
      });
    }),
  );
});

test('random images with channels come back as they were written, plain and gzip', () => {
  fc.assert(
    fc.property(
      randomImages,
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      ({ sizes, pixels }, channels, compress) => {
        const [count, height, width] = sizes;
        const values = Uint8Array.from(
          { length: pixels.length * channels },
          (_, i) => pixels[i % pixels.length]! + i,
        );
        const bytes = idxBytes([...sizes, channels], values);
        assert.deepEqual(readIdxImages(file(compress ? gzipSync(bytes) : bytes)), {
          count,
          height,
          width,
          channels,
          pixels: values,
        });
      },
    ),
  );
});

test('random labels come back as they were written, plain and gzip', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), (labels, compress) => {
      const bytes = idxBytes([labels.length], labels);
      assert.deepEqual(readIdxLabels(file(compress ? gzipSync(bytes) : bytes)), {
        count: labels.length,
        labels,
      });
    }),
  );
});

test('a plain file cut anywhere is refused', () => {
  fc.assert(
    fc.property(randomImages, fc.nat(), ({ sizes, pixels }, position) => {
      const bytes = idxBytes(sizes, pixels);
      const path = file(bytes.subarray(0, position % bytes.length));
      assert.throws(() => readIdxImages(path), UsageError);
    }),
  );
});

test('a plain file with any bit of its header flipped is refused', () => {
  fc.assert(
    fc.property(randomImages, fc.integer({ min: 0, max: 16 * 8 - 1 }), ({ sizes, pixels }, bit) => {
      const path = file(withBitFlipped(idxBytes(sizes, pixels), bit));
      assert.throws(() => readIdxImages(path), UsageError);
    }),
    { numRuns: 500 },
  );
});

const images = countingImages([2, 3, 4]);
const at = (text: string): string => `${join(directory, 'file')}: at byte ${text}`;
const AGAIN = 'Fetch or copy the file again.';

const defects: readonly { name: string; bytes: Uint8Array; message: string }[] = [
  {
    name: 'an empty file',
    bytes: Buffer.alloc(0),
    message: at(`0, found the end, expected a header of 16 bytes: 16 missing. ${AGAIN}`),
  },
  {
    name: 'a truncated header',
    bytes: images.subarray(0, 13),
    message: at(`13, found the end, expected a header of 16 bytes: 3 missing. ${AGAIN}`),
  },
  {
    name: 'a wrong magic',
    bytes: Buffer.from('<!DOCTYPE html><html>'),
    message: at(
      '0, found the bytes 3c 21, expected 00 00, the start of every IDX file. Check that this is an IDX file.',
    ),
  },
  {
    name: 'another element type',
    bytes: idxBytes([1, 1, 1], new Uint8Array(4), 0x0d),
    message: at(
      '2, found element type 0d (float32), expected 08 (unsigned byte). Convert the elements to bytes.',
    ),
  },
  {
    name: 'an element type that IDX does not have',
    bytes: idxBytes([1, 1, 1], new Uint8Array(1), 0x0a),
    message: at(
      '2, found element type 0a (unknown to IDX), expected 08 (unsigned byte). Convert the elements to bytes.',
    ),
  },
  {
    name: 'labels in place of images',
    bytes: idxBytes([2], new Uint8Array(2)),
    message: at(
      '3, found 1 as the number of dimensions, expected 3 (count, height, width) or 4 (count, height, width, channels). ' +
        'Images have 3 dimensions, or 4 with channels; labels have 1: check that the two files are not mixed up.',
    ),
  },
  {
    name: 'no images',
    bytes: idxBytes([0, 3, 4], new Uint8Array(0)),
    message: at('4, found a count of 0, expected at least 1. An empty set cannot be used.'),
  },
  {
    name: 'images without height',
    bytes: idxBytes([2, 0, 4], new Uint8Array(0)),
    message: at('8, found a height of 0, expected at least 1. An empty set cannot be used.'),
  },
  {
    name: 'images without width',
    bytes: idxBytes([2, 3, 0], new Uint8Array(0)),
    message: at('12, found a width of 0, expected at least 1. An empty set cannot be used.'),
  },
  {
    name: 'images without channels',
    bytes: idxBytes([2, 3, 4, 0], new Uint8Array(0)),
    message: at('16, found 0 channels, expected at least 1. An empty set cannot be used.'),
  },
  {
    name: 'a header truncated before the channels',
    bytes: idxBytes([2, 3, 4, 3], new Uint8Array(0)).subarray(0, 18),
    message: at(`18, found the end, expected a header of 20 bytes: 2 missing. ${AGAIN}`),
  },
  {
    name: 'five dimensions',
    bytes: idxBytes([1, 1, 1, 1, 1], new Uint8Array(1)),
    message: at(
      '3, found 5 as the number of dimensions, expected 3 (count, height, width) or 4 (count, height, width, channels). ' +
        'Images have 3 dimensions, or 4 with channels; labels have 1: check that the two files are not mixed up.',
    ),
  },
  {
    name: 'a truncated body of colour images',
    bytes: idxBytes([2, 3, 4, 3], new Uint8Array(71)),
    message: at(
      `91, found the end, expected 92 bytes (a header and 2 x 3 x 4 x 3 elements): 1 missing. ${AGAIN}`,
    ),
  },
  {
    name: 'sizes whose product overflows',
    bytes: idxBytes([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], new Uint8Array(1)),
    message: at(
      '4, found sizes of 4294967295 x 4294967295 x 4294967295, expected a product of at most 4294967279. Split the set, ' +
        'or train on it with --shard-data (docs/cluster.md).',
    ),
  },
  {
    // 2^20 * 2^10 * 2^2 = 2^32, which is 0 in 32 bits.
    name: 'sizes whose product is zero modulo 2^32',
    bytes: idxBytes([2 ** 20, 2 ** 10, 4], new Uint8Array(0)),
    message: at(
      '4, found sizes of 1048576 x 1024 x 4, expected a product of at most 4294967279. Split the set, ' +
        'or train on it with --shard-data (docs/cluster.md).',
    ),
  },
  {
    name: 'a truncated body',
    bytes: images.subarray(0, 35),
    message: at(
      `35, found the end, expected 40 bytes (a header and 2 x 3 x 4 elements): 5 missing. ${AGAIN}`,
    ),
  },
  {
    name: 'large sizes in a small file',
    bytes: idxBytes([60000, 256, 256], new Uint8Array(10)),
    message: at(
      `26, found the end, expected 3932160016 bytes (a header and 60000 x 256 x 256 elements): 3932159990 missing. ${AGAIN}`,
    ),
  },
  {
    name: 'trailing bytes',
    bytes: Buffer.concat([images, Buffer.alloc(7)]),
    message: at(
      `40, found 7 more, expected the end. The header and the length of the data disagree. ${AGAIN}`,
    ),
  },
];

for (const { name, bytes, message } of defects) {
  test(`refused with its place: ${name}`, () => {
    assertRefused(() => readIdxImages(file(bytes)), message);
  });
  // As gzip it is refused sooner, with another sentence: see inflate.test.ts.
  if (name === 'large sizes in a small file') continue;
  test(`refused with its place in the inflated data: ${name}`, () => {
    // zlib stops at the expected length, so how much follows is not known.
    const inflated = message
      .replace(/at byte \d+/, '$& of the inflated data')
      .replace('found 7 more', 'found more bytes');
    assertRefused(() => readIdxImages(file(gzipSync(bytes))), inflated);
  });
}

test('images in place of labels are refused', () => {
  assertRefused(
    () => readIdxLabels(file(images)),
    at(
      '3, found 3 as the number of dimensions, expected 1 (count). ' +
        'Images have 3 dimensions, or 4 with channels; labels have 1: check that the two files are not mixed up.',
    ),
  );
});

test('a missing file is refused', () => {
  const path = join(directory, 'nowhere');
  assertRefused(() => readIdxImages(path), `${path}: there is no such file or directory. Check the path.`);
});

test('a path through a file is refused', () => {
  const path = join(file(images), 'inside');
  assertRefused(
    () => readIdxImages(path),
    `${path}: a part of this path is not a directory. Check the path.`,
  );
});

test('a directory in place of a file is refused', () => {
  const path = join(directory, 'a-directory');
  mkdirSync(path);
  assertRefused(
    () => readIdxImages(path),
    `${path}: found a directory, expected a file. Give the path of the file itself.`,
  );
});

const onWindows = process.platform === 'win32';

test('a device in place of a file is refused', { skip: onWindows && 'Windows has no /dev/null' }, () => {
  assertRefused(
    () => readIdxImages('/dev/null'),
    '/dev/null: found a pipe or a device, expected a file. Give the path of the file itself.',
  );
});

test('a file without permission is refused', { skip: onWindows && 'Windows has no file modes' }, () => {
  const path = writeFile(directory, 'secret', images);
  chmodSync(directory, 0o755);
  chmodSync(path, 0);
  assertRefused(
    () => asOrdinaryUser(() => readIdxImages(path)),
    `${path}: no permission to read it. Change its permissions or run as a user who may read it.`,
  );
});

/** Modes do not stop the superuser, so one who runs the tests steps down for the call. */
function asOrdinaryUser<T>(act: () => T): T {
  if (process.geteuid?.() !== 0 || process.seteuid === undefined) return act();
  process.seteuid(65534);
  try {
    return act();
  } finally {
    process.seteuid(0);
  }
}
