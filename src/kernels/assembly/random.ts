// Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011), four counters at a time: a pure function of (key,
// counter).
//
// A row of random numbers belongs to one counter (block, position, step, purpose): word w of block b, b in
// groups of four, is element 16 (b / 4) + 4 w + b % 4 of the row. The order saves a transposition.

import { cosQuarter, log, sinQuarter } from './elementary';
import { storeLanes } from './lanes';

// @ts-ignore: decorator
@inline
function multiplyHigh(a: v128, b: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, b);
  const high = i64x2.extmul_high_i32x4_u(a, b);
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/** Words of the counters (block … block + 3, position, step, purpose): [word, block] at out, 16 u32. */
// @ts-ignore: decorator
@inline
function philox(out: usize, key0: u32, key1: u32, block: u32, position: u32, step: u32, purpose: u32): void {
  let c0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let c1 = i32x4.splat(position);
  let c2 = i32x4.splat(step);
  let c3 = i32x4.splat(purpose);
  const m0 = i32x4.splat(0xd2511f53);
  const m1 = i32x4.splat(0xcd9e8d57);
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(c0, m0);
    const high1 = multiplyHigh(c2, m1);
    const low0 = i32x4.mul(c0, m0);
    const low1 = i32x4.mul(c2, m1);
    c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(key0));
    c1 = low1;
    c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(key1));
    c3 = low0;
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  v128.store(out, c1, 16);
  v128.store(out, c0);
  v128.store(out, c3, 48);
  v128.store(out, c2, 32);
}

/** `count` random u32 of one row, written in whole groups of sixteen. */
export function randomBits(
  out: usize,
  count: i32,
  key0: u32,
  key1: u32,
  position: u32,
  step: u32,
  purpose: u32,
): void {
  for (let i = 0; i < count; i += 16) {
    philox(out + ((<usize>i) << 2), key0, key1, i >> 2, position, step, purpose);
  }
}

/** (bits + ½) 2⁻³² in float32: in (0, 1], as fine near 0 as float32 allows. */
// @ts-ignore: decorator
@inline
function toUnit(bits: v128): v128 {
  const half = f32x4.add(f32x4.convert_i32x4_u(bits), f32x4.splat(0.5));
  return f32x4.mul(half, f32x4.splat(2.3283064365386963e-10));
}

/** out[i] = low + (high − low) · u, u uniform on [0, 1) in steps of 2⁻²⁴; needs 64 bytes of scratch. */
export function randomUniform(
  out: usize,
  count: i32,
  low: f32,
  high: f32,
  key0: u32,
  key1: u32,
  position: u32,
  step: u32,
  purpose: u32,
  scratch: usize,
): void {
  const base = f32x4.splat(low);
  const width = f32x4.splat(high - low);
  for (let i = 0; i < count; i += 16) {
    philox(scratch, key0, key1, i >> 2, position, step, purpose);
    for (let w = 0; w < 16 && i + w < count; w += 4) {
      const bits = i32x4.shr_u(v128.load(scratch + ((<usize>w) << 2)), 8);
      const unit = f32x4.mul(f32x4.convert_i32x4_s(bits), f32x4.splat(5.9604644775390625e-8));
      const value = f32x4.add(base, f32x4.mul(width, unit));
      storeLanes(out + ((<usize>(i + w)) << 2), value, count - i - w);
    }
  }
}

/**
 * Standard normals by Box and Muller (1958): √(−2 ln u) · (cos, sin)(2π v). `rows` rows of `count` floats,
 * row r from the counter's position + r; needs 64 bytes of scratch.
 */
export function randomNormal(
  out: usize,
  rows: i32,
  count: i32,
  key0: u32,
  key1: u32,
  position: u32,
  step: u32,
  purpose: u32,
  scratch: usize,
): void {
  for (let row = 0; row < rows; row++) {
    const target = out + ((<usize>(row * count)) << 2);
    for (let i = 0; i < count; i += 16) {
      philox(scratch, key0, key1, i >> 2, position + row, step, purpose);
      boxMuller(scratch);
      boxMuller(scratch + 32);
      for (let w = 0; w < 16 && i + w < count; w += 4) {
        storeLanes(target + ((<usize>(i + w)) << 2), v128.load(scratch + ((<usize>w) << 2)), count - i - w);
      }
    }
  }
}

/** Two vectors of bits at `pair` become two vectors of normals. */
// @ts-ignore: decorator
@inline
function boxMuller(pair: usize): void {
  const radius = f32x4.sqrt(f32x4.mul(f32x4.splat(-2), log(toUnit(v128.load(pair)))));
  // 2π v as quarter turns: v = bits · 2⁻²⁴, 4 v = quadrant + fraction, fraction in [−½, ½]; both exact.
  const turns = f32x4.mul(
    f32x4.convert_i32x4_s(i32x4.shr_u(v128.load(pair, 16), 8)),
    f32x4.splat(2.384185791015625e-7),
  );
  const nearest = f32x4.nearest(turns);
  const angle = f32x4.mul(f32x4.sub(turns, nearest), f32x4.splat(1.5707963267948966));
  const quadrant = i32x4.trunc_sat_f32x4_s(nearest);
  const sine = sinQuarter(angle);
  const cosine = cosQuarter(angle);
  // Quadrants 1 and 3 exchange sine and cosine; cos is negative in 1 and 2, sin in 2 and 3.
  const odd = i32x4.ne(v128.and(quadrant, i32x4.splat(1)), i32x4.splat(0));
  const cosineSign = i32x4.shl(v128.and(i32x4.add(quadrant, i32x4.splat(1)), i32x4.splat(2)), 30);
  const sineSign = i32x4.shl(v128.and(quadrant, i32x4.splat(2)), 30);
  const c = v128.xor(v128.bitselect(sine, cosine, odd), cosineSign);
  const s = v128.xor(v128.bitselect(cosine, sine, odd), sineSign);
  v128.store(pair, f32x4.mul(radius, s), 16);
  v128.store(pair, f32x4.mul(radius, c));
}

/** Four grey values as binarize has them; `bits` for mode 2. */
// @ts-ignore: decorator
@inline
function binarized(mode: i32, grey: v128, bits: usize): v128 {
  if (mode == 0) return f32x4.div(f32x4.convert_i32x4_s(grey), f32x4.splat(255));
  let one: v128;
  if (mode == 1) {
    one = i32x4.gt_s(grey, i32x4.splat(127));
  } else {
    // grey / 255 · (2³² − 1) is an integer; bits below it, and grey 255 always.
    const bounded = i32x4.min_u(v128.load(bits), i32x4.splat(0xfffffffe));
    one = i32x4.lt_u(bounded, i32x4.mul(grey, i32x4.splat(16843009)));
  }
  return v128.and(one, f32x4.splat(1));
}

/**
 * Images as float32: out[r] from the image at places[r] of `pixels` (bytes), [rows, dimensions]. Its number
 * is order[r]: the same list, unless `pixels` holds a part of the images.
 * mode 0: grey / 255. mode 1: threshold, grey > 127.5. mode 2: Bernoulli draw with probability
 * grey / 255, a function of (key, image, step, purpose, pixel); grey 0 and 255 never change. Needs 64 bytes
 * of scratch.
 */
export function binarize(
  mode: i32,
  pixels: usize,
  places: usize,
  order: usize,
  rows: i32,
  dimensions: i32,
  out: usize,
  key0: u32,
  key1: u32,
  step: u32,
  purpose: u32,
  scratch: usize,
): void {
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    const image = load<u32>(order + ((<usize>row) << 2));
    const source = pixels + <usize>load<u32>(places + ((<usize>row) << 2)) * dimensions;
    const target = out + ((<usize>(row * dimensions)) << 2);
    for (let i = 0; i < dimensions; i += 16) {
      const place = target + ((<usize>i) << 2);
      // Most of a digit is black, which no draw changes.
      if (dimensions - i >= 16 && !v128.any_true(v128.load(source + i))) {
        v128.store(place, zero, 16);
        v128.store(place, zero);
        v128.store(place, zero, 48);
        v128.store(place, zero, 32);
        continue;
      }
      if (mode == 2) philox(scratch, key0, key1, i >> 2, image, step, purpose);
      for (let j = 0; j < min(16, dimensions - i); j += 4) {
        const bytes = v128.load32_zero(source + i + j);
        const grey = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
        const offset = (<usize>j) << 2;
        storeLanes(place + offset, binarized(mode, grey, scratch + offset), dimensions - i - j);
      }
    }
  }
}
