// Training images that stay in their file: which are read, and what is refused.
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { firstImages } from '#src/data/excerpt.js';
import { loadDataset, loadRunData, loadTestData } from '#src/data/registry.js';
import type { StoredImages } from '#src/data/source.js';
import { isStored, readChosen } from '#src/data/storedImages.js';
import { assertRefused, countingImages, idxBytes, temporaryDirectory, writeFile } from './idxFiles.js';

/** Images of `size` bytes that know their number, and what was read of them. */
function numbered(count: number, size: number): StoredImages & { readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  const read = (first: number, many: number) => {
    assert.ok(first >= 0 && many > 0 && first + many <= count);
    reads.push([first, many]);
    const bytes = new Uint8Array(many * size);
    for (let i = 0; i < many; i++) bytes.fill(first + i, i * size, (i + 1) * size);
    return bytes;
  };
  return { count, height: 1, width: size, channels: 1, read, reads };
}

test('images go to their slots, whichever are chosen and whatever their size', () => {
  fc.assert(
    fc.property(
      // Several gaps of an image in a read, none, and images that are larger than a read is.
      fc.constantFrom(1, 784, 10_000, 2 ** 22 + 1),
      fc.uniqueArray(fc.nat({ max: 11 })),
      (size, chosen) => {
        const images = numbered(12, size);
        const slots = new Int32Array(12).fill(-1);
        chosen.forEach((image, slot) => {
          slots[image] = slot;
        });
        const pixels = new Uint8Array(chosen.length * size).fill(99);
        readChosen(images, slots, pixels);
        chosen.forEach((image, slot) => {
          const own = pixels.subarray(slot * size, (slot + 1) * size);
          assert.ok(own.every((byte) => byte === image));
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('the file is read forwards, in pieces of 4 MiB, and wide gaps are left out', () => {
  const images = numbered(30_000, 784);
  const slots = new Int32Array(30_000).fill(-1);
  const wanted = [7, 9, 8, 200, 29_999, ...Array.from({ length: 6000 }, (_, i) => 1000 + i)];
  wanted.forEach((image, slot) => {
    slots[image] = slot;
  });
  readChosen(images, slots, new Uint8Array(wanted.length * 784));
  // 2 ** 22 bytes are 5349 images.
  assert.deepEqual(images.reads, [
    [7, 3],
    [200, 1],
    [1000, 5349],
    [6349, 651],
    [29_999, 1],
  ]);
});

test('a file beyond 4 GiB is opened, and images are read at its end', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'train-images-idx3-ubyte');
  const [count, side] = [70_000, 256];
  const file = openSync(path, 'w');
  writeSync(file, idxBytes([count, side, side], new Uint8Array(0)));
  // Nothing is written of what lies between: the file takes no room.
  ftruncateSync(file, 16 + count * side * side);
  writeSync(file, Uint8Array.of(77), 0, 1, 16 + count * side * side - 1);
  closeSync(file);
  writeFile(directory, 't10k-images-idx3-ubyte', idxBytes([1, side, side], new Uint8Array(side * side)));
  const { train, test: tested } = loadRunData(directory, true);
  assert.ok(isStored(train));
  assert.deepEqual([train.count, tested.count], [count, 1]);
  assert.deepEqual(loadTestData(directory).test, tested);
  const last = train.read(count - 1, 1);
  assert.deepEqual([last.length, last.at(-2), last.at(-1)], [side * side, 0, 77]);
  assertRefused(
    () => loadDataset(directory),
    `${path}: at byte 4, found sizes of 70000 x 256 x 256, expected a product of at most 4294967279. Split the set, or ` +
      'train on it with --shard-data (docs/cluster.md).',
  );
});

test('compressed training images are refused, compressed test images are read', () => {
  const directory = temporaryDirectory();
  const [images, others] = [countingImages([5, 2, 3]), countingImages([2, 2, 3])];
  const path = writeFile(directory, 'train-images-idx3-ubyte.gz', gzipSync(images));
  writeFile(directory, 't10k-images-idx3-ubyte.gz', gzipSync(others));
  assertRefused(
    () => loadRunData(directory, true),
    `${path}: found gzip data, expected a plain file, because --shard-data reads single images, which compressed data do ` +
      'not allow. Decompress it (gunzip), or leave --shard-data out.',
  );
  const whole = loadDataset(directory);
  // Work on the test images alone needs no shards.
  assert.deepEqual(loadTestData(directory), whole);
  writeFile(directory, 'train-images-idx3-ubyte', images);
  const stored = loadTestData(directory);
  assert.ok(isStored(stored.train));
  assert.deepEqual(stored.test, whole.test);
  for (const train of [stored.train, whole.train]) {
    assert.deepEqual([...firstImages(train, 2).pixels], [...images.subarray(16, 16 + 12)]);
  }
});

test('a file that changes while a run reads it is refused', () => {
  const directory = temporaryDirectory();
  const path = writeFile(directory, 'faces-idx3-ubyte', countingImages([20, 2, 3]));
  const { train } = loadRunData(directory, true);
  assert.ok(isStored(train));
  train.read(0, 1);
  utimesSync(path, 1, 1);
  assertRefused(
    () => train.read(0, 1),
    `${path}: found a file that has changed since the run has begun, expected the same images in every epoch. Leave it ` +
      'as it is while a run with --shard-data reads it.',
  );
});

test('what the headers tell is refused as ever', () => {
  const directory = temporaryDirectory();
  const refused = (message: string) => assertRefused(() => loadRunData(directory, true), message);
  const images = writeFile(directory, 'train-images-idx3-ubyte', countingImages([1, 2, 3]));
  refused(
    `${images}: found 1 image and no test set, expected at least 2 images, because the last become the test set. Add ` +
      'images, or a test set (t10k-images-idx3-ubyte).',
  );
  const tests = writeFile(directory, 't10k-images-idx3-ubyte', countingImages([2, 3, 2]));
  refused(
    `${tests}: found test images of 3 x 2 pixels, expected 2 x 3 pixels as in ${images}. Use files of one data set.`,
  );
  const labels = writeFile(directory, 'train-labels-idx1-ubyte', idxBytes([4], new Uint8Array(4)));
  refused(
    `${labels}: found 4 labels, expected 1, one for each image of ${images}. Use files of one data set.`,
  );
  writeFile(directory, 'train-images-idx3-ubyte', countingImages([4, 2, 3]).subarray(0, 30));
  refused(
    `${images}: at byte 30, found the end, expected 40 bytes (a header and 4 x 2 x 3 elements): 10 missing. Fetch or copy ` +
      'the file again.',
  );
});
