// What every source of images keeps, whatever `data` is for it: run by a test file of each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetFingerprint } from '#src/data/fingerprint.js';
import { checkData, type DataOption, loadDataset, loadRunData } from '#src/data/registry.js';
import type { Dataset, ImageSet } from '#src/data/source.js';
import { imagePieces, isStored } from '#src/data/storedImages.js';

export interface SourceCase {
  readonly title: string;
  /** Made anew at each call. */
  readonly data: () => DataOption | undefined;
  /** The SHA-256 of the IDX file of the training images, by sha256sum or the like. */
  readonly fingerprint: string;
  readonly name: string;
  readonly trainCount: number;
  readonly testCount: number;
  /** [height, width, channels] */
  readonly shape: readonly [number, number, number];
  /** Whether the sets have labels. */
  readonly labels: boolean;
  readonly testSplitOff: boolean;
}

export function testSource(expected: SourceCase): void {
  const open = (): Dataset => loadDataset(expected.data());

  test(`${expected.title}: sets of the stated size, with whole images and a label each or none`, () => {
    const { name, train, test, testSplitOff = false } = open();
    assert.equal(name, expected.name);
    assert.equal(testSplitOff, expected.testSplitOff);
    assertSet(train, expected.trainCount);
    assertSet(test, expected.testCount);
  });

  test(`${expected.title}: the fingerprint is that of the training images' IDX file`, () => {
    assert.equal(datasetFingerprint(open()), expected.fingerprint);
  });

  test(`${expected.title}: opened twice, it has the same bytes`, () => {
    const [first, second] = [open(), open()];
    for (const set of ['train', 'test'] as const) {
      assert.equal(Buffer.compare(first[set].pixels, second[set].pixels), 0);
      assert.deepEqual(first[set].labels, second[set].labels);
    }
  });

  test(`${expected.title}: images that stay where they are stored are the same ones`, () => {
    const { train: whole, ...rest } = open();
    const { train, ...restStored } = loadRunData(expected.data(), true);
    assert.deepEqual(restStored, rest);
    assert.ok(isStored(train));
    assert.deepEqual(Object.keys(train).sort(), ['channels', 'count', 'height', 'read', 'width']);
    assert.equal(datasetFingerprint({ train }), expected.fingerprint);
    assert.equal(Buffer.compare(Buffer.concat([...imagePieces(train)]), whole.pixels), 0);
    const size = whole.pixels.length / whole.count;
    const [first, end] = [Math.floor(train.count / 3), train.count - 1];
    const some = whole.pixels.subarray(first * size, end * size);
    assert.equal(Buffer.compare(train.read(first, end - first), some), 0);
  });

  test(`${expected.title}: the check before the run has nothing to object`, () => {
    checkData(expected.data(), (key, rest) => assert.fail(`${key} ${rest}`));
  });

  function assertSet(set: ImageSet, count: number): void {
    const { height, width, channels, pixels, labels } = set;
    assert.equal(set.count, count);
    assert.deepEqual([height, width, channels], expected.shape);
    assert.equal(Object.prototype.toString.call(pixels), '[object Uint8Array]');
    assert.equal(pixels.length, count * height * width * channels);
    assert.equal(labels?.length, expected.labels ? count : undefined);
  }
}
