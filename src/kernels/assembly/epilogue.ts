// What follows a product of TensorFlow.js in the same call: bias and activation, in place.

import { expm1, logistic } from './functions';
import { storeLanes } from './lanes';

const RELU = 1;
const RELU6 = 2;
const ELU = 3;
const SIGMOID = 4;
const LEAKY_RELU = 5;

/** `columnStride` 4 or 0 (bytes): one number for each column, or one for the row. */
// @ts-ignore: decorator
@inline
function loadAcross(row: usize, column: i32, columnStride: i32): v128 {
  return columnStride ? v128.load(row + ((<usize>column) << 2)) : v128.load32_splat(row);
}

/** out[r][n] += addend[r][n]; the addend's rows lie `rowStride` bytes apart (0: the same for all). */
export function addRows(
  out: usize,
  rows: i32,
  columns: i32,
  addend: usize,
  rowStride: i32,
  columnStride: i32,
): void {
  for (let row = 0; row < rows; row++) {
    for (let n = 0; n < columns; n += 4) {
      const place = out + ((<usize>n) << 2);
      const sum = f32x4.add(v128.load(place), loadAcross(addend, n, columnStride));
      storeLanes(place, sum, columns - n);
    }
    out += (<usize>columns) << 2;
    addend += rowStride;
  }
}

/** out[r][n] = row[n]. */
export function fillRows(out: usize, rows: i32, columns: i32, row: usize): void {
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < columns; n += 4) {
      storeLanes(out + ((<usize>n) << 2), v128.load(row + ((<usize>n) << 2)), columns - n);
    }
    out += (<usize>columns) << 2;
  }
}

/**
 * out = activation(out): one of those of src/tfjs/epilogue.ts, but PRELU. `slope` is LEAKY_RELU's below zero.
 */
export function activate(kind: i32, out: usize, count: i32, slope: f32): void {
  const zero = f32x4.splat(0);
  const factor = f32x4.splat(slope);
  for (let i = 0; i < count; i += 4) {
    const place = out + ((<usize>i) << 2);
    const x = v128.load(place);
    let y = x;
    // pmax(x, 0) = x < 0 ? 0 : x and pmin(x, 6) = 6 < x ? 6 : x keep a NaN.
    if (kind == RELU) y = f32x4.pmax(x, zero);
    else if (kind == RELU6) y = f32x4.pmin(f32x4.pmax(x, zero), f32x4.splat(6));
    else if (kind == ELU) y = v128.bitselect(expm1(x), x, f32x4.lt(x, zero));
    else if (kind == SIGMOID) y = logistic(x);
    else if (kind == LEAKY_RELU) y = v128.bitselect(f32x4.mul(x, factor), x, f32x4.lt(x, zero));
    storeLanes(place, y, count - i);
  }
}

/** out[r][n] = out[r][n] · (out[r][n] < 0 ? slopes[r][n] : 1); strides as in addRows. */
export function preluRows(
  out: usize,
  rows: i32,
  columns: i32,
  slopes: usize,
  rowStride: i32,
  columnStride: i32,
): void {
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    for (let n = 0; n < columns; n += 4) {
      const place = out + ((<usize>n) << 2);
      const x = v128.load(place);
      const slope = loadAcross(slopes, n, columnStride);
      storeLanes(place, v128.bitselect(f32x4.mul(x, slope), x, f32x4.lt(x, zero)), columns - n);
    }
    out += (<usize>columns) << 2;
    slopes += rowStride;
  }
}

/** dx = x > 0 ? dy : 0, and NaN where x is. */
export function reluGradient(x: usize, dy: usize, dx: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const offset = (<usize>i) << 2;
    const value = v128.load(x + offset);
    const slope = v128.and(v128.load(dy + offset), f32x4.gt(value, zero));
    storeLanes(dx + offset, v128.or(slope, f32x4.ne(value, value)), count - i);
  }
}
