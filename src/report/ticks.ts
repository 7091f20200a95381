/** Values at which an axis from `low` to `high` is labelled, and their texts. */
export interface Ticks {
  readonly values: readonly number[];
  readonly texts: readonly string[];
}

/**
 * Round values within [low, high], 1, 2 or 5 times a power of ten apart: at most `most` (5 or more), and at
 * least 2.
 * @param whole for what comes in whole numbers, e.g. epochs; then there may be fewer.
 */
export function roundTicks(low: number, high: number, most: number, whole = false): Ticks {
  // An end that is a tick but for rounding is admitted, and has to be counted in.
  const tolerance = 1e-9;
  const step = roundStep(((high - low) / most) * (1 + 10 * tolerance), whole);
  const values: number[] = [];
  const first = Math.ceil(low / step - tolerance);
  const last = Math.floor(high / step + tolerance);
  for (let i = first; i <= last; i++) values.push(i * step);
  const decimals = Math.max(-Math.floor(Math.log10(step) + 1e-9), 0);
  return { values, texts: values.map((value) => tickText(value, decimals)) };
}

/** The smallest of 1, 2, 5, 10, 20, … × 10^k that is larger than `least`. */
function roundStep(least: number, whole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(least));
  // 20, because log10 may round down across a whole number.
  const step = [1, 2, 5, 10, 20].map((factor) => factor * power).find((candidate) => candidate > least)!;
  return whole ? Math.max(step, 1) : step;
}

function tickText(value: number, decimals: number): string {
  if (Math.abs(value) >= 1e7) return value.toExponential(1);
  if (decimals > 6) return value === 0 ? '0' : value.toExponential(1);
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? '0' : text;
}
