import { GREY } from './canvas.js';
import { textLine } from './lettering.js';
import { LABEL_SIZE, layOutPage, type Page, type PageText, writeText } from './page.js';
import { seriesColor } from './palette.js';
import { drawPlot, type PlotPlan, placeIn, planPlot } from './plot.js';
import { drawPolyline, type Point } from './polyline.js';
import type { Ticks } from './ticks.js';

export interface ChartSeries {
  /** For the legend. */
  readonly label: string;
  /** (x, y); where one of the two is not finite the line is broken. */
  readonly points: readonly (readonly [number, number])[];
}

/** One of the plots of a chart, with a y axis of its own. */
export interface ChartPanel {
  readonly yLabel: string;
  /** Values that the y axis has, whatever the points are. */
  readonly yRange?: readonly [number, number];
  /** The same labels in the same order in all panels. */
  readonly series: readonly ChartSeries[];
}

export interface LineChartOptions extends PageText {
  readonly xLabel: string;
  /** Where the x axis is labelled, and with what: for a scale that is not that of the values. */
  readonly xTicks?: Ticks;
}

const PLOT_WIDTH = 820;
const SINGLE_HEIGHT = 420;
const PANEL_HEIGHT = 230;
const LEGEND_HEIGHT = 30;
const PANEL_GAP = 14;
/** Beyond this many points, dots would hide the line. */
const MOST_DOTS = 60;

/**
 * Series of points joined by lines, e.g. the ELBO by epoch on training and test set. Panels stand one below
 * the other over the same x.
 * @returns a PNG.
 */
export async function lineChart(
  panels: readonly ChartPanel[],
  options: LineChartOptions,
): Promise<Uint8Array> {
  const plans = planPanels(panels, options);
  const left = Math.max(...plans.map((plan) => plan.left));
  const width = left + PLOT_WIDTH + Math.max(...plans.map((plan) => plan.right));
  const height = plans.reduce((sum, plan) => sum + plan.height + plan.below + PANEL_GAP, LEGEND_HEIGHT);
  const page = layOutPage(options, width, height - PANEL_GAP);
  drawLegend(page, page.left + left, panels[0]!.series);
  let top = page.top + LEGEND_HEIGHT;
  panels.forEach((panel, i) => {
    drawPanel(page, panel, plans[i]!, page.left + left, top);
    top += plans[i]!.height + plans[i]!.below + PANEL_GAP;
  });
  return page.canvas.png();
}

function planPanels(panels: readonly ChartPanel[], { xLabel, xTicks }: LineChartOptions): PlotPlan[] {
  const drawn = panels.map(({ series }) => series.flatMap(({ points }) => finiteRuns(points).flat()));
  // One scale for the x of all panels.
  const xs = drawn.flat().map(([x]) => x);
  return panels.map(({ yLabel, yRange = [] }, i) =>
    planPlot({
      width: PLOT_WIDTH,
      height: panels.length === 1 ? SINGLE_HEIGHT : PANEL_HEIGHT,
      xs,
      ys: [...drawn[i]!.map(([, y]) => y), ...yRange],
      yLabel,
      mostXTicks: 10,
      xTicks,
      mostYTicks: panels.length === 1 ? 7 : 6,
      ...(i === panels.length - 1 ? { xLabel } : {}),
    }),
  );
}

function drawPanel(page: Page, { series }: ChartPanel, plan: PlotPlan, left: number, top: number): void {
  const { canvas } = page;
  drawPlot(canvas, plan, page.left, left, top);
  const place = placeIn(plan, left, top);
  const segments = series.map(({ points }) => finiteRuns(points));
  series.forEach(({ points }, i) => {
    for (const segment of segments[i]!) {
      drawPolyline(canvas, segment.map(place), seriesColor(i), hasDots(points));
    }
  });
  if (segments.flat().length === 0) {
    const text = textLine('no finite values', LABEL_SIZE);
    writeText(canvas, text, left + plan.width / 2, top + plan.height / 2, 'center', GREY);
  }
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

/** Above the plots, where it hides no line. */
function drawLegend(page: Page, left: number, series: readonly ChartSeries[]): void {
  const y = page.top + 8;
  let x = left;
  series.forEach(({ label, points }, i) => {
    const mask = textLine(label, LABEL_SIZE);
    const stroke: Point[] = [0, 14, 28].map((along) => [x + along, y]);
    drawPolyline(page.canvas, stroke, seriesColor(i), false);
    if (hasDots(points)) drawPolyline(page.canvas, stroke.slice(1, 2), seriesColor(i), true);
    writeText(page.canvas, mask, x + 36, y, 'left');
    x += 36 + mask.width + 28;
  });
}
