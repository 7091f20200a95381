import { type TextMask, textLine } from './lettering.js';
import { LABEL_SIZE, layOutPage, type Page, type PageText, writeText } from './page.js';
import { countImages, drawTile, GAP, type ImageShape, requireImages, tileScale } from './tiles.js';

export interface InterpolationGridOptions extends ImageShape, PageText {
  /** Images in a row, ends included. */
  readonly steps: number;
  /** The inputs that each row goes from and to, [rows, height, width, channels]: drawn at its ends. */
  readonly ends?: { readonly from: Float32Array; readonly to: Float32Array };
  /** Left and right of each row, e.g. the digits' classes. */
  readonly rowLabels?: readonly { readonly from: string; readonly to: string }[];
}

const HEADER_HEIGHT = 24;
/** Between inputs and what is decoded between them. */
const ENDS_GAP = 14;
const LABEL_GAP = 12;

/**
 * Each row goes from one image to another; the first column is headed t = 0, the last t = 1.
 * @param images [rows, steps, height, width, channels], in [0, 1].
 * @returns a PNG.
 * @throws Error where images, steps, ends and labels do not fit together.
 */
export async function interpolationGrid(
  images: Float32Array,
  options: InterpolationGridOptions,
): Promise<Uint8Array> {
  const { steps, ends } = options;
  const rows = countRows(images, options);
  const plan = planRows(rows, options);
  const page = layOutPage(options, plan.width, plan.height);
  writeHeaders(page, plan, options);
  for (let row = 0; row < rows; row++) {
    const top = page.top + HEADER_HEIGHT + row * plan.pitchY;
    const draw = (source: Float32Array, index: number, left: number) =>
      drawTile(page.canvas, source, index, options, plan.scale, page.left + left, top);
    for (let step = 0; step < steps; step++) draw(images, row * steps + step, plan.columnLeft(step));
    if (ends) {
      draw(ends.from, row, plan.fromLeft);
      draw(ends.to, row, plan.toLeft);
    }
    const labels = plan.rowLabels[row];
    if (labels) {
      const middle = top + plan.tileHeight / 2;
      writeText(page.canvas, labels.from, page.left + plan.fromLeft - LABEL_GAP, middle, 'right');
      writeText(page.canvas, labels.to, page.left + plan.toLeft + plan.tileWidth + LABEL_GAP, middle, 'left');
    }
  }
  return page.canvas.png();
}

function countRows(images: Float32Array, options: InterpolationGridOptions): number {
  const { steps, ends, rowLabels } = options;
  const rows = countImages(images, options, 'images') / steps;
  if (!Number.isInteger(rows)) {
    throw new Error(`There are ${rows * steps} images, which is no whole number of rows of ${steps} steps.`);
  }
  if (ends) {
    requireImages(ends.from, options, 'inputs to go from', rows);
    requireImages(ends.to, options, 'inputs to go to', rows);
  }
  if (rowLabels && rowLabels.length !== rows) {
    throw new Error(`There are labels for ${rowLabels.length} rows, but there are ${rows} rows.`);
  }
  return rows;
}

interface RowPlan {
  readonly scale: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly pitchY: number;
  /** Left edges of the outermost tiles, and of column `step` between them, from the content's left. */
  readonly fromLeft: number;
  readonly toLeft: number;
  readonly columnLeft: (step: number) => number;
  readonly rowLabels: readonly { readonly from: TextMask; readonly to: TextMask }[];
  readonly width: number;
  readonly height: number;
}

function planRows(rows: number, options: InterpolationGridOptions): RowPlan {
  const { steps, ends } = options;
  const scale = tileScale(steps + (ends ? 2 : 0), rows, options);
  const tileWidth = options.width * scale;
  const tileHeight = options.height * scale;
  const rowLabels = (options.rowLabels ?? []).map(({ from, to }) => ({
    from: textLine(from, LABEL_SIZE),
    to: textLine(to, LABEL_SIZE),
  }));
  const labelled = rowLabels.length > 0 ? LABEL_GAP : 0;
  const fromLeft = Math.max(0, ...rowLabels.map(({ from }) => from.width)) + labelled;
  const firstColumn = fromLeft + (ends ? tileWidth + ENDS_GAP : 0);
  const columnLeft = (step: number) => firstColumn + step * (tileWidth + GAP);
  const toLeft = columnLeft(steps - 1) + (ends ? tileWidth + ENDS_GAP : 0);
  const right = labelled + Math.max(0, ...rowLabels.map(({ to }) => to.width));
  return {
    scale,
    tileWidth,
    tileHeight,
    pitchY: tileHeight + GAP,
    fromLeft,
    toLeft,
    columnLeft,
    rowLabels,
    width: toLeft + tileWidth + right,
    height: HEADER_HEIGHT + rows * (tileHeight + GAP) - GAP,
  };
}

function writeHeaders(page: Page, plan: RowPlan, { steps, ends }: InterpolationGridOptions): void {
  const write = (text: string, left: number) => {
    const x = page.left + left + plan.tileWidth / 2;
    writeText(page.canvas, textLine(text, LABEL_SIZE), x, page.top + HEADER_HEIGHT / 2 - 3, 'center');
  };
  write('t = 0', plan.columnLeft(0));
  if (steps > 1) write('t = 1', plan.columnLeft(steps - 1));
  if (ends) {
    write('input', plan.fromLeft);
    write('input', plan.toLeft);
  }
}
