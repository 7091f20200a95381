// What the caller's arrays must be, refusal by refusal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { loadDataset } from '#src/data/registry.js';
import { assertRefused } from './idxFiles.js';

const images = Uint8Array.from({ length: 5 * 2 * 3 }, (_, i) => i);
const good = { images, height: 2, width: 3 };
const bytes = 'expected a Uint8Array of bytes from 0 (black) to 255 (white)';
const positive = 'expected a positive integer';

const refusals: readonly (readonly [what: string, data: object, message: string])[] = [
  ['floats', { ...good, images: new Float32Array(30) }, `data.images is a Float32Array, ${bytes}`],
  ['signed bytes', { ...good, images: new Int8Array(30) }, `data.images is an Int8Array, ${bytes}`],
  ['a bare buffer', { ...good, images: new ArrayBuffer(30) }, `data.images is an ArrayBuffer, ${bytes}`],
  ['a list', { ...good, images: [...images] }, `data.images is a list, ${bytes}`],
  ['a path', { ...good, images: 'faces.npy' }, `data.images is "faces.npy", ${bytes}`],
  ['no height', { images, width: 3 }, `data.height is missing, ${positive}`],
  ['a fraction', { ...good, width: 1.5 }, `data.width is 1.5, ${positive}`],
  ['a size as a text', { ...good, height: '2' }, `data.height is "2", ${positive}`],
  ['no channel', { ...good, channels: 0 }, `data.channels is 0, ${positive}`],
  [
    'a part of an image',
    { ...good, images: images.subarray(1) },
    'data.images has 29 bytes, expected a multiple of 6, which an image of 2 x 3 x 1 (height, width, channels) has',
  ],
  [
    'no image',
    { ...good, images: new Uint8Array(0) },
    'data.images has 0 bytes, expected a multiple of 6, which an image of 2 x 3 x 1 (height, width, channels) has',
  ],
  [
    'sizes whose product no number holds',
    { images, height: 2 ** 52, width: 2 ** 52, channels: 2 ** 52 },
    `data.images has 30 bytes, expected a multiple of ${2 ** 156}, which an image of ${2 ** 52} x ${2 ** 52} x ${2 ** 52} ` +
      '(height, width, channels) has',
  ],
  ['labels as a list', { ...good, labels: [1, 2, 3, 4, 5] }, 'data.labels is a list, expected a Uint8Array'],
  [
    'too few labels',
    { ...good, labels: new Uint8Array(4) },
    'data.labels has 4 bytes, expected 5, one for each of images',
  ],
  [
    'test images of another size',
    { ...good, testImages: new Uint8Array(8) },
    'data.testImages has 8 bytes, expected a multiple of 6, which an image of 2 x 3 x 1 (height, width, channels) has',
  ],
  [
    'too many test labels',
    { ...good, testImages: new Uint8Array(6), testLabels: new Uint8Array(2) },
    'data.testLabels has 2 bytes, expected 1, one for each of testImages',
  ],
  [
    'test labels without images',
    { ...good, testLabels: new Uint8Array(1) },
    'data.testLabels has no images: give testImages, too',
  ],
  [
    'a test set twice',
    { ...good, testImages: new Uint8Array(6), testCount: 1 },
    'data.testCount says how many images to split off, but there are testImages: give one of the two',
  ],
  [
    'no image left to train on',
    { ...good, testCount: 5 },
    'data.testCount is 5, expected at most 4, because there are 5 images',
  ],
  [
    'one image',
    { ...good, images: new Uint8Array(6) },
    'data.images has 1 image, expected at least 2, because the last become the test set: give more, or testImages',
  ],
  ['an empty name', { ...good, name: '' }, 'data.name is "", expected a text that is not empty'],
  [
    'a key misspelt',
    { ...good, label: images },
    'data has an unknown key "label" (did you mean "labels"?); keys are images, height, width, channels, labels, ' +
      'testImages, testLabels, testCount, name',
  ],
];

for (const [what, data, message] of refusals) {
  test(`refused: ${what}`, () => {
    assertRefused(() => loadDataset(data as never), `loadDataset(): ${message}.`);
  });
}

test('the arrays are read where they stand, and a key that is undefined is absent', () => {
  const { train, test } = loadDataset({
    ...good,
    testCount: 2,
    channels: undefined,
    labels: undefined,
  } as never);
  assert.deepEqual([train.count, test.count, 'labels' in train], [3, 2, false]);
  assert.equal(train.pixels.buffer, images.buffer);
  assert.equal(test.pixels[0], 18);
});

test('bytes of another realm are taken', () => {
  const foreign = runInNewContext('new Uint8Array(30)') as Uint8Array;
  assert.ok(!(foreign instanceof Uint8Array));
  assert.equal(loadDataset({ ...good, images: foreign }).train.count, 4);
});
