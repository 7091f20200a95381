import { storeLanes } from './lanes';

/**
 * One update of TensorFlow.js's Adam in one pass, with the same roundings as its sequence of operations:
 *   m' = m β₁ + g (1 − β₁),  v' = v β₂ + g² (1 − β₂),  x' = (m' / c₁) / (√(v' / c₂) + ε) · (−rate) + x.
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
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const g = v128.load(gradient + at);
    const first = f32x4.add(f32x4.mul(v128.load(m + at), b1), f32x4.mul(g, r1));
    const second = f32x4.add(f32x4.mul(v128.load(v + at), b2), f32x4.mul(f32x4.mul(g, g), r2));
    const root = f32x4.sqrt(f32x4.div(second, f32x4.splat(c2)));
    const direction = f32x4.div(f32x4.div(first, f32x4.splat(c1)), f32x4.add(root, f32x4.splat(epsilon)));
    const next = f32x4.add(f32x4.mul(direction, f32x4.splat(minusRate)), v128.load(x + at));
    const rest = count - i;
    storeLanes(nextM + at, first, rest);
    storeLanes(nextV + at, second, rest);
    storeLanes(nextX + at, next, rest);
  }
}
