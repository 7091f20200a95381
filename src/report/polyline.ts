import type { Canvas, Color } from './canvas.js';
import { shadeOf } from './rasterizer.js';

/** (x, y), pixels; the middle of the pixel in the corner is (0, 0). */
export type Point = readonly [number, number];

const HALF_WIDTH = 1.1;
const DOT_RADIUS = 3.2;

/** Joins the points by a smooth line, with a dot at each if `dots`; one point alone is always a dot. */
export function drawPolyline(canvas: Canvas, points: readonly Point[], color: Color, dots: boolean): void {
  // The most that any segment covers of a pixel: blending each segment by itself would darken the joints.
  const coverage = new Map<number, number>();
  const cover = (from: Point, to: Point, radius: number) => {
    const reach = radius + 1;
    const bottom = Math.ceil(Math.max(from[1], to[1]) + reach);
    const right = Math.ceil(Math.max(from[0], to[0]) + reach);
    for (let y = Math.floor(Math.min(from[1], to[1]) - reach); y <= bottom; y++) {
      for (let x = Math.floor(Math.min(from[0], to[0]) - reach); x <= right; x++) {
        if (x < 0 || y < 0 || x >= canvas.width || y >= canvas.height) continue;
        const covered = shadeOf(radius + 0.5 - distance([x, y], from, to));
        const pixel = y * canvas.width + x;
        if (covered > (coverage.get(pixel) ?? 0)) coverage.set(pixel, covered);
      }
    }
  };
  points.forEach((point, i) => {
    if (i > 0) cover(points[i - 1]!, point, HALF_WIDTH);
    if (dots || points.length === 1) cover(point, point, DOT_RADIUS);
  });
  for (const [pixel, covered] of coverage) {
    canvas.blend(pixel % canvas.width, Math.floor(pixel / canvas.width), color, covered);
  }
}

/** From `point` to the nearest point of the segment. */
function distance([x, y]: Point, [x0, y0]: Point, [x1, y1]: Point): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(Math.max(((x - x0) * dx + (y - y0) * dy) / length, 0), 1);
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
}
