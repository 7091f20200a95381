import { layOutPage, type PageText } from './page.js';
import { countImages, drawTile, GAP, type ImageShape, tileScale } from './tiles.js';

/**
 * Images in reading order in a nearly square grid, e.g. 100 samples in 10 rows of 10.
 * @param images [n, height, width, channels], in [0, 1].
 * @returns a PNG.
 * @throws Error where the length of `images` does not fit the shape.
 */
export async function sampleGrid(images: Float32Array, options: ImageShape & PageText): Promise<Uint8Array> {
  const count = countImages(images, options, 'images');
  const columns = Math.max(Math.ceil(Math.sqrt((count * options.height) / options.width)), 1);
  const rows = Math.ceil(count / columns);
  const scale = tileScale(columns, rows, options);
  const pitchX = options.width * scale + GAP;
  const pitchY = options.height * scale + GAP;
  const page = layOutPage(options, columns * pitchX - GAP, rows * pitchY - GAP);
  for (let i = 0; i < count; i++) {
    const left = page.left + (i % columns) * pitchX;
    const top = page.top + Math.floor(i / columns) * pitchY;
    drawTile(page.canvas, images, i, options, scale, left, top);
  }
  return page.canvas.png();
}
