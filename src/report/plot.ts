// The frame of a plot: two axes with round ticks, and where values stand between them.
import { BLACK, type Canvas, GREY, LIGHT_GREY } from './canvas.js';
import { type Mask, type TextMask, textLine } from './lettering.js';
import { CAPTION_SIZE, LABEL_SIZE, writeText } from './page.js';
import type { Point } from './polyline.js';
import { roundTicks, type Ticks } from './ticks.js';

const TICK = 5;
const LABEL_GAP = 6;
/** Below the plot: ticks and their labels. */
const TICKS_HEIGHT = TICK + LABEL_GAP + 18;
const X_LABEL_HEIGHT = 26;

/** One axis: its ticks and where values stand, in pixels from the plot's upper left corner. */
interface Axis {
  readonly ticks: Ticks;
  readonly masks: readonly TextMask[];
  readonly place: (value: number) => number;
}

export interface PlotPlan {
  /** The width of the plot without ticks and labels. */
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  readonly xLabel: TextMask | undefined;
  readonly yLabel: TextMask;
  /** Left, right and below: what ticks and labels take. */
  readonly left: number;
  readonly right: number;
  readonly below: number;
}

export interface PlotOptions {
  readonly width: number;
  readonly height: number;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** Absent where a plot below has the same axis. */
  readonly xLabel?: string;
  readonly yLabel: string;
  /** Whether a unit is to be as long on one axis as on the other. */
  readonly equalUnits?: boolean;
  readonly mostXTicks: number;
  readonly mostYTicks: number;
  /** Where the x axis is labelled, and with what. Default: round values. */
  readonly xTicks?: Ticks | undefined;
}

export function planPlot(options: PlotOptions): PlotPlan {
  const { width, height, xs, ys } = options;
  let xRange = rangeOf(xs, 0.02);
  let yRange = rangeOf(ys, 0.05);
  if (options.equalUnits) {
    const unit = Math.max((xRange[1] - xRange[0]) / width, (yRange[1] - yRange[0]) / height);
    xRange = widened(xRange, unit * width);
    yRange = widened(yRange, unit * height);
  }
  const whole = !options.equalUnits && xs.every(Number.isInteger);
  const xTicks = options.xTicks ?? roundTicks(...xRange, options.mostXTicks, whole);
  const x = axis(xTicks, (value) => share(xRange, value) * width);
  const y = axis(roundTicks(...yRange, options.mostYTicks), (value) => (1 - share(yRange, value)) * height);
  const xLabel = options.xLabel === undefined ? undefined : textLine(options.xLabel, LABEL_SIZE);
  const yLabel = textLine(options.yLabel, LABEL_SIZE);
  return {
    width,
    height,
    x,
    y,
    xLabel,
    yLabel,
    left: yLabel.height + LABEL_GAP + widest(y.masks) + LABEL_GAP + TICK,
    right: Math.ceil(widest(x.masks) / 2),
    below: TICKS_HEIGHT + (xLabel ? X_LABEL_HEIGHT : 0),
  };
}

/** Draws the axes of a plot whose upper left corner is at (left, top). @param edge the page's left edge. */
export function drawPlot(canvas: Canvas, plan: PlotPlan, edge: number, left: number, top: number): void {
  const { x, y, width, height } = plan;
  const bottom = top + height;
  y.ticks.values.forEach((value, i) => {
    const row = Math.round(top + y.place(value));
    canvas.fillRectangle(left, row, width, 1, LIGHT_GREY);
    canvas.fillRectangle(left - TICK, row, TICK, 1, GREY);
    writeText(canvas, y.masks[i]!, left - TICK - LABEL_GAP, row, 'right');
  });
  x.ticks.values.forEach((value, i) => {
    const column = Math.round(left + x.place(value));
    canvas.fillRectangle(column, bottom, 1, TICK, GREY);
    writeText(canvas, x.masks[i]!, column, bottom + TICK + LABEL_GAP + 6, 'center');
  });
  canvas.fillRectangle(left, top, 1, height, GREY);
  canvas.fillRectangle(left, bottom, width + 1, 1, GREY);
  if (plan.xLabel) {
    writeText(canvas, plan.xLabel, left + width / 2, bottom + TICKS_HEIGHT + X_LABEL_HEIGHT / 2, 'center');
  }
  const turned = turnLeft(plan.yLabel);
  canvas.drawMask(turned, edge, Math.round(top + (height - turned.height) / 2), BLACK);
}

/** Where (x, y) stands in a plot whose upper left corner is at (left, top). */
export function placeIn(plan: PlotPlan, left: number, top: number): (point: Point) => Point {
  return ([x, y]) => [left + plan.x.place(x), top + plan.y.place(y)];
}

function axis(ticks: Ticks, place: (value: number) => number): Axis {
  return { ticks, place, masks: ticks.texts.map((text) => textLine(text, CAPTION_SIZE)) };
}

function widest(masks: readonly Mask[]): number {
  return Math.max(0, ...masks.map(({ width }) => width));
}

function share([low, high]: readonly [number, number], value: number): number {
  return (value - low) / (high - low);
}

function widened([low, high]: readonly [number, number], span: number): [number, number] {
  const middle = (low + high) / 2;
  return [middle - span / 2, middle + span / 2];
}

/** The range of all values, wider by `margin` of itself on both sides; never empty. */
function rangeOf(values: readonly number[], margin: number): [number, number] {
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

/** So that a text reads from bottom to top. */
function turnLeft({ width, height, alpha }: Mask): Mask {
  const turned = new Uint8Array(alpha.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned[(width - 1 - x) * height + y] = alpha[y * width + x]!;
  }
  return { width: height, height: width, alpha: turned };
}
