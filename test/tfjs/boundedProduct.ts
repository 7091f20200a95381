// Products and convolutions in float64, from their definitions, each value with the error that float32 may
// make of it.

import assert from 'node:assert/strict';
import { float32, gamma } from '../reference/rounding.js';

/** Σ of products, how many there are, and Σ of their magnitudes. */
export class Sums {
  readonly value: Float64Array;
  readonly magnitude: Float64Array;
  readonly terms: Int32Array;

  constructor(readonly size: number) {
    this.value = new Float64Array(size);
    this.magnitude = new Float64Array(size);
    this.terms = new Int32Array(size);
  }

  add(i: number, product: number): void {
    this.value[i]! += product;
    this.magnitude[i]! += Math.abs(product);
    this.terms[i]! += 1;
  }

  /** n products and their sum in any order: |error| ≤ γ_{n+1} Σ|a·b| (Higham 2002, section 3.1). */
  bound(i: number): number {
    return gamma(float32, this.terms[i]! + 1) * this.magnitude[i]!;
  }
}

/** @throws AssertionError where an element is further from its value than its bound; a NaN always is. */
export function assertWithin(
  actual: ArrayLike<number>,
  expected: { readonly size: number; value(i: number): number; bound(i: number): number },
  what: string,
): void {
  assert.equal(actual.length, expected.size, what);
  for (let i = 0; i < expected.size; i++) {
    const value = expected.value(i);
    const bound = expected.bound(i);
    if (!(Math.abs(actual[i]! - value) <= bound)) {
      assert.fail(`${what}: element ${i} is ${actual[i]}, expected ${value} ± ${bound}`);
    }
  }
}

export function assertSums(actual: ArrayLike<number>, sums: Sums, what: string): void {
  assertWithin(actual, { size: sums.size, value: (i) => sums.value[i]!, bound: (i) => sums.bound(i) }, what);
}

export interface Matrix {
  readonly values: ArrayLike<number>;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  readonly transposed: boolean;
}

/** Adds op(A) · op(B) to sums[offset …], [m, n]. */
export function addProduct(a: Matrix, b: Matrix, sums: Sums, offset: number): void {
  const [m, k] = a.transposed ? [a.columns, a.rows] : [a.rows, a.columns];
  const n = b.transposed ? b.rows : b.columns;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let l = 0; l < k; l++) {
        const x = a.values[a.offset + (a.transposed ? l * m + i : i * k + l)]!;
        const y = b.values[b.offset + (b.transposed ? j * k + l : l * n + j)]!;
        sums.add(offset + i * n + j, x * y);
      }
    }
  }
}

/** A convolution's geometry, channels last; padding is what stands before the first pixel. */
export interface Geometry {
  readonly batch: number;
  readonly big: readonly [number, number, number];
  readonly small: readonly [number, number, number];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: readonly [number, number];
}

/** Calls `visit` with the indices of x, the filter and y of every product that y is the sum of. */
export function forEachProduct(
  { batch, big, small, kernel, strides, dilations, padding }: Geometry,
  visit: (x: number, filter: number, y: number) => void,
): void {
  const [height, width, channels] = big;
  for (let image = 0; image < batch; image++) {
    for (let sy = 0; sy < small[0]; sy++) {
      for (let sx = 0; sx < small[1]; sx++) {
        for (let ky = 0; ky < kernel[0]; ky++) {
          const line = sy * strides[0] + ky * dilations[0] - padding[0];
          if (line < 0 || line >= height) continue;
          for (let kx = 0; kx < kernel[1]; kx++) {
            const column = sx * strides[1] + kx * dilations[1] - padding[1];
            if (column < 0 || column >= width) continue;
            for (let c = 0; c < channels; c++) {
              const x = ((image * height + line) * width + column) * channels + c;
              const tap = ((ky * kernel[1] + kx) * channels + c) * small[2];
              const y = ((image * small[0] + sy) * small[1] + sx) * small[2];
              for (let n = 0; n < small[2]; n++) visit(x, tap + n, y + n);
            }
          }
        }
      }
    }
  }
}

/** Uniform in [−1, 1), float32, the same for a seed in every run. */
export function sampleValues(count: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length: count }, () => {
    // Numerical Recipes' linear congruence; its high bits are good enough for test data.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
