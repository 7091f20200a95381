// Stochastic gradient descent on a slice of the parameters, with or without momentum.

import { notFinite } from './finite';
import { NEGLIGIBLE, withoutNegligible } from './negligible';
import { treeReduce, treeSum } from './optimizer';

/**
 * On `count` floats (rounded up to eight), in place, with the gradient that treeReduce would leave in the
 * first of the `shards` slots; the slots may be overwritten. g = gradient · scale; v = momentum · v + g, 0
 * below 2⁻¹⁰⁴ (see NEGLIGIBLE); p −= rate · v. With the address 0 for `velocity` there is no momentum: p −=
 * rate · g.
 * @returns 1 where every p and every v (without momentum: g) is finite now, else 0.
 */
export function reduceSgd(
  parameters: usize,
  velocity: usize,
  slots: usize,
  pitch: i32,
  shards: i32,
  count: i32,
  scale: f32,
  momentum: f32,
  rate: f32,
): i32 {
  let summed = shards;
  if (shards != 2 && shards != 4 && shards != 8) {
    treeReduce(slots, pitch, shards, count);
    summed = 1;
  }
  const s = f32x4.splat(scale);
  const mu = f32x4.splat(momentum);
  const r = f32x4.splat(rate);
  const length = (<usize>((count + 7) & ~7)) << 2;
  let bad = f32x4.splat(0);
  if (velocity) {
    for (let i: usize = 0; i < length; i += 32)
      bad = v128.or(bad, sgdPair(parameters + i, velocity + i, slots + i, pitch, summed, s, mu, r, true));
  } else {
    for (let i: usize = 0; i < length; i += 32)
      bad = v128.or(bad, sgdPair(parameters + i, 0, slots + i, pitch, summed, s, mu, r, false));
  }
  return i32(!v128.any_true(bad));
}

/**
 * Two neighbouring vectors, all loads before all stores.
 * @returns bits where p or v is not finite.
 */
// @ts-ignore: decorator
@inline
function sgdPair(
  parameters: usize,
  velocity: usize,
  slots: usize,
  pitch: usize,
  shards: i32,
  scale: v128,
  momentum: v128,
  rate: v128,
  moves: bool,
): v128 {
  let v0 = f32x4.mul(treeSum(slots, pitch, shards), scale);
  let v1 = f32x4.mul(treeSum(slots + 16, pitch, shards), scale);
  if (moves) {
    v0 = withoutNegligible(f32x4.add(f32x4.mul(momentum, v128.load(velocity)), v0));
    v1 = withoutNegligible(f32x4.add(f32x4.mul(momentum, v128.load(velocity, 16)), v1));
  }
  const p0 = f32x4.sub(v128.load(parameters), f32x4.mul(rate, v0));
  const p1 = f32x4.sub(v128.load(parameters, 16), f32x4.mul(rate, v1));
  if (moves) {
    v128.store(velocity, v1, 16);
    v128.store(velocity, v0);
  }
  v128.store(parameters, p1, 16);
  v128.store(parameters, p0);
  return v128.or(notFinite(p0, v0), notFinite(p1, v1));
}

/** Like reduceSgd, with the gradient as it stands and on `count` floats exactly. */
export function sgd(
  parameters: usize,
  velocity: usize,
  gradient: usize,
  count: i32,
  scale: f32,
  momentum: f32,
  rate: f32,
): i32 {
  const pairs = count & ~7;
  let finite = reduceSgd(parameters, velocity, gradient, 0, 1, pairs, scale, momentum, rate);
  for (let i = (<usize>pairs) << 2; i < (<usize>count) << 2; i += 4) {
    let v = load<f32>(gradient + i) * scale;
    if (velocity) {
      v = momentum * load<f32>(velocity + i) + v;
      if (abs(v) < NEGLIGIBLE) v = 0;
      store<f32>(velocity + i, v);
    }
    const next = load<f32>(parameters + i) - rate * v;
    store<f32>(parameters + i, next);
    if (next - next != 0 || v - v != 0) finite = 0;
  }
  return finite;
}
