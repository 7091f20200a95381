import type { ImageSet } from './source.js';

/** The first images of a set, at most `most`, without their labels; the pixels are not copied. */
export function firstImages(images: ImageSet, most: number): ImageSet {
  const count = Math.min(images.count, most);
  const { height, width, channels, pixels } = images;
  return { count, height, width, channels, pixels: pixels.subarray(0, count * height * width * channels) };
}
