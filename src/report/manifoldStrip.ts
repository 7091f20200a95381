import { textLine } from './lettering.js';
import { layOutPage, type PageText, writeText } from './page.js';
import { drawTile, type ImageShape, requireImages } from './tiles.js';

export interface ManifoldStripOptions extends ImageShape, PageText {
  /** Images along each side of a grid. */
  readonly side: number;
  /** Above each grid, e.g. `epoch 1`. */
  readonly headings: readonly string[];
}

/**
 * Pixels for one of a page of text, on which the strip is meant to stand: it looks sharp on dense screens.
 */
const DENSITY = 2;
const HEADING_HEIGHT = 26 * DENSITY;
/** The largest width of a grid, unless its images are larger than that. */
const PANEL_WIDTH = 150 * DENSITY;
const PANEL_GAP = 12 * DENSITY;
const HEADING_SIZE = 15.5 * DENSITY;

/**
 * The grid over a two-dimensional latent space at several times of a run, side by side.
 * @param grids one a heading: [side, side, height, width, channels], in [0, 1]; the first row is the top one.
 * @returns a PNG.
 * @throws Error where a grid does not hold side² images.
 */
export async function manifoldStrip(
  grids: readonly Float32Array[],
  options: ManifoldStripOptions,
): Promise<Uint8Array> {
  const { side, headings } = options;
  for (const grid of grids) requireImages(grid, options, 'images of the grid', side * side);
  const scale = Math.max(Math.floor(PANEL_WIDTH / (side * options.width)), 1);
  const [panelWidth, panelHeight] = [side * options.width * scale, side * options.height * scale];
  const pitch = panelWidth + PANEL_GAP;
  const page = layOutPage(options, grids.length * pitch - PANEL_GAP, HEADING_HEIGHT + panelHeight, DENSITY);
  grids.forEach((grid, panel) => {
    const left = page.left + panel * pitch;
    const heading = textLine(headings[panel]!, HEADING_SIZE);
    writeText(
      page.canvas,
      heading,
      left + panelWidth / 2,
      page.top + HEADING_HEIGHT / 2 - 3 * DENSITY,
      'center',
    );
    for (let i = 0; i < side * side; i++) {
      const x = left + (i % side) * options.width * scale;
      const y = page.top + HEADING_HEIGHT + Math.floor(i / side) * options.height * scale;
      drawTile(page.canvas, grid, i, options, scale, x, y);
    }
  });
  return page.canvas.png();
}
