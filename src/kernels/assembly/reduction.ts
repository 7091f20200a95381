// Reductions of tensors [outer, kept, inner, columns] over `outer` and `inner`, to [kept, columns]: what any
// two groups of neighbouring axes come to once axes of the same fate are merged. Nothing is transposed.

import { storeLanes } from './lanes';

/**
 * out[k][c] = scale · Σ x[o][k][i][c], summed in float64 and rounded once.
 * @param columns 1 where the last axis is reduced too: `inner` is contiguous then.
 */
export function reduceSum(
  x: usize,
  outer: i32,
  kept: i32,
  inner: i32,
  columns: i32,
  scale: f64,
  out: usize,
): void {
  for (let k = 0; k < kept; k++) {
    if (columns == 1) {
      store<f32>(out + ((<usize>k) << 2), <f32>(runSum(x, outer, kept, inner, k) * scale));
    } else {
      columnSums64(x, outer, kept, inner, columns, k, scale, out);
    }
  }
}

/** Sum of the runs x[o][k][0 … inner). */
// @ts-ignore: decorator
@inline
function runSum(x: usize, outer: i32, kept: i32, inner: i32, k: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  let rest: f64 = 0;
  for (let o = 0; o < outer; o++) {
    const run = x + ((<usize>(o * kept + k) * <usize>inner) << 2);
    let i = 0;
    for (; i + 8 <= inner; i += 8) {
      const p = run + ((<usize>i) << 2);
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v128.load64_zero(p)));
      s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.load64_zero(p, 8)));
      s2 = f64x2.add(s2, f64x2.promote_low_f32x4(v128.load64_zero(p, 16)));
      s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.load64_zero(p, 24)));
    }
    for (; i < inner; i++) rest += <f64>load<f32>(run + ((<usize>i) << 2));
  }
  const s = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  return rest + (f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1));
}

/** x[o][k][…][column, column + 2 · pairs): as many sums as registers hold. */
// @ts-ignore: decorator
@inline
function columnSum(
  pairs: i32,
  x: usize,
  outer: i32,
  outerPitch: usize,
  inner: i32,
  pitch: usize,
  factor: v128,
  target: usize,
  count: i32,
): void {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  let s4 = f64x2.splat(0);
  let s5 = f64x2.splat(0);
  let s6 = f64x2.splat(0);
  let s7 = f64x2.splat(0);
  for (let o = 0; o < outer; o++) {
    let p = x + <usize>o * outerPitch;
    for (let i = 0; i < inner; i++) {
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v128.load64_zero(p)));
      if (pairs == 8) {
        s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.load64_zero(p, 8)));
        s2 = f64x2.add(s2, f64x2.promote_low_f32x4(v128.load64_zero(p, 16)));
        s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.load64_zero(p, 24)));
        s4 = f64x2.add(s4, f64x2.promote_low_f32x4(v128.load64_zero(p, 32)));
        s5 = f64x2.add(s5, f64x2.promote_low_f32x4(v128.load64_zero(p, 40)));
        s6 = f64x2.add(s6, f64x2.promote_low_f32x4(v128.load64_zero(p, 48)));
        s7 = f64x2.add(s7, f64x2.promote_low_f32x4(v128.load64_zero(p, 56)));
      }
      p += pitch;
    }
  }
  if (pairs == 8) {
    v128.store64_lane(target, f32x4.demote_f64x2_zero(f64x2.mul(s0, factor)), 0);
    v128.store64_lane(target, f32x4.demote_f64x2_zero(f64x2.mul(s1, factor)), 0, 8);
    v128.store64_lane(target, f32x4.demote_f64x2_zero(f64x2.mul(s2, factor)), 0, 16);
    v128.store64_lane(target, f32x4.demote_f64x2_zero(f64x2.mul(s3, factor)), 0, 24);
    v128.store64_lane(target, f32x4.demote_f64x2_zero(f64x2.mul(s4, factor)), 0, 32);
    v128.store64_lane(target, f32x4.demote_f64x2_zero(f64x2.mul(s5, factor)), 0, 40);
    v128.store64_lane(target, f32x4.demote_f64x2_zero(f64x2.mul(s6, factor)), 0, 48);
    v128.store64_lane(target, f32x4.demote_f64x2_zero(f64x2.mul(s7, factor)), 0, 56);
  } else {
    storeLanes(target, f32x4.demote_f64x2_zero(f64x2.mul(s0, factor)), count);
  }
}

function columnSums64(
  x: usize,
  outer: i32,
  kept: i32,
  inner: i32,
  columns: i32,
  k: i32,
  scale: f64,
  out: usize,
): void {
  const pitch = (<usize>columns) << 2;
  const plane = pitch * <usize>inner;
  const outerPitch = plane * <usize>kept;
  const factor = f64x2.splat(scale);
  const source = x + <usize>k * plane;
  const target = out + <usize>k * pitch;
  let column = 0;
  for (; column + 16 <= columns; column += 16) {
    const offset = (<usize>column) << 2;
    columnSum(8, source + offset, outer, outerPitch, inner, pitch, factor, target + offset, 16);
  }
  for (; column < columns; column += 2) {
    const offset = (<usize>column) << 2;
    const count = min(columns - column, 2);
    columnSum(1, source + offset, outer, outerPitch, inner, pitch, factor, target + offset, count);
  }
}

// pmax(a, b) = a < b ? b : a and pmin are one instruction each; they let a NaN in b go by, which is looked
// for apart.

// @ts-ignore: decorator
@inline
function pick(largest: bool, a: v128, b: v128): v128 {
  return largest ? f32x4.pmax(a, b) : f32x4.pmin(a, b);
}

// @ts-ignore: decorator
@inline
function noted(broken: v128, value: v128): v128 {
  return v128.or(broken, f32x4.ne(value, value));
}

/** NaN in the lanes that met one. */
// @ts-ignore: decorator
@inline
function verdict(best: v128, broken: v128): v128 {
  return v128.bitselect(f32x4.splat(NaN), best, broken);
}

// @ts-ignore: decorator
@inline
function reduceExtreme(
  largest: bool,
  x: usize,
  outer: i32,
  kept: i32,
  inner: i32,
  columns: i32,
  out: usize,
): void {
  const plane = (<usize>columns * <usize>inner) << 2;
  const outerPitch = plane * <usize>kept;
  for (let k = 0; k < kept; k++) {
    if (columns == 1) {
      store<f32>(out + ((<usize>k) << 2), runExtreme(largest, x, outer, outerPitch, inner));
    } else {
      const target = out + ((<usize>(k * columns)) << 2);
      columnExtremes(largest, x, outer, outerPitch, inner, columns, target);
    }
    x += plane;
  }
}

// @ts-ignore: decorator
@inline
function runExtreme(largest: bool, x: usize, outer: i32, outerPitch: usize, inner: i32): f32 {
  const start = f32x4.splat(largest ? -Infinity : Infinity);
  let b0 = start;
  let b1 = start;
  let b2 = start;
  let b3 = start;
  let broken = i32x4.splat(0);
  let rest: f32 = f32x4.extract_lane(start, 0);
  for (let o = 0; o < outer; o++) {
    let p = x + <usize>o * outerPitch;
    let i = 0;
    for (; i + 16 <= inner; i += 16) {
      const v0 = v128.load(p);
      const v1 = v128.load(p, 16);
      const v2 = v128.load(p, 32);
      const v3 = v128.load(p, 48);
      b0 = pick(largest, b0, v0);
      b1 = pick(largest, b1, v1);
      b2 = pick(largest, b2, v2);
      b3 = pick(largest, b3, v3);
      broken = noted(noted(noted(noted(broken, v0), v1), v2), v3);
      p += 64;
    }
    for (; i < inner; i++) {
      const value = load<f32>(p);
      rest = largest ? max(rest, value) : min(rest, value);
      p += 4;
    }
  }
  const best = verdict(pick(largest, pick(largest, b0, b1), pick(largest, b2, b3)), broken);
  const a = f32x4.extract_lane(best, 0);
  const b = f32x4.extract_lane(best, 1);
  const c = f32x4.extract_lane(best, 2);
  const d = f32x4.extract_lane(best, 3);
  if (largest) return max(max(max(a, b), max(c, d)), rest);
  return min(min(min(a, b), min(c, d)), rest);
}

// @ts-ignore: decorator
@inline
function columnExtremes(
  largest: bool,
  x: usize,
  outer: i32,
  outerPitch: usize,
  inner: i32,
  columns: i32,
  target: usize,
): void {
  const pitch = (<usize>columns) << 2;
  const start = f32x4.splat(largest ? -Infinity : Infinity);
  for (let column = 0; column < columns; column += 8) {
    const offset = (<usize>column) << 2;
    let b0 = start;
    let b1 = start;
    let broken0 = i32x4.splat(0);
    let broken1 = i32x4.splat(0);
    for (let o = 0; o < outer; o++) {
      let p = x + <usize>o * outerPitch + offset;
      for (let i = 0; i < inner; i++) {
        const v0 = v128.load(p);
        const v1 = v128.load(p, 16);
        b0 = pick(largest, b0, v0);
        b1 = pick(largest, b1, v1);
        broken0 = noted(broken0, v0);
        broken1 = noted(broken1, v1);
        p += pitch;
      }
    }
    storeLanes(target + offset, verdict(b0, broken0), columns - column);
    if (columns - column > 4) storeLanes(target + offset + 16, verdict(b1, broken1), columns - column - 4);
  }
}

/** As reduceSum, the largest; NaN where there is one. */
export function reduceMax(x: usize, outer: i32, kept: i32, inner: i32, columns: i32, out: usize): void {
  reduceExtreme(true, x, outer, kept, inner, columns, out);
}

/** As reduceSum, the smallest; NaN where there is one. */
export function reduceMin(x: usize, outer: i32, kept: i32, inner: i32, columns: i32, out: usize): void {
  reduceExtreme(false, x, outer, kept, inner, columns, out);
}
