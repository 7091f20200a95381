import type { ImageSet, StoredImages } from './source.js';
import { asStored } from './storedImages.js';

/** The first images of a set, at most `most`, without their labels; the pixels are not copied. */
export function firstImages(images: ImageSet | StoredImages, most: number): ImageSet {
  const count = Math.min(images.count, most);
  const { height, width, channels } = images;
  return { count, height, width, channels, pixels: asStored(images).read(0, count) };
}
