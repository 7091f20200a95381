// The first images of MNIST as a data set of its own, so that an epoch ends after a few steps.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { idxBytes } from '../../build/test/data/idxFiles.js';
import { loadDataset } from '../../dist/index.js';

/** Images of a data set of MNIST's: training and test. */
export const EXCERPT = { train: 480, test: 100 };

/** Writes the images from number `first` on; returns the directory. @param counts of them. */
export function writeExcerpt(directory, first = 0, counts = EXCERPT) {
  const { train, test } = loadDataset();
  mkdirSync(directory, { recursive: true });
  for (const [name, split, count] of [
    ['train', train, counts.train],
    ['t10k', test, counts.test],
  ]) {
    const { height, width, pixels } = split;
    const size = height * width;
    const bytes = idxBytes([count, height, width], pixels.subarray(first * size, (first + count) * size));
    writeFileSync(join(directory, `${name}-images-idx3-ubyte`), bytes);
  }
  return directory;
}
