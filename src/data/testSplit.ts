import type { ImageSet } from './source.js';

/** Fewest images of which some can be split off. */
export const FEWEST_TO_SPLIT = 2;

/**
 * How many of `count` images make the test set where nothing else is said: a tenth, rounded down, but at
 * least one.
 */
export function defaultTestCount(count: number): number {
  return Math.max(1, Math.floor(count / 10));
}

/**
 * The last `testCount` images become the test set. Nothing is drawn and nothing copied: the same images
 * always have the same split.
 * @param testCount from 1 to `count` − 1.
 */
export function splitOffTestSet(
  images: ImageSet,
  testCount = defaultTestCount(images.count),
): { readonly train: ImageSet; readonly test: ImageSet } {
  const border = images.count - testCount;
  return { train: excerpt(images, 0, border), test: excerpt(images, border, images.count) };
}

function excerpt(images: ImageSet, start: number, end: number): ImageSet {
  const { height, width, channels, pixels, labels } = images;
  const size = height * width * channels;
  return {
    ...images,
    count: end - start,
    pixels: pixels.subarray(start * size, end * size),
    ...(labels ? { labels: labels.subarray(start, end) } : {}),
  };
}
