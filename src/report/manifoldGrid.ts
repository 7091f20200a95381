import { GREY } from './canvas.js';
import { type TextMask, textLine } from './lettering.js';
import { CAPTION_SIZE, LABEL_SIZE, layOutPage, type PageText, writeText } from './page.js';
import { drawTile, type ImageShape, requireImages, tileScale } from './tiles.js';

export interface ManifoldGridOptions extends ImageShape, PageText {
  /** Coordinates of the columns from left to right, and of the rows from bottom to top. */
  readonly zAt: readonly number[];
}

const TICK = 5;
const LABEL_GAP = 5;
const AXIS_TITLE_GAP = 12;

/**
 * What a decoder makes of a grid over a two-dimensional latent space, with its axes: z1 to the right, z2
 * upwards.
 * @param images [side, side, height, width, channels], in [0, 1]; the first row is the top one, of the
 * largest z2.
 * @returns a PNG.
 * @throws Error where there are not side² images, side being the length of `zAt`.
 */
export async function manifoldGrid(images: Float32Array, options: ManifoldGridOptions): Promise<Uint8Array> {
  const { zAt } = options;
  const side = zAt.length;
  requireImages(images, options, 'images of the grid', side * side);
  const scale = tileScale(side, side, options);
  const tileWidth = options.width * scale;
  const tileHeight = options.height * scale;
  const ticks = zAt.map((z) => textLine(tickText(z), CAPTION_SIZE));
  const [titleX, titleY] = [textLine('z1', LABEL_SIZE), textLine('z2', LABEL_SIZE)];

  const tickWidth = Math.max(0, ...ticks.map(({ width }) => width));
  // The outermost labels of the x axis may reach beyond their tiles.
  const overhang = Math.max(Math.ceil((tickWidth - tileWidth) / 2), 0);
  const gridLeft = Math.max(titleY.width + AXIS_TITLE_GAP + tickWidth + LABEL_GAP + TICK, overhang);
  const captionHeight = Math.max(0, ...ticks.map(({ capTop, capBottom }) => capBottom - capTop));
  const axisHeight = TICK + LABEL_GAP + captionHeight + AXIS_TITLE_GAP + titleX.height;
  const gridHeight = side * tileHeight;
  const page = layOutPage(options, gridLeft + side * tileWidth + overhang, gridHeight + axisHeight);

  const { canvas, top } = page;
  const left = page.left + gridLeft;
  for (let i = 0; i < side * side; i++) {
    const x = left + (i % side) * tileWidth;
    drawTile(canvas, images, i, options, scale, x, top + Math.floor(i / side) * tileHeight);
  }
  const bottom = top + gridHeight;
  for (const i of labelledTicks(ticks, tileWidth)) {
    const x = left + Math.floor((i + 0.5) * tileWidth);
    canvas.fillRectangle(x, bottom, 1, TICK, GREY);
    writeText(canvas, ticks[i]!, x, bottom + TICK + LABEL_GAP + captionHeight / 2, 'center');
  }
  for (const i of labelledTicks(ticks, tileHeight, captionHeight)) {
    const y = bottom - Math.ceil((i + 0.5) * tileHeight);
    canvas.fillRectangle(left - TICK, y, TICK, 1, GREY);
    writeText(canvas, ticks[i]!, left - TICK - LABEL_GAP, y, 'right');
  }
  const titleMiddle = bottom + axisHeight - titleX.height / 2;
  writeText(canvas, titleX, left + (side * tileWidth) / 2, titleMiddle, 'center');
  writeText(canvas, titleY, page.left, top + gridHeight / 2, 'left');
  return canvas.png();
}

function tickText(z: number): string {
  const text = z.toFixed(2);
  return Number(text) === 0 ? '0.00' : text;
}

/** Indices of the ticks to label: every one, or every second, … so that labels of `extent` do not touch. */
function labelledTicks(ticks: readonly TextMask[], pitch: number, extent?: number): number[] {
  const needed = Math.max(0, ...ticks.map(({ width }) => extent ?? width)) + 8;
  const stride = Math.max(Math.ceil(needed / pitch), 1);
  // What the stride leaves over is shared between both ends.
  const first = Math.floor(((ticks.length - 1) % stride) / 2);
  return ticks.map((_, i) => i).filter((i) => i >= first && (i - first) % stride === 0);
}
