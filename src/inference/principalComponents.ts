/** Points in the plane of their two directions of largest variance. */
export interface PlaneProjection {
  /** [n, 2], from the points' mean. Rows that are not finite stay so. */
  readonly points: Float64Array;
  /** Share of the whole variance that each of the two directions has, 0 to 1. */
  readonly shares: readonly [number, number];
}

/**
 * The power iteration ends when no coordinate of the unit vector moves by more, or after so many products.
 */
const TOLERANCE = 1e-10;
const MOST_PRODUCTS = 2000;

/**
 * The first two principal components (Pearson 1901), by power iteration on the covariance and deflation.
 * Deterministic: the iteration starts from the covariance's column of largest variance, and each direction's
 * largest coordinate is positive.
 * @param rows [n, dimensions], dimensions 2 or more.
 */
export function projectToPlane(rows: Float32Array, dimensions: number): PlaneProjection {
  const finite = finiteRows(rows, dimensions);
  const mean = meanOf(rows, dimensions, finite);
  const covariance = covarianceOf(rows, mean, finite);
  let variance = 0;
  for (let i = 0; i < dimensions; i++) variance += covariance[i * dimensions + i]!;
  const first = takeComponent(covariance, dimensions);
  const second = takeComponent(covariance, dimensions);
  const n = rows.length / dimensions;
  const points = new Float64Array(2 * n);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < dimensions; i++) {
      const centred = rows[row * dimensions + i]! - mean[i]!;
      points[2 * row]! += centred * first.direction[i]!;
      points[2 * row + 1]! += centred * second.direction[i]!;
    }
  }
  const share = (part: number) => (variance > 0 ? part / variance : 0);
  return { points, shares: [share(first.variance), share(second.variance)] };
}

function finiteRows(rows: Float32Array, dimensions: number): number[] {
  return Array.from({ length: rows.length / dimensions }, (_, row) => row).filter((row) =>
    rows.subarray(row * dimensions, (row + 1) * dimensions).every(Number.isFinite),
  );
}

function meanOf(rows: Float32Array, dimensions: number, used: readonly number[]): Float64Array {
  const sums = new Float64Array(dimensions);
  for (const row of used) {
    for (let i = 0; i < dimensions; i++) sums[i]! += rows[row * dimensions + i]!;
  }
  return sums.map((sum) => sum / Math.max(used.length, 1));
}

/** [dimensions, dimensions], divided by the number of rows. */
function covarianceOf(rows: Float32Array, mean: Float64Array, used: readonly number[]): Float64Array {
  const d = mean.length;
  const covariance = new Float64Array(d * d);
  const centred = new Float64Array(d);
  for (const row of used) {
    for (let i = 0; i < d; i++) centred[i] = rows[row * d + i]! - mean[i]!;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) covariance[i * d + j]! += centred[i]! * centred[j]!;
    }
  }
  return covariance.map((sum) => sum / Math.max(used.length, 1));
}

interface Component {
  /** A unit vector, or zeros where no variance is left. */
  readonly direction: Float64Array;
  readonly variance: number;
}

/** The direction of largest variance; takes its part out of `covariance`. */
function takeComponent(covariance: Float64Array, d: number): Component {
  let direction = startOf(covariance, d);
  for (let product = 0; product < MOST_PRODUCTS; product++) {
    const next = unit(multiply(covariance, direction));
    const moved = next.some((value, i) => Math.abs(value - direction[i]!) > TOLERANCE);
    direction = next;
    if (!moved) break;
  }
  const variance = dot(direction, multiply(covariance, direction));
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) covariance[i * d + j]! -= variance * direction[i]! * direction[j]!;
  }
  return { direction: withPositiveLargest(direction), variance: Math.max(variance, 0) };
}

function startOf(covariance: Float64Array, d: number): Float64Array {
  let largest = 0;
  for (let i = 1; i < d; i++) {
    if (covariance[i * d + i]! > covariance[largest * d + largest]!) largest = i;
  }
  return unit(covariance.slice(largest * d, (largest + 1) * d));
}

function multiply(matrix: Float64Array, vector: Float64Array): Float64Array {
  const d = vector.length;
  return vector.map((_, i) => dot(matrix.subarray(i * d, (i + 1) * d), vector));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  return length > 0 ? vector.map((value) => value / length) : vector;
}

function withPositiveLargest(vector: Float64Array): Float64Array {
  const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return largest < 0 ? vector.map((value) => -value) : vector;
}
