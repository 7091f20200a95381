// Tests of distributions. Seeds are fixed, so a test that passes once passes always; the significance says
// how surprising a right generator's failure would have been when the seed was chosen.

/** |z| that a standard normal exceeds with probability 6.3e-5. */
export const FOUR_SIGMA = 4;

/**
 * Φ, by the series of Marsaglia (2004, "Evaluating the normal distribution"): exact to float64 for |x| < 8.
 */
export function normalCdf(x: number): number {
  if (Math.abs(x) >= 8) return x < 0 ? 0 : 1;
  let sum = x;
  let term = x;
  for (let i = 3; Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-0.5 * x * x - 0.5 * Math.log(2 * Math.PI));
}

/** Largest distance between the values' empirical distribution and `cdf` (Kolmogorov and Smirnov). */
export function kolmogorovDistance(values: Iterable<number>, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  let distance = 0;
  sorted.forEach((value, i) => {
    const p = cdf(value);
    distance = Math.max(distance, p - i / sorted.length, (i + 1) / sorted.length - p);
  });
  return distance;
}

/** The distance that n values exceed with the given probability, for large n: √(−ln(α / 2) / 2n). */
export function kolmogorovCritical(n: number, significance: number): number {
  return Math.sqrt(-Math.log(significance / 2) / (2 * n));
}

/** Σ (observed − expected)² / expected. */
export function chiSquare(observed: ArrayLike<number>, expected: number): number {
  let sum = 0;
  for (let i = 0; i < observed.length; i++) sum += (observed[i]! - expected) ** 2 / expected;
  return sum;
}

/** The χ² that is exceeded with the normal probability of `sigmas` (Wilson and Hilferty 1931). */
export function chiSquareCritical(degrees: number, sigmas: number): number {
  const variance = 2 / (9 * degrees);
  return degrees * (1 - variance + sigmas * Math.sqrt(variance)) ** 3;
}

export interface Moments {
  readonly mean: number;
  readonly variance: number;
  readonly skewness: number;
  /** 3 for a normal distribution. */
  readonly kurtosis: number;
}

export function moments(values: ArrayLike<number>): Moments {
  const n = values.length;
  const mean = sum(values, (x) => x) / n;
  const central = (power: number) => sum(values, (x) => (x - mean) ** power) / n;
  const variance = central(2);
  return { mean, variance, skewness: central(3) / variance ** 1.5, kurtosis: central(4) / variance ** 2 };
}

/** Pearson's r; r √n of independent values is standard normal for large n. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [momentsA, momentsB] = [moments(a), moments(b)];
  const product = sum(a, (x, i) => (x - momentsA.mean) * (b[i]! - momentsB.mean)) / a.length;
  return product / Math.sqrt(momentsA.variance * momentsB.variance);
}

function sum(values: ArrayLike<number>, of: (value: number, i: number) => number): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += of(values[i]!, i);
  return total;
}
