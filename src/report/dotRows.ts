import { type Canvas, GREY, LIGHT_GREY } from './canvas.js';
import { type TextMask, textLine } from './lettering.js';
import { CAPTION_SIZE, LABEL_SIZE, layOutPage, type PageText, writeText } from './page.js';
import { seriesColor } from './palette.js';
import { drawPolyline, type Point } from './polyline.js';

/** A quantity above 0, with what is written beside it. */
export interface DotRow {
  readonly label: string;
  /** No dot where it is not above 0, or not finite. */
  readonly value: number;
  /** Its standard error: a line on both sides of the dot. */
  readonly error: number;
  /** One for each of the columns. */
  readonly texts: readonly string[];
}

export interface DotRowsOptions extends PageText {
  readonly xLabel: string;
  /** Headings of the columns of texts, to the right of the dots. */
  readonly columns: readonly string[];
}

const WIDTH = 520;
const ROW = 34;
const HEADING = 28;
const GAP = 28;
const LABEL_GAP = 14;
const TICK = 5;
const BELOW = 52;
/** More powers of ten than this are not all labelled. */
const MOST_LABELS = 8;
/** A dot's color, and that of the line of its standard error. */
const COLOR = seriesColor(0);

/**
 * A row for each quantity: a dot on one logarithmic axis, with a label to its left and texts to its right.
 * @returns a PNG.
 */
export async function dotRows(rows: readonly DotRow[], options: DotRowsOptions): Promise<Uint8Array> {
  const labels = rows.map(({ label }) => textLine(label, LABEL_SIZE));
  const columns = options.columns.map((heading, i) => ({
    heading: textLine(heading, CAPTION_SIZE),
    texts: rows.map(({ texts }) => textLine(texts[i]!, LABEL_SIZE)),
  }));
  const widths = columns.map(({ heading, texts }) => widest([heading, ...texts]));
  const labelWidth = widest(labels) + LABEL_GAP;
  const width = labelWidth + WIDTH + widths.reduce((sum, own) => sum + GAP + own, 0);
  const height = HEADING + rows.length * ROW;
  const { canvas, ...page } = layOutPage(options, width, height + BELOW);
  const [left, top] = [page.left + labelWidth, page.top + HEADING];
  const axis = logAxis(rows);
  drawAxis(canvas, axis, left, top, rows.length * ROW);
  writeText(
    canvas,
    textLine(options.xLabel, LABEL_SIZE),
    left + WIDTH / 2,
    page.top + height + BELOW - 10,
    'center',
  );
  rows.forEach((row, i) => {
    const y = Math.round(top + (i + 0.5) * ROW);
    writeText(canvas, labels[i]!, left - LABEL_GAP, y, 'right');
    drawDot(canvas, row, (value) => left + axis.place(value) * WIDTH, y);
  });
  let right = left + WIDTH;
  columns.forEach(({ heading, texts }, column) => {
    right += GAP + widths[column]!;
    writeText(canvas, heading, right, page.top + HEADING / 2 - 4, 'right', GREY);
    texts.forEach((text, i) => {
      writeText(canvas, text, right, Math.round(top + (i + 0.5) * ROW), 'right');
    });
  });
  return canvas.png();
}

interface LogAxis {
  /** Powers of ten. */
  readonly low: number;
  readonly high: number;
  /** The share of the axis at which a value stands. */
  readonly place: (value: number) => number;
}

/** From a power of ten to another one, all values between them. */
function logAxis(rows: readonly DotRow[]): LogAxis {
  const shown = rows.filter(isShown).map(({ value }) => Math.log10(value));
  const low = Math.floor(Math.min(...(shown.length === 0 ? [0] : shown)));
  const high = Math.max(low + 1, Math.ceil(Math.max(...(shown.length === 0 ? [0] : shown))));
  const place = (value: number) => Math.min(Math.max((Math.log10(value) - low) / (high - low), 0), 1);
  return { low, high, place };
}

function drawAxis(canvas: Canvas, { low, high }: LogAxis, left: number, top: number, height: number): void {
  const stride = Math.ceil((high - low) / MOST_LABELS);
  for (let power = low; power <= high; power++) {
    const x = Math.round(left + ((power - low) / (high - low)) * WIDTH);
    canvas.fillRectangle(x, top, 1, height, LIGHT_GREY);
    canvas.fillRectangle(x, top + height, 1, TICK, GREY);
    if ((power - low) % stride !== 0) continue;
    writeText(canvas, textLine(powerText(power), CAPTION_SIZE), x, top + height + TICK + 12, 'center');
  }
  canvas.fillRectangle(left, top + height, WIDTH + 1, 1, GREY);
}

function powerText(power: number): string {
  if (power < -3 || power > 3) return `1e${power}`;
  return power < 0 ? (10 ** power).toFixed(-power) : String(10 ** power);
}

function drawDot(canvas: Canvas, row: DotRow, place: (value: number) => number, y: number): void {
  if (!isShown(row)) return;
  const { value, error } = row;
  const dot: Point = [place(value), y];
  if (Number.isFinite(error)) {
    const ends = [Math.max(value - error, Number.MIN_VALUE), value + error];
    drawPolyline(
      canvas,
      ends.map((end): Point => [place(end), y]),
      COLOR,
      false,
    );
  }
  drawPolyline(canvas, [dot], COLOR, true);
}

function isShown({ value }: DotRow): boolean {
  return Number.isFinite(value) && value > 0;
}

function widest(masks: readonly TextMask[]): number {
  return Math.max(0, ...masks.map(({ width }) => width));
}
