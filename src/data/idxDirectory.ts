import { type Dirent, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import {
  type IdxShape,
  LARGEST_FILE,
  openIdxImages,
  readIdxImages,
  readIdxLabelCount,
  readIdxLabels,
  readIdxShape,
} from './idx.js';
import { pathError } from './inputFile.js';
import type { DataSource, Dataset, ImageSet, RunData, StoredImages } from './source.js';
import { imageBytes } from './storedImages.js';
import { defaultTestCount, FEWEST_TO_SPLIT, splitOffTestSet } from './testSplit.js';

/**
 * The IDX files in a directory. The data set is named after it.
 *
 * The files have MNIST's names: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same with
 * `t10k` for the test set. Images with channels may have `idx4` in their name; the header alone decides what
 * a file holds. A dot may stand for the second hyphen, and `.gz` may follow. Where several of these names are
 * there, `idx3` goes before `idx4`, a plain file before a `.gz` one and the hyphen before the dot. The files
 * of labels may be absent.
 *
 * Where there are no files of a test set, it is split off the training images. These may then have any name
 * of the form `<name>-idx3-ubyte`, if theirs is the one file of images.
 */
export const idxDirectory: DataSource<string> = {
  expects: 'the path of a directory of IDX files',
  takes: (data): data is string => typeof data === 'string' && data !== '' && !data.includes('\0'),
  open: (directory) => ({ ...readIdxDirectory(directory), name: nameOf(directory) }),
  openStored: (directory) => ({ ...openIdxDirectory(directory), name: nameOf(directory) }),
};

function nameOf(directory: string): string {
  return basename(resolve(directory)) || directory;
}

const KINDS = {
  'train-images': { description: 'training images', ranks: [3, 4] },
  'train-labels': { description: 'training labels', ranks: [1] },
  't10k-images': { description: 'test images', ranks: [3, 4] },
  't10k-labels': { description: 'test labels', ranks: [1] },
} as const;

type Kind = keyof typeof KINDS;

/**
 * All but the name.
 * @throws UsageError if images are missing, if a file is defective, if labels and images differ in number, or
 * if training and test images differ in shape.
 */
export function readIdxDirectory(directory: string): Omit<Dataset, 'name'> {
  const paths = locateFiles(directory);
  // All headers first: files that do not fit each other may have gigabytes.
  checkHeaders(paths, directory);
  const train = readImageSet(paths['train-images'], paths['train-labels']);
  if (paths['t10k-images'] === undefined) return { ...splitOffTestSet(train), testSplitOff: true };
  const test = readImageSet(paths['t10k-images'], paths['t10k-labels']);
  requireSameShape(paths, train, test);
  return { train, test };
}

/**
 * The same without the training images, which are read when they are asked for.
 * @throws UsageError as readIdxDirectory does, and where the training images are compressed.
 */
export function openIdxDirectory(directory: string): Omit<RunData, 'name'> {
  const paths = locateFiles(directory);
  const [images, labels, testImages] = [paths['train-images'], paths['train-labels'], paths['t10k-images']];
  const train = openIdxImages(images);
  if (labels !== undefined) requireSameCount(labels, readIdxLabelCount(labels), images, train.count);
  if (testImages === undefined) {
    requireTwo(images, train.count);
    return { ...splitOffStored(train, directory, labels), testSplitOff: true };
  }
  const test = readShape(testImages, paths['t10k-labels']);
  requireSameShape(paths, train, test);
  requireFit(directory, 'test images', sizeOf(test));
  return { train, test: readImageSet(testImages, paths['t10k-labels']) };
}

/** As splitOffTestSet does; the test images are read. */
function splitOffStored(
  images: StoredImages,
  directory: string,
  labelPath: string | undefined,
): Pick<RunData, 'train' | 'test'> {
  const count = defaultTestCount(images.count);
  const border = images.count - count;
  const { height, width, channels } = images;
  requireFit(directory, 'test images', count * imageBytes(images));
  const pixels = images.read(border, count);
  const labels = labelPath === undefined ? {} : { labels: readIdxLabels(labelPath).labels.subarray(border) };
  return { train: { ...images, count: border }, test: { count, height, width, channels, pixels, ...labels } };
}

/** Reads headers and lengths of files alone. */
function checkHeaders(paths: Paths, directory: string): void {
  const train = readShape(paths['train-images'], paths['train-labels']);
  let bytes = sizeOf(train);
  if (paths['t10k-images'] === undefined) requireTwo(paths['train-images'], train.count);
  else {
    const test = readShape(paths['t10k-images'], paths['t10k-labels']);
    requireSameShape(paths, train, test);
    bytes += sizeOf(test);
  }
  requireFit(
    directory,
    'training and test images',
    bytes,
    ', or train on them with --shard-data (docs/cluster.md)',
  );
}

function requireFit(directory: string, what: string, bytes: number, advice = ''): void {
  if (bytes <= LARGEST_FILE) return;
  throw new UsageError(
    `${directory}: found ${what} of ${bytes} bytes in all, expected at most ${LARGEST_FILE}, because a run ` +
      `has 4 GiB of memory. Use fewer images${advice}.`,
  );
}

function sizeOf(shape: IdxShape): number {
  return shape.count * imageBytes(shape);
}

function requireSameShape(paths: Paths, train: IdxShape, test: IdxShape): void {
  if (shapeText(train) === shapeText(test)) return;
  throw new UsageError(
    `${paths['t10k-images']}: found test images of ${shapeText(test)}, expected ${shapeText(train)} as in ` +
      `${paths['train-images']}. Use files of one data set.`,
  );
}

function requireTwo(path: string, count: number): void {
  if (count >= FEWEST_TO_SPLIT) return;
  throw new UsageError(
    `${path}: found 1 image and no test set, expected at least ${FEWEST_TO_SPLIT} images, because the last become the ` +
      'test set. Add images, or a test set (t10k-images-idx3-ubyte).',
  );
}

function shapeText({ height, width, channels }: IdxShape): string {
  return `${height} x ${width} pixels${channels === 1 ? '' : ` of ${channels} channels`}`;
}

function readShape(imagePath: string, labelPath: string | undefined): IdxShape {
  if (labelPath === undefined) return readIdxShape(imagePath);
  // Labels first: a wrong file is likelier among them.
  const count = readIdxLabelCount(labelPath);
  const shape = readIdxShape(imagePath);
  requireSameCount(labelPath, count, imagePath, shape.count);
  return shape;
}

/** Counts are compared again: the files may have changed since their headers were read. */
function readImageSet(imagePath: string, labelPath: string | undefined): ImageSet {
  if (labelPath === undefined) return readIdxImages(imagePath);
  const { count, labels } = readIdxLabels(labelPath);
  const images = readIdxImages(imagePath);
  requireSameCount(labelPath, count, imagePath, images.count);
  return { ...images, labels };
}

function requireSameCount(labelPath: string, labels: number, imagePath: string, images: number): void {
  if (labels === images) return;
  throw new UsageError(
    `${labelPath}: found ${labels} labels, expected ${images}, one for each image of ${imagePath}. ` +
      'Use files of one data set.',
  );
}

interface Paths {
  readonly 'train-images': string;
  readonly 'train-labels': string | undefined;
  /** Absent where the directory has no test set. */
  readonly 't10k-images': string | undefined;
  readonly 't10k-labels': string | undefined;
}

/** @throws UsageError naming every file of images that is missing, with the names looked for. */
function locateFiles(directory: string): Paths {
  const entries = listDirectory(directory);
  const locate = (kind: Kind): string | undefined => {
    const found = fileNames(kind)
      .map((name) => entries.get(name))
      .filter((entry) => entry !== undefined);
    // Some unpackers make a directory of the same name beside the file.
    const entry = found.find((candidate) => !candidate.isDirectory()) ?? found[0];
    return entry && join(directory, entry.name);
  };
  const found = {
    'train-images': locate('train-images'),
    'train-labels': locate('train-labels'),
    't10k-images': locate('t10k-images'),
    't10k-labels': locate('t10k-labels'),
  };
  const { 'train-images': train = onlyImages(directory, entries), 't10k-images': test } = found;
  const missing: Kind[] = [];
  if (train === undefined) missing.push('train-images');
  // Labels without their images: a part of the download is missing. Without either there is no test set.
  if (test === undefined && (train === undefined || found['t10k-labels'] !== undefined))
    missing.push('t10k-images');
  if (train === undefined || missing.length > 0) throw noImages(directory, missing);
  return { ...found, 'train-images': train };
}

/** The one file of images of whatever name: several may be parts, or other sets, and are not guessed at. */
function onlyImages(directory: string, entries: ReadonlyMap<string, Dirent>): string | undefined {
  const [name, ...others] = [...entries.keys()].filter((entry) => /[-.]idx[34]-ubyte(\.gz)?$/.test(entry));
  const isTest = name !== undefined && fileNames('t10k-images').includes(name);
  return name === undefined || others.length > 0 || isTest ? undefined : join(directory, name);
}

function noImages(directory: string, kinds: readonly Kind[]): UsageError {
  const missing = kinds.map(
    (kind) => `${KINDS[kind].description} (looked for ${fileNames(kind).join(', ')})`,
  );
  return new UsageError(
    `${directory}: found no ${missing.join(', no ')}. Put these IDX files there, plain or gzip; labels may be left out.`,
  );
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
