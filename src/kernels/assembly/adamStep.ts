import { storeLanes } from './lanes';
import { withoutNegligible } from './negligible';

/**
 * One update of TensorFlow.js's Adam in one pass, with the same roundings as its sequence of operations:
 *   m' = m β₁ + g (1 − β₁),  v' = v β₂ + g² (1 − β₂),  x' = (m' / c₁) / (√(v' / c₂) + ε) · (−rate) + x;
 * but moments below 2⁻¹⁰⁴ become 0 (see NEGLIGIBLE).
 * @param c1 1 − β₁^t; `c2` likewise.
 */
export function adamStep(
  x: usize,
  gradient: usize,
  m: usize,
  v: usize,
  count: i32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  c1: f32,
  c2: f32,
  epsilon: f32,
  minusRate: f32,
  nextX: usize,
  nextM: usize,
  nextV: usize,
): void {
  const b1 = f32x4.splat(beta1);
  const r1 = f32x4.splat(rest1);
  const b2 = f32x4.splat(beta2);
  const r2 = f32x4.splat(rest2);
  const d1 = f32x4.splat(c1);
  const d2 = f32x4.splat(c2);
  const e = f32x4.splat(epsilon);
  const rate = f32x4.splat(minusRate);
  const pairs = count & ~7;
  // After 160 steps with the usual β₁, c₁ is 1: a division less, and the division unit is what this waits
  // for.
  if (c1 == 1)
    stepPairs(x, gradient, m, v, pairs, b1, r1, b2, r2, d1, true, d2, e, rate, nextX, nextM, nextV);
  else stepPairs(x, gradient, m, v, pairs, b1, r1, b2, r2, d1, false, d2, e, rate, nextX, nextM, nextV);
  for (let i = pairs; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const g = v128.load(gradient + at);
    const first = moment(v128.load(m + at), b1, g, r1);
    const second = moment(v128.load(v + at), b2, f32x4.mul(g, g), r2);
    const next = updated(v128.load(x + at), first, second, d1, false, d2, e, rate);
    storeLanes(nextM + at, first, count - i);
    storeLanes(nextV + at, second, count - i);
    storeLanes(nextX + at, next, count - i);
  }
}

/** Neighbouring vectors: V8's re-vectorisation makes one of 256 bits of them. */
// @ts-ignore: decorator
@inline
function stepPairs(
  x: usize,
  gradient: usize,
  m: usize,
  v: usize,
  count: i32,
  beta1: v128,
  rest1: v128,
  beta2: v128,
  rest2: v128,
  c1: v128,
  c1IsOne: bool,
  c2: v128,
  epsilon: v128,
  minusRate: v128,
  nextX: usize,
  nextM: usize,
  nextV: usize,
): void {
  const length = (<usize>count) << 2;
  for (let at: usize = 0; at < length; at += 32) {
    const g0 = v128.load(gradient + at);
    const g1 = v128.load(gradient + at, 16);
    const first0 = moment(v128.load(m + at), beta1, g0, rest1);
    const first1 = moment(v128.load(m + at, 16), beta1, g1, rest1);
    const second0 = moment(v128.load(v + at), beta2, f32x4.mul(g0, g0), rest2);
    const second1 = moment(v128.load(v + at, 16), beta2, f32x4.mul(g1, g1), rest2);
    const next0 = updated(v128.load(x + at), first0, second0, c1, c1IsOne, c2, epsilon, minusRate);
    const next1 = updated(v128.load(x + at, 16), first1, second1, c1, c1IsOne, c2, epsilon, minusRate);
    v128.store(nextM + at, first1, 16);
    v128.store(nextM + at, first0);
    v128.store(nextV + at, second1, 16);
    v128.store(nextV + at, second0);
    v128.store(nextX + at, next1, 16);
    v128.store(nextX + at, next0);
  }
}

// @ts-ignore: decorator
@inline
function moment(old: v128, beta: v128, value: v128, rest: v128): v128 {
  return withoutNegligible(f32x4.add(f32x4.mul(old, beta), f32x4.mul(value, rest)));
}

// @ts-ignore: decorator
@inline
function updated(
  x: v128,
  first: v128,
  second: v128,
  c1: v128,
  c1IsOne: bool,
  c2: v128,
  epsilon: v128,
  minusRate: v128,
): v128 {
  const root = f32x4.sqrt(f32x4.div(second, c2));
  const mean = c1IsOne ? first : f32x4.div(first, c1);
  const direction = f32x4.div(mean, f32x4.add(root, epsilon));
  return f32x4.add(f32x4.mul(direction, minusRate), x);
}
