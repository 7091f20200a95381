import { MAP_BLOCK_BYTES, MOST_BLOCK_PIXELS } from '../kernels/tuning.js';

/** Some whole images, or some lines of one. */
export interface Block {
  readonly image: number;
  readonly images: number;
  readonly line: number;
  readonly lines: number;
}

export interface BlockSize {
  readonly images: number;
  readonly lines: number;
}

/**
 * @param imageBytes of the maps of one image.
 * @param step blocks begin at multiples of so many lines.
 */
export function blockSize(
  batch: number,
  lines: number,
  pixels: number,
  imageBytes: number,
  step: number,
): BlockSize {
  const images = Math.min(
    Math.floor(MAP_BLOCK_BYTES / imageBytes),
    Math.floor(MOST_BLOCK_PIXELS / pixels),
    batch,
  );
  if (images >= 1) return { images, lines };
  // A little too large is no reason to cut an image.
  const excess = Math.max(imageBytes / (2 * MAP_BLOCK_BYTES), pixels / (2 * MOST_BLOCK_PIXELS));
  if (excess <= 1) return { images: 1, lines };
  const band = Math.floor(lines / (2 * excess) / step) * step;
  return { images: 1, lines: Math.min(Math.max(band, step), lines) };
}

/** All blocks, in the order of the memory. */
export function* blocksOf(batch: number, lines: number, size: BlockSize): Generator<Block> {
  for (let image = 0; image < batch; image += size.images) {
    const images = Math.min(size.images, batch - image);
    for (let line = 0; line < lines; line += size.lines) {
      yield { image, images, line, lines: Math.min(size.lines, lines - line) };
    }
  }
}
