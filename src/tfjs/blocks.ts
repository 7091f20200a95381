/** Bytes of the maps of a block: they should stay in the second-level cache, beside the weights. */
const BLOCK_BYTES = 768 * 1024;

/** Pixels of a block's target: its tables have a word for each. */
const MOST_PIXELS = 16_384;

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
  const images = Math.min(Math.floor(BLOCK_BYTES / imageBytes), Math.floor(MOST_PIXELS / pixels), batch);
  if (images >= 1) return { images, lines };
  // A little too large is no reason to cut an image.
  const excess = Math.max(imageBytes / (2 * BLOCK_BYTES), pixels / (2 * MOST_PIXELS));
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
