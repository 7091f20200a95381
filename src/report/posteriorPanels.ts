import { BLACK, type Canvas, type Color, GREY } from './canvas.js';
import { type TextMask, textLine } from './lettering.js';
import { LABEL_SIZE, layOutPage, type Page, type PageText, writeText } from './page.js';
import { seriesColor } from './palette.js';
import { drawPlot, type PlotPlan, placeIn, planPlot } from './plot.js';
import { drawPolyline, type Point } from './polyline.js';
import { shadeOf } from './rasterizer.js';

/** The posterior of one example over a plane of two latent dimensions. */
export interface PosteriorPanel {
  /** e.g. `test image 3, class 0`. */
  readonly heading: string;
  /** A square: its middle and half its side. */
  readonly middle: Point;
  readonly reach: number;
  /**
   * p(z|x) up to a factor on [side, side] points, the middles of equal cells of the square: the first row is
   * the lowest.
   */
  readonly density: Float64Array;
  /** Draws, [n, 2]; those outside the square are left out. */
  readonly samples: Float32Array;
  /** q(z|x). */
  readonly gaussian: { readonly mean: Point; readonly deviation: Point };
}

const SIDE = 300;
const MOST_COLUMNS = 4;
const HEADING = 26;
const GAP = 18;
const LEGEND = 34;
/** Width of a key before its label, and the space behind it. */
const KEY = 26;
const SAMPLE_RADIUS = 1.2;
const SAMPLE_OPACITY = 0.45;
const DENSITY_COLOR: Color = [90, 160, 215];
const SAMPLE_COLOR: Color = BLACK;
const GAUSSIAN_COLOR = seriesColor(1);
/** Ellipses at so many standard deviations. */
const ELLIPSES = [1, 2] as const;
const ELLIPSE_POINTS = 120;

/**
 * True posteriors as shades, with draws as dots and q(z|x) as ellipses of one and two standard deviations: a
 * panel for each example, each with axes of its own.
 * @returns a PNG.
 */
export async function posteriorPanels(
  panels: readonly PosteriorPanel[],
  text: PageText & { readonly samplesLabel: string },
): Promise<Uint8Array> {
  const plans = panels.map(({ middle, reach }) =>
    planPlot({
      width: SIDE,
      height: SIDE,
      xs: [middle[0] - reach, middle[0] + reach],
      ys: [middle[1] - reach, middle[1] + reach],
      xLabel: 'z1',
      yLabel: 'z2',
      equalUnits: true,
      mostXTicks: 5,
      mostYTicks: 6,
    }),
  );
  const left = Math.max(...plans.map((plan) => plan.left));
  const cellWidth = left + SIDE + Math.max(...plans.map((plan) => plan.right)) + GAP;
  const cellHeight = HEADING + SIDE + Math.max(...plans.map((plan) => plan.below)) + GAP;
  const columns = Math.min(panels.length, MOST_COLUMNS);
  const rows = Math.ceil(panels.length / columns);
  const labels = [
    'p(z|x), on a grid',
    text.samplesLabel,
    'q(z|x): mean, one and two standard deviations',
  ].map((label) => textLine(label, LABEL_SIZE));
  const legend = labels.reduce((sum, { width }) => sum + KEY + width + KEY, -KEY);
  const page = layOutPage(
    text,
    Math.max(columns * cellWidth - GAP, legend),
    LEGEND + rows * cellHeight - GAP,
  );
  drawLegend(page, labels);
  panels.forEach((panel, i) => {
    const x = page.left + (i % columns) * cellWidth;
    const y = page.top + LEGEND + Math.floor(i / columns) * cellHeight;
    drawPanel(page.canvas, panel, plans[i]!, { edge: x, left: x + left, top: y + HEADING });
  });
  return page.canvas.png();
}

interface Corner {
  readonly edge: number;
  readonly left: number;
  readonly top: number;
}

function drawPanel(canvas: Canvas, panel: PosteriorPanel, plan: PlotPlan, { edge, left, top }: Corner): void {
  const { heading, samples, gaussian, middle, reach } = panel;
  writeText(canvas, textLine(heading, LABEL_SIZE), left + SIDE / 2, top - HEADING / 2, 'center');
  drawPlot(canvas, plan, edge, left, top);
  const place = placeIn(plan, left, top);
  shade(canvas, panel, place);
  for (let i = 0; i < samples.length; i += 2) {
    const [x, y] = [samples[i]!, samples[i + 1]!];
    if (Math.max(Math.abs(x - middle[0]), Math.abs(y - middle[1])) <= reach)
      drawSample(canvas, place([x, y]));
  }
  for (const deviations of ELLIPSES) {
    for (const part of ellipse(gaussian, deviations, { middle, reach })) {
      drawPolyline(canvas, part.map(place), GAUSSIAN_COLOR, false);
    }
  }
  drawPolyline(canvas, [place(gaussian.mean)], GAUSSIAN_COLOR, true);
}

/** Each pixel of the square by the density, linear between the points, over the largest one. */
function shade(
  canvas: Canvas,
  { middle, reach, density }: PosteriorPanel,
  place: (at: Point) => Point,
): void {
  const cells = Math.sqrt(density.length);
  const peak = density.reduce((most, value) => Math.max(most, value), 0);
  const [left, bottom] = place([middle[0] - reach, middle[1] - reach]);
  const [right, top] = place([middle[0] + reach, middle[1] + reach]);
  for (let y = Math.ceil(top); y < bottom; y++) {
    const row = betweenPoints((bottom - y) / (bottom - top), cells);
    for (let x = Math.ceil(left); x < right; x++) {
      const column = betweenPoints((x - left) / (right - left), cells);
      const at = (r: number) =>
        mix(density[r * cells + column.below]!, density[r * cells + column.above]!, column.part);
      const part = mix(at(row.below), at(row.above), row.part) / peak;
      if (part > 0) canvas.blend(x, y, DENSITY_COLOR, part);
    }
  }
}

/** The two points around a place, and how near it is to the upper one; beyond the outermost there is one. */
function betweenPoints(share: number, cells: number) {
  const place = Math.min(Math.max(share * cells - 1 / 2, 0), cells - 1);
  const below = Math.floor(place);
  return { below, above: Math.min(below + 1, cells - 1), part: place - below };
}

function mix(a: number, b: number, part: number): number {
  return a + part * (b - a);
}

function drawSample(canvas: Canvas, [x, y]: Point): void {
  for (let row = Math.floor(y - 2); row <= y + 2; row++) {
    for (let column = Math.floor(x - 2); column <= x + 2; column++) {
      const distance = Math.sqrt((column - x) ** 2 + (row - y) ** 2);
      const covered = shadeOf(SAMPLE_RADIUS + 0.5 - distance);
      if (covered > 0) canvas.blend(column, row, SAMPLE_COLOR, covered * SAMPLE_OPACITY);
    }
  }
}

/** The parts of an ellipse that are within the square. */
function ellipse(
  { mean, deviation }: PosteriorPanel['gaussian'],
  deviations: number,
  { middle, reach }: Pick<PosteriorPanel, 'middle' | 'reach'>,
): Point[][] {
  const parts: Point[][] = [[]];
  for (let i = 0; i <= ELLIPSE_POINTS; i++) {
    const angle = (2 * Math.PI * i) / ELLIPSE_POINTS;
    const x = mean[0] + deviations * deviation[0] * Math.cos(angle);
    const y = mean[1] + deviations * deviation[1] * Math.sin(angle);
    const inside = Math.max(Math.abs(x - middle[0]), Math.abs(y - middle[1])) <= reach;
    if (inside) parts.at(-1)!.push([x, y]);
    else parts.push([]);
  }
  return parts.filter((part) => part.length > 0);
}

function drawLegend({ canvas, left, top }: Page, labels: readonly TextMask[]): void {
  const y = top + 8;
  let x = left;
  const write = (mask: TextMask) => {
    writeText(canvas, mask, x + KEY, y, 'left', GREY);
    x += KEY + mask.width + KEY;
  };
  canvas.fillRectangle(x, y - 7, 16, 14, DENSITY_COLOR);
  write(labels[0]!);
  for (const [dx, dy] of [
    [3, -3],
    [9, 2],
    [13, -4],
    [6, 5],
  ] as const) {
    drawSample(canvas, [x + dx, y + dy]);
  }
  write(labels[1]!);
  const stroke: Point[] = [
    [x, y],
    [x + 16, y],
  ];
  drawPolyline(canvas, stroke, GAUSSIAN_COLOR, false);
  write(labels[2]!);
}
