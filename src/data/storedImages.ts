import type { ImageSet, ImageShape, StoredImages } from './source.js';

/** Bytes that are read at once, but for images that are larger. */
const PIECE = 2 ** 22;

/**
 * Bytes between two images that are read with them. A call of the operating system costs about as much as
 * copying so many.
 */
const GAP = 2 ** 14;

export function isStored(images: ImageSet | StoredImages): images is StoredImages {
  return 'read' in images;
}

/** Images in memory as if they were stored; others as they are. */
export function asStored(images: ImageSet | StoredImages): StoredImages {
  if (isStored(images)) return images;
  const { count, height, width, channels, pixels } = images;
  const shape = { count, height, width, channels };
  const size = imageBytes(shape);
  return { ...shape, read: (first, many) => pixels.subarray(first * size, (first + many) * size) };
}

export function imageBytes({ height, width, channels }: ImageShape): number {
  return height * width * channels;
}

/** The pixels of all images in their order, some whole images at a time. */
export function* imagePieces(images: ImageSet | StoredImages): Generator<Uint8Array> {
  const stored = asStored(images);
  const most = imagesAtOnce(imageBytes(images));
  for (let first = 0; first < images.count; first += most) {
    yield stored.read(first, Math.min(most, images.count - first));
  }
}

/**
 * Reads the images that have a slot. The file is read from its beginning to its end, whatever the order of
 * the slots.
 * @param slots [count]: where each image goes, as a number of images; below 0 where it is not wanted.
 * @param pixels [slots, height, width, channels].
 */
export function readChosen(images: StoredImages, slots: Int32Array, pixels: Uint8Array): void {
  const size = imageBytes(images);
  for (const { first, end } of stretches(slots, size)) {
    const bytes = images.read(first, end - first);
    for (let image = first, from = 0; image < end; image++, from += size) {
      const slot = slots[image]!;
      if (slot >= 0) pixels.set(bytes.subarray(from, from + size), slot * size);
    }
  }
}

/** Which images are read at once: from a wanted one to a wanted one, without a wide gap. */
function* stretches(slots: Int32Array, size: number): Generator<{ first: number; end: number }> {
  const most = imagesAtOnce(size);
  const gap = Math.floor(GAP / size);
  let first = 0;
  let end = 0;
  for (let image = 0; image < slots.length; image++) {
    if (slots[image]! < 0) continue;
    if (end === first || image - end > gap || image - first >= most) {
      if (end > first) yield { first, end };
      first = image;
    }
    end = image + 1;
  }
  if (end > first) yield { first, end };
}

function imagesAtOnce(size: number): number {
  return Math.max(1, Math.floor(PIECE / size));
}
