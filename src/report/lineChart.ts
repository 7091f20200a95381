import { BLACK, type Canvas, type Color, GREY, LIGHT_GREY } from './canvas.js';
import { type Lettering, loadLettering, type TextMask } from './lettering.js';
import { CAPTION_SIZE, LABEL_SIZE, layOutPage, type Page, type PageText, writeText } from './page.js';
import { drawPolyline, type Point } from './polyline.js';
import { roundTicks, type Ticks } from './ticks.js';

export interface ChartSeries {
  /** For the legend. */
  readonly label: string;
  /** (x, y); where one of the two is not finite the line is broken. */
  readonly points: readonly (readonly [number, number])[];
}

export interface LineChartOptions extends PageText {
  readonly xLabel: string;
  readonly yLabel: string;
}

const PLOT_WIDTH = 820;
const PLOT_HEIGHT = 420;
const LEGEND_HEIGHT = 30;
const TICK = 5;
const LABEL_GAP = 6;
/** Beyond this many points, dots would hide the line. */
const MOST_DOTS = 60;

/** Told apart with any colour vision: Okabe and Ito, Color Universal Design, 2008. */
const COLORS: readonly Color[] = [
  [0, 114, 178],
  [213, 94, 0],
  [0, 158, 115],
  [204, 121, 167],
  [230, 159, 0],
  [86, 180, 233],
];

/**
 * Series of points joined by lines, e.g. the ELBO by epoch on training and test set.
 * @returns a PNG.
 */
export async function lineChart(
  series: readonly ChartSeries[],
  options: LineChartOptions,
): Promise<Uint8Array> {
  const lettering = await loadLettering();
  const drawn = series.map(({ label, points }) => ({ label, points, segments: finiteRuns(points) }));
  const all = drawn.flatMap(({ segments }) => segments.flat());
  const plan = planAxes(lettering, all, options);
  const page = layOutPage(lettering, options, plan.plotLeft + PLOT_WIDTH + plan.overhang, plan.height);
  const plot = { left: page.left + plan.plotLeft, top: page.top + plan.plotTop };
  drawLegend(page, lettering, plot.left, drawn);
  drawAxes(page, plan, plot);
  writeAxisLabels(page, lettering, plan, plot, options);
  const place = ([x, y]: Point): Point => [plot.left + plan.x.place(x), plot.top + plan.y.place(y)];
  drawn.forEach(({ segments, points }, i) => {
    for (const segment of segments) {
      drawPolyline(page.canvas, segment.map(place), colorOfSeries(i), hasDots(points));
    }
  });
  if (all.length === 0) {
    const text = lettering.line('no finite values', LABEL_SIZE);
    const y = plot.top + PLOT_HEIGHT / 2;
    writeText(page.canvas, text, plot.left + PLOT_WIDTH / 2, y, 'center', GREY);
  }
  return page.canvas.png();
}

function colorOfSeries(index: number): Color {
  return COLORS[index % COLORS.length]!;
}

function hasDots(points: ChartSeries['points']): boolean {
  return points.length <= MOST_DOTS;
}

/** The parts of a line between points that cannot be drawn. */
function finiteRuns(points: ChartSeries['points']): Point[][] {
  const runs: Point[][] = [[]];
  for (const [x, y] of points) {
    if (Number.isFinite(x) && Number.isFinite(y)) runs.at(-1)!.push([x, y]);
    else runs.push([]);
  }
  return runs.filter((run) => run.length > 0);
}

/** One axis: its ticks and where values stand, in pixels from the plot's upper left corner. */
interface Axis {
  readonly ticks: Ticks;
  readonly masks: readonly TextMask[];
  readonly place: (value: number) => number;
}

interface AxesPlan {
  readonly x: Axis;
  readonly y: Axis;
  readonly plotLeft: number;
  readonly plotTop: number;
  /** Right of the plot, for the last tick's label. */
  readonly overhang: number;
  readonly height: number;
}

function planAxes(lettering: Lettering, points: readonly Point[], options: LineChartOptions): AxesPlan {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [xLow, xHigh] = range(xs, 0.02);
  const [yLow, yHigh] = range(ys, 0.05);
  const xTicks = roundTicks(xLow, xHigh, 10, xs.every(Number.isInteger));
  const yTicks = roundTicks(yLow, yHigh, 7);
  const write = ({ texts }: Ticks) => texts.map((text) => lettering.line(text, CAPTION_SIZE));
  const [xMasks, yMasks] = [write(xTicks), write(yTicks)];
  const yLabelHeight = lettering.line(options.yLabel, LABEL_SIZE).height;
  const tickWidth = Math.max(0, ...yMasks.map(({ width }) => width));
  return {
    x: {
      ticks: xTicks,
      masks: xMasks,
      place: (value) => ((value - xLow) / (xHigh - xLow)) * PLOT_WIDTH,
    },
    y: {
      ticks: yTicks,
      masks: yMasks,
      place: (value) => (1 - (value - yLow) / (yHigh - yLow)) * PLOT_HEIGHT,
    },
    plotLeft: yLabelHeight + LABEL_GAP + tickWidth + LABEL_GAP + TICK,
    plotTop: LEGEND_HEIGHT,
    overhang: Math.ceil(Math.max(0, ...xMasks.map(({ width }) => width)) / 2),
    height: LEGEND_HEIGHT + PLOT_HEIGHT + TICK + 50,
  };
}

/** Of all values, wider by `margin` of itself on both sides; never empty. */
function range(values: readonly number[], margin: number): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (values.length === 0) [low, high] = [0, 1];
  // Rounding must not make ticks of a constant series collapse.
  if (high - low < Math.abs(high) * 1e-9 || high === low) {
    const spread = Math.max(Math.abs(high) * 0.1, 1);
    return [low - spread, high + spread];
  }
  return [low - margin * (high - low), high + margin * (high - low)];
}

/** Above the plot, where it hides no line. */
function drawLegend(page: Page, lettering: Lettering, left: number, series: readonly ChartSeries[]): void {
  const y = page.top + 8;
  let x = left;
  series.forEach(({ label, points }, i) => {
    const mask = lettering.line(label, LABEL_SIZE);
    const stroke: Point[] = [0, 14, 28].map((along) => [x + along, y]);
    drawPolyline(page.canvas, stroke, colorOfSeries(i), false);
    if (hasDots(points)) drawPolyline(page.canvas, stroke.slice(1, 2), colorOfSeries(i), true);
    writeText(page.canvas, mask, x + 36, y, 'left');
    x += 36 + mask.width + 28;
  });
}

function drawAxes({ canvas }: Page, { x, y }: AxesPlan, plot: { left: number; top: number }): void {
  const bottom = plot.top + PLOT_HEIGHT;
  y.ticks.values.forEach((value, i) => {
    const row = Math.round(plot.top + y.place(value));
    canvas.fillRectangle(plot.left, row, PLOT_WIDTH, 1, LIGHT_GREY);
    canvas.fillRectangle(plot.left - TICK, row, TICK, 1, GREY);
    writeText(canvas, y.masks[i]!, plot.left - TICK - LABEL_GAP, row, 'right');
  });
  x.ticks.values.forEach((value, i) => {
    const column = Math.round(plot.left + x.place(value));
    canvas.fillRectangle(column, bottom, 1, TICK, GREY);
    writeText(canvas, x.masks[i]!, column, bottom + TICK + LABEL_GAP + 6, 'center');
  });
  canvas.fillRectangle(plot.left, plot.top, 1, PLOT_HEIGHT, GREY);
  canvas.fillRectangle(plot.left, bottom, PLOT_WIDTH + 1, 1, GREY);
}

function writeAxisLabels(
  page: Page,
  lettering: Lettering,
  plan: AxesPlan,
  plot: { left: number; top: number },
  { xLabel, yLabel }: LineChartOptions,
): void {
  const xMask = lettering.line(xLabel, LABEL_SIZE);
  const xMiddle = page.top + plan.height - 12;
  writeText(page.canvas, xMask, plot.left + PLOT_WIDTH / 2, xMiddle, 'center');
  const yMask = turnLeft(lettering.line(yLabel, LABEL_SIZE));
  const yTop = Math.round(plot.top + (PLOT_HEIGHT - yMask.height) / 2);
  page.canvas.drawMask(yMask, page.left, yTop, BLACK);
}

/** So that a text reads from bottom to top. */
function turnLeft({ width, height, alpha }: TextMask): Parameters<Canvas['drawMask']>[0] {
  const turned = new Uint8Array(alpha.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned[(width - 1 - x) * height + y] = alpha[y * width + x]!;
  }
  return { width: height, height: width, alpha: turned };
}
