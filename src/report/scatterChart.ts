import { BLACK, type Canvas, type Color, GREY, WHITE } from './canvas.js';
import { type TextMask, textLine } from './lettering.js';
import { CAPTION_SIZE, LABEL_SIZE, layOutPage, type PageText, writeText } from './page.js';
import { classColor } from './palette.js';
import { drawPlot, placeIn, planPlot } from './plot.js';
import { drawPolyline, type Point } from './polyline.js';
import { shadeOf } from './rasterizer.js';

export interface ScatterChartOptions extends PageText {
  readonly xLabel: string;
  readonly yLabel: string;
  /** The class of each point, if there are classes; then there is a legend, and each class has its colour. */
  readonly classes?: Uint8Array;
}

const SIDE = 720;
const LEGEND_GAP = 22;
const LEGEND_PITCH = 22;
const LEGEND_COLUMN = 70;
/** Below the legend's title. */
const LEGEND_ROWS = Math.floor(SIDE / LEGEND_PITCH) - 1;
const DOT_RADIUS = 2.3;
/** Dots lie over each other: where many do, the colour is full. */
const DOT_OPACITY = 0.7;

/**
 * Points in a plane, with a unit of the same length on both axes, e.g. the posterior means of test images.
 * @param points [n, 2]; those that are not finite are left out.
 * @returns a PNG.
 * @throws Error where there is not one class a point.
 */
export async function scatterChart(
  points: Float32Array | Float64Array,
  options: ScatterChartOptions,
): Promise<Uint8Array> {
  const { classes } = options;
  const count = points.length / 2;
  if (classes && classes.length !== count) {
    throw new Error(`There are ${classes.length} classes, but ${count} points.`);
  }
  const shown = Array.from({ length: count }, (_, i) => i).filter((i) =>
    Number.isFinite(points[2 * i]! + points[2 * i + 1]!),
  );
  const plan = planPlot({
    width: SIDE,
    height: SIDE,
    xs: shown.map((i) => points[2 * i]!),
    ys: shown.map((i) => points[2 * i + 1]!),
    xLabel: options.xLabel,
    yLabel: options.yLabel,
    equalUnits: true,
    mostXTicks: 9,
    mostYTicks: 9,
  });
  const present = [...new Set(shown.map((i) => classes?.[i] ?? 0))].sort((a, b) => a - b);
  const legend = classes ? LEGEND_GAP + Math.ceil(present.length / LEGEND_ROWS) * LEGEND_COLUMN : 0;
  const { canvas, ...page } = layOutPage(
    options,
    plan.left + SIDE + Math.max(plan.right, legend),
    SIDE + plan.below,
  );
  const left = page.left + plan.left;
  drawPlot(canvas, plan, page.left, left, page.top);
  const place = placeIn(plan, left, page.top);
  for (const i of shown) {
    drawDot(canvas, place([points[2 * i]!, points[2 * i + 1]!]), classColor(classes?.[i] ?? 0));
  }
  if (classes) {
    writeMiddles(canvas, present, (label) =>
      shown.filter((i) => classes[i] === label).map((i) => place([points[2 * i]!, points[2 * i + 1]!])),
    );
    drawLegend(canvas, present, left + SIDE + LEGEND_GAP, page.top + LEGEND_PITCH / 2);
  }
  if (shown.length === 0) {
    writeText(
      canvas,
      textLine('no finite values', LABEL_SIZE),
      left + SIDE / 2,
      page.top + SIDE / 2,
      'center',
      GREY,
    );
  }
  return canvas.png();
}

function drawDot(canvas: Canvas, [x, y]: Point, color: Color): void {
  for (let row = Math.floor(y - 3); row <= y + 4; row++) {
    for (let column = Math.floor(x - 3); column <= x + 4; column++) {
      const distance = Math.sqrt((column - x) ** 2 + (row - y) ** 2);
      const covered = shadeOf(DOT_RADIUS + 0.5 - distance);
      if (covered > 0) canvas.blend(column, row, color, covered * DOT_OPACITY);
    }
  }
}

/** Each class by its number near the middle (the median) of its points: colours alone are hard to name. */
function writeMiddles(
  canvas: Canvas,
  present: readonly number[],
  pointsOf: (label: number) => Point[],
): void {
  const taken: Point[] = [];
  for (const label of present) {
    const points = pointsOf(label);
    const middle: Point = [median(points.map((point) => point[0])), median(points.map((point) => point[1]))];
    const [x, y] = freePlace(middle, taken);
    taken.push([x, y]);
    const mask = textLine(String(label), MIDDLE_SIZE);
    for (const [dx, dy] of HALO) writeText(canvas, mask, x + dx, y + dy, 'center', WHITE);
    writeText(canvas, mask, x, y, 'center', BLACK);
  }
}

const MIDDLE_SIZE = 18.5;
/** Between the middles of two numbers that do not touch. */
const APART = 22;

const HALO: readonly Point[] = [-2, -1, 0, 1, 2].flatMap((dx) =>
  [-2, -1, 0, 1, 2].filter((dy) => dx * dx + dy * dy <= 5).map((dy): Point => [dx, dy]),
);

/**
 * The place nearest to `wanted`, of some around it, that keeps apart from those taken; `wanted` itself if
 * none does.
 */
function freePlace(wanted: Point, taken: readonly Point[]): Point {
  const free = ([x, y]: Point) =>
    taken.every((other) => Math.max(Math.abs(x - other[0]), Math.abs(y - other[1])) >= APART);
  for (let reach = 0; reach <= 4 * APART; reach += 2) {
    for (const [dx, dy] of DIRECTIONS) {
      const place: Point = [wanted[0] + reach * dx, wanted[1] + reach * dy];
      if (free(place)) return place;
    }
  }
  return wanted;
}

const DIRECTIONS: readonly Point[] = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function drawLegend(canvas: Canvas, present: readonly number[], left: number, top: number): void {
  writeText(canvas, textLine('class', CAPTION_SIZE), left, top, 'left');
  present.forEach((label, i) => {
    const x = left + Math.floor(i / LEGEND_ROWS) * LEGEND_COLUMN;
    const y = top + (1 + (i % LEGEND_ROWS)) * LEGEND_PITCH;
    drawPolyline(canvas, [[x + 4, y]], classColor(label), true);
    const mask: TextMask = textLine(String(label), CAPTION_SIZE);
    writeText(canvas, mask, x + 16, y, 'left');
  });
}
