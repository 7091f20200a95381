/** Values at which an axis from `low` to `high` is labelled, and their texts. */
export interface Ticks {
  readonly values: readonly number[];
  readonly texts: readonly string[];
}

/**
 * Round values within [low, high], 1, 2 or 5 times a power of ten apart, at most `most` of them where `most` is at
 * least 4.
 * @param whole whether values between whole numbers make no sense, e.g. for epochs.
 */
export function roundTicks(low: number, high: number, most: number, whole = false): Ticks {
  const step = roundStep((high - low) / most, whole);
  const values: number[] = [];
  // Counted, not summed up: no rounding error adds up. The tolerance admits an end that is a tick but for rounding.
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
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
