import type { Color } from './canvas.js';

/** Told apart with any colour vision: Okabe and Ito, Color Universal Design, 2008. */
const SERIES: readonly Color[] = [
  [0, 114, 178],
  [213, 94, 0],
  [0, 158, 115],
  [204, 121, 167],
  [230, 159, 0],
  [86, 180, 233],
];

/** The colours of lines, of which there are few. */
export function seriesColor(index: number): Color {
  return SERIES[index % SERIES.length]!;
}

/** Ten hues of differing lightness. */
const CLASSES: readonly Color[] = [
  [31, 119, 180],
  [230, 120, 20],
  [44, 140, 44],
  [205, 35, 40],
  [140, 90, 190],
  [125, 75, 60],
  [225, 105, 185],
  [100, 100, 100],
  [165, 165, 20],
  [20, 180, 200],
];

/**
 * The colours of classes, of which there may be many: beyond ten the same hues come again, darker each time.
 */
export function classColor(index: number): Color {
  const [red, green, blue] = CLASSES[index % CLASSES.length]!;
  const dim = 1 / (1 + 0.6 * (Math.floor(index / CLASSES.length) % 4));
  return [Math.round(red * dim), Math.round(green * dim), Math.round(blue * dim)];
}
