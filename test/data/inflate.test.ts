import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { constants, gzipSync } from 'node:zlib';
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
const path = join(directory, 'file');
const file = (bytes: Uint8Array): string => writeFile(directory, 'file', bytes);

const images = countingImages([2, 3, 4]);
const compressed = gzipSync(images);
const AGAIN = 'Fetch or copy the file again.';

test('a gzip file cut anywhere is refused', () => {
  fc.assert(
    fc.property(randomImages, fc.nat(), ({ sizes, pixels }, position) => {
      const bytes = gzipSync(idxBytes(sizes, pixels));
      assert.throws(() => readIdxImages(file(bytes.subarray(0, position % bytes.length))), UsageError);
    }),
  );
});

test('a gzip file with any bit flipped is refused or gives the same images', () => {
  const intact = readIdxImages(file(compressed));
  const harmless: number[] = [];
  for (let bit = 0; bit < compressed.length * 8; bit++) {
    file(withBitFlipped(compressed, bit));
    try {
      assert.deepEqual(readIdxImages(path), intact);
      harmless.push(bit);
    } catch (error) {
      assert.ok(error instanceof UsageError, `bit ${bit}: ${String(error)}`);
    }
  }
  // RFC 1952: the text flag, the time (bytes 4 to 7), the extra flags and the system (8, 9) say nothing of
  // the data.
  const unread = [3 * 8, ...Array.from({ length: 6 * 8 }, (_, i) => 4 * 8 + i)];
  // RFC 1951: bits that fill up the last byte before the checksum and the length, four bytes each.
  const lastByte = compressed.length - 9;
  assert.deepEqual(
    harmless.filter((bit) => bit >> 3 !== lastByte),
    unread,
  );
});

test('several gzip members are one file', () => {
  const members = [images.subarray(0, 9), images.subarray(9, 30), images.subarray(30)];
  const { pixels } = readIdxImages(file(Buffer.concat(members.map((member) => gzipSync(member)))));
  assert.deepEqual(Buffer.from(pixels), images.subarray(16));
});

test('a long file name in the gzip header does not hide the data', () => {
  const named = withFileName(compressed, 50_000);
  assert.deepEqual(readIdxImages(file(named)), readIdxImages(file(compressed)));
});

test('a gzip header without end is refused', () => {
  assertRefused(
    () => readIdxImages(file(withFileName(compressed, 200_000))),
    `${path}: found only 0 bytes of data in the first 131072 bytes of gzip, expected 20. Compress the file again.`,
  );
});

test('a truncated gzip file says how many bytes are missing', () => {
  // Stored, not compressed, so that every byte cut is a byte of the data: 10 of header, 5 of block header.
  const stored = gzipSync(images, { level: constants.Z_NO_COMPRESSION });
  assertRefused(
    () => readIdxImages(file(stored.subarray(0, 10 + 5 + 31))),
    `${path}: at byte 31 of the inflated data, found the end, expected 40 bytes ` +
      `(a header and 2 x 3 x 4 elements): 9 missing. ${AGAIN}`,
  );
});

test('a gzip file cut in its checksum is refused', () => {
  const end = compressed.length - 3;
  assertRefused(
    () => readIdxImages(file(compressed.subarray(0, end))),
    `${path}: at byte ${end} of the gzip data, found the end, expected the checksum that closes them. ${AGAIN}`,
  );
});

test('a gzip file with more than its header says is refused, also where its checksum is cut off', () => {
  const labels = gzipSync(Buffer.concat([idxBytes([9], new Uint8Array(9)), Buffer.alloc(10)]));
  assertRefused(
    () => readIdxLabels(file(labels.subarray(0, labels.length - 8))),
    `${path}: at byte 17 of the inflated data, found more bytes, expected the end. ` +
      `The header and the length of the data disagree. ${AGAIN}`,
  );
});

test('corrupt gzip data are refused with what zlib says', () => {
  const corrupt = withBitFlipped(compressed, (compressed.length - 8) * 8);
  assertRefused(
    () => readIdxImages(file(corrupt)),
    `${path}: corrupt gzip data within bytes 0 to ${compressed.length - 1}: ` +
      `found incorrect data check, expected an intact gzip file. ${AGAIN}`,
  );
});

test('bytes after the gzip data are refused', () => {
  assertRefused(
    () => readIdxImages(file(Buffer.concat([compressed, Buffer.from('more')]))),
    `${path}: corrupt gzip data within bytes 0 to ${compressed.length + 3}: ` +
      `found other bytes after the gzip data, expected an intact gzip file. ${AGAIN}`,
  );
});

test('zero bytes after the gzip data are refused, although zlib takes them for padding', () => {
  assertRefused(
    () => readIdxImages(file(Buffer.concat([compressed, Buffer.alloc(5)]))),
    `${path}: at byte ${compressed.length} of the gzip data, found 5 more, expected the end. ${AGAIN}`,
  );
});

test('a header that announces more than its gzip data can hold is refused', () => {
  const bytes = gzipSync(idxBytes([60000, 256, 256], new Uint8Array(10)));
  const most = bytes.length * 1032;
  assertRefused(
    () => readIdxImages(file(bytes)),
    `${path}: found ${bytes.length} bytes of gzip data, which inflate to at most ${most} bytes, expected the ` +
      `3932160016 bytes that the header inside announces: at least ${3932160016 - most} missing. ${AGAIN}`,
  );
});

test('a zip bomb is refused before it fills the memory', () => {
  const mebibyte = 2 ** 20;
  const zeros = gzipSync(Buffer.alloc(mebibyte));
  file(Buffer.concat([compressed, ...Array.from({ length: 1024 }, () => zeros)]));
  const before = process.resourceUsage().maxRSS;
  assertRefused(
    () => readIdxImages(path),
    `${path}: at byte 40 of the inflated data, found more bytes, expected the end. ` +
      `The header and the length of the data disagree. ${AGAIN}`,
  );
  // A GiB would come out. The head's search inflates 1 KiB at first, 1032 KiB at most.
  const grownMebibytes = (process.resourceUsage().maxRSS - before) / 1024;
  assert.ok(grownMebibytes < 128, `the process grew by ${grownMebibytes} MiB`);
});

/** RFC 1952: flag 8 announces a name, ended by a zero byte, after the ten fixed bytes. */
function withFileName(gzip: Uint8Array, length: number): Buffer {
  const header = Buffer.from(gzip.subarray(0, 10));
  header[3] = 8;
  return Buffer.concat([header, Buffer.alloc(length, 'n'), Buffer.of(0), gzip.subarray(10)]);
}
