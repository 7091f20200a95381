import { isAnyArrayBuffer, isUint8Array } from 'node:util/types';
import { nearestName } from '../nearestName.js';
import type { DataSource, ImageSet, Refuse } from './source.js';
import { defaultTestCount, FEWEST_TO_SPLIT, splitOffTestSet } from './testSplit.js';

/**
 * Images in memory. They are read where they stand: leave them unchanged until the call that takes them is
 * done.
 */
export interface ImageArrays {
  /** [n, height, width, channels], row-major, 0 black to 255 white. */
  readonly images: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** 1 for grey images, 3 for colour (red, green, blue); default 1. */
  readonly channels?: number;
  /** [n]; training needs none. */
  readonly labels?: Uint8Array;
  /**
   * The test set, images of the same shape; default: the last `testCount` of `images`, which then are not
   * trained on.
   */
  readonly testImages?: Uint8Array;
  /** One for each of `testImages`. */
  readonly testLabels?: Uint8Array;
  /** How many of `images` are split off their end; default: a tenth, rounded down, but at least one. */
  readonly testCount?: number;
  /** What people read; default `arrays`. */
  readonly name?: string;
}

const BYTES = 'a Uint8Array';
const IMAGES = 'a Uint8Array of bytes from 0 (black) to 255 (white)';

/** Every key, with its check; `undefined` counts as absent. */
const KEYS: {
  readonly [K in keyof ImageArrays]-?: readonly [expected: string, fits: (value: unknown) => boolean];
} = {
  images: [IMAGES, isUint8Array],
  height: ['a positive integer', isPositiveInteger],
  width: ['a positive integer', isPositiveInteger],
  channels: ['a positive integer', isPositiveInteger],
  labels: [BYTES, isUint8Array],
  testImages: [IMAGES, isUint8Array],
  testLabels: [BYTES, isUint8Array],
  testCount: ['a positive integer', isPositiveInteger],
  name: ['a text that is not empty', (value) => typeof value === 'string' && value !== ''],
};

const REQUIRED: readonly (keyof ImageArrays)[] = ['images', 'height', 'width'];

/** Images that the caller of the library has in memory. */
export const arrays: DataSource<ImageArrays> = {
  expects: 'an object with images, height and width',
  takes: (data): data is ImageArrays => typeof data === 'object' && data !== null && !Array.isArray(data),
  check(data, refuse) {
    checkKeys(data, refuse);
    checkSet(data, 'images', 'labels', refuse);
    if (data.testImages === undefined) checkSplit(data, refuse);
    else {
      if (data.testCount !== undefined) {
        throw refuse(
          'testCount',
          'says how many images to split off, but there are testImages: give one of the two',
        );
      }
      checkSet(data, 'testImages', 'testLabels', refuse);
    }
  },
  open(data) {
    const name = data.name ?? 'arrays';
    const images = imageSet(data, data.images, data.labels);
    if (data.testImages === undefined) {
      return { name, ...splitOffTestSet(images, data.testCount), testSplitOff: true };
    }
    return { name, train: images, test: imageSet(data, data.testImages, data.testLabels) };
  },
};

function checkKeys(data: ImageArrays, refuse: Refuse): void {
  const known = Object.keys(KEYS);
  for (const key of Object.keys(data)) {
    if (known.includes(key)) continue;
    const nearest = nearestName(key, known);
    const shown = JSON.stringify(key.length <= 40 ? key : `${key.slice(0, 40)}…`);
    const meant = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
    throw refuse('', `has an unknown key ${shown}${meant}; keys are ${known.join(', ')}`);
  }
  for (const [key, [expected, fits]] of Object.entries(KEYS)) {
    const value = data[key as keyof ImageArrays];
    if (value === undefined) {
      if (REQUIRED.includes(key as keyof ImageArrays)) throw refuse(key, `is missing, expected ${expected}`);
    } else if (!fits(value)) throw refuse(key, `is ${inWords(value)}, expected ${expected}`);
  }
}

/** The number of images, from their bytes; of labels, that there is one for each. */
function checkSet(
  data: ImageArrays,
  images: 'images' | 'testImages',
  labels: 'labels' | 'testLabels',
  refuse: Refuse,
): void {
  const { length } = data[images]!;
  const size = imageSize(data);
  const shape = `${data.height} x ${data.width} x ${data.channels ?? 1}`;
  if (length === 0 || length % size !== 0) {
    const multiple = Number.isFinite(size) ? `a multiple of ${size}` : 'far more';
    throw refuse(
      images,
      `has ${length} bytes, expected ${multiple}, which an image of ${shape} (height, width, channels) has`,
    );
  }
  const found = data[labels]?.length;
  if (found !== undefined && found !== length / size) {
    throw refuse(labels, `has ${found} bytes, expected ${length / size}, one for each of ${images}`);
  }
}

/** Where there is no test set: whether one can be split off. */
function checkSplit(data: ImageArrays, refuse: Refuse): void {
  if (data.testLabels !== undefined) throw refuse('testLabels', 'has no images: give testImages, too');
  const count = data.images.length / imageSize(data);
  if (count < FEWEST_TO_SPLIT) {
    throw refuse(
      'images',
      `has 1 image, expected at least ${FEWEST_TO_SPLIT}, because the last become the test set: give more, or testImages`,
    );
  }
  const testCount = data.testCount ?? defaultTestCount(count);
  if (testCount >= count) {
    throw refuse(
      'testCount',
      `is ${testCount}, expected at most ${count - 1}, because there are ${count} images`,
    );
  }
}

function imageSize({ height, width, channels = 1 }: ImageArrays): number {
  return height * width * channels;
}

function imageSet(data: ImageArrays, pixels: Uint8Array, labels: Uint8Array | undefined): ImageSet {
  const { height, width, channels = 1 } = data;
  const count = pixels.length / imageSize(data);
  return { count, height, width, channels, pixels, ...(labels ? { labels } : {}) };
}

function isPositiveInteger(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** `Uint8Array`, `Float32Array`, `Array`, … */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length <= 40 ? value : `${value.slice(0, 40)}…`);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'function' ? 'a function' : String(value);
  if (Array.isArray(value)) return 'a list';
  // Any other object may have the tag that it likes.
  if (!ArrayBuffer.isView(value) && !isAnyArrayBuffer(value)) return 'an object';
  const tag = tagOf(value);
  return `${/^[AI]/.test(tag) ? 'an' : 'a'} ${tag}`;
}
