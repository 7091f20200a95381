// out = f(a, b) with broadcasting. A plan (a table of int32) holds three outer extents and the inner one,
// then the steps of a in bytes, then those of b, in the same order; inner steps are 4 or 0 (the same number
// again and again).

import { storeLanes } from './lanes';

const MAXIMUM = 0;
const MINIMUM = 1;
const GREATER = 2;
const GREATER_EQUAL = 3;
const LESS = 4;
const LESS_EQUAL = 5;
const EQUAL = 6;
const NOT_EQUAL = 7;

// @ts-ignore: decorator
@inline
function apply(f: i32, a: v128, b: v128): v128 {
  if (f == MAXIMUM) return f32x4.max(a, b);
  if (f == MINIMUM) return f32x4.min(a, b);
  if (f == GREATER) return f32x4.gt(a, b);
  if (f == GREATER_EQUAL) return f32x4.ge(a, b);
  if (f == LESS) return f32x4.lt(a, b);
  if (f == LESS_EQUAL) return f32x4.le(a, b);
  if (f == EQUAL) return f32x4.eq(a, b);
  return f32x4.ne(a, b);
}

// @ts-ignore: decorator
@inline
function operand(address: usize, step: i32): v128 {
  return step ? v128.load(address) : v128.load32_splat(address);
}

/** Sixteen comparisons, as the bytes 0 and 1. */
// @ts-ignore: decorator
@inline
function truths(a: v128, b: v128, c: v128, d: v128): v128 {
  const words = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
  return v128.and(words, i8x16.splat(1));
}

// @ts-ignore: decorator
@inline
function run(f: i32, a: usize, aStep: i32, b: usize, bStep: i32, out: usize, count: i32): void {
  let i = 0;
  if (f < GREATER) {
    for (; i < count; i += 4) {
      storeLanes(out, apply(f, operand(a, aStep), operand(b, bStep)), count - i);
      a += aStep << 2;
      b += bStep << 2;
      out += 16;
    }
  } else {
    for (; i + 16 <= count; i += 16) {
      const t0 = apply(f, operand(a, aStep), operand(b, bStep));
      const t1 = apply(f, operand(a + (aStep << 2), aStep), operand(b + (bStep << 2), bStep));
      const t2 = apply(f, operand(a + (aStep << 3), aStep), operand(b + (bStep << 3), bStep));
      const t3 = apply(f, operand(a + aStep * 12, aStep), operand(b + bStep * 12, bStep));
      v128.store(out, truths(t0, t1, t2, t3));
      a += aStep << 4;
      b += bStep << 4;
      out += 16;
    }
    for (; i < count; i++) {
      const t = apply(f, v128.load32_zero(a), v128.load32_zero(b));
      store<u8>(out, i32x4.extract_lane(t, 0) & 1);
      a += aStep;
      b += bStep;
      out += 1;
    }
  }
}

// @ts-ignore: decorator
@inline
function broadcast(f: i32, plan: usize, a: usize, b: usize, out: usize): void {
  const count = load<i32>(plan, 12);
  const aStep = load<i32>(plan, 28);
  const bStep = load<i32>(plan, 44);
  const size = f < GREATER ? count << 2 : count;
  for (let i = 0; i < load<i32>(plan); i++) {
    for (let j = 0; j < load<i32>(plan, 4); j++) {
      for (let k = 0; k < load<i32>(plan, 8); k++) {
        const p = a + i * load<i32>(plan, 16) + j * load<i32>(plan, 20) + k * load<i32>(plan, 24);
        const q = b + i * load<i32>(plan, 32) + j * load<i32>(plan, 36) + k * load<i32>(plan, 40);
        if (aStep == 0) run(f, p, 0, q, 4, out, count);
        else if (bStep == 0) run(f, p, 4, q, 0, out, count);
        else run(f, p, 4, q, 4, out, count);
        out += size;
      }
    }
  }
}

/** The larger; NaN where one is. */
export function broadcastMaximum(plan: usize, a: usize, b: usize, out: usize): void {
  broadcast(MAXIMUM, plan, a, b, out);
}

/** The smaller; NaN where one is. */
export function broadcastMinimum(plan: usize, a: usize, b: usize, out: usize): void {
  broadcast(MINIMUM, plan, a, b, out);
}

/** Comparisons give bytes, 0 or 1. */
export function broadcastGreater(plan: usize, a: usize, b: usize, out: usize): void {
  broadcast(GREATER, plan, a, b, out);
}

export function broadcastGreaterEqual(plan: usize, a: usize, b: usize, out: usize): void {
  broadcast(GREATER_EQUAL, plan, a, b, out);
}

export function broadcastLess(plan: usize, a: usize, b: usize, out: usize): void {
  broadcast(LESS, plan, a, b, out);
}

export function broadcastLessEqual(plan: usize, a: usize, b: usize, out: usize): void {
  broadcast(LESS_EQUAL, plan, a, b, out);
}

export function broadcastEqual(plan: usize, a: usize, b: usize, out: usize): void {
  broadcast(EQUAL, plan, a, b, out);
}

export function broadcastNotEqual(plan: usize, a: usize, b: usize, out: usize): void {
  broadcast(NOT_EQUAL, plan, a, b, out);
}

/** out[i] = condition[i] ? whenTrue[i] : whenFalse[i]; the condition in bytes, words of any kind. */
export function selectWords(
  condition: usize,
  whenTrue: usize,
  whenFalse: usize,
  count: i32,
  out: usize,
): void {
  const zero = i32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const offset = (<usize>i) << 2;
    const bytes = v128.load32_zero(condition + i);
    const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
    const chosen = v128.bitselect(
      v128.load(whenFalse + offset),
      v128.load(whenTrue + offset),
      i32x4.eq(words, zero),
    );
    storeLanes(out + offset, chosen, count - i);
  }
}

/** out[i] = a[i] and b[i], of bytes 0 and 1. */
export function andBytes(a: usize, b: usize, count: i32, out: usize): void {
  let i = 0;
  for (; i + 16 <= count; i += 16) v128.store(out + i, v128.and(v128.load(a + i), v128.load(b + i)));
  for (; i < count; i++) store<u8>(out + i, load<u8>(a + i) & load<u8>(b + i));
}

/** out[i] = a[i] or b[i], of bytes 0 and 1. */
export function orBytes(a: usize, b: usize, count: i32, out: usize): void {
  let i = 0;
  for (; i + 16 <= count; i += 16) v128.store(out + i, v128.or(v128.load(a + i), v128.load(b + i)));
  for (; i < count; i++) store<u8>(out + i, load<u8>(a + i) | load<u8>(b + i));
}
