// What happens to the shards' gradients: the sum in a fixed binary tree, then Adam, both on a slice.

import { NEGLIGIBLE, withoutNegligible } from './negligible';

/**
 * Sums `count` floats of `shards` slots (`pitch` bytes apart) into the first slot, which is overwritten, as
 * are others. The tree is fixed by the number of shards: neighbours at distance 1, then 2, then 4 …; who sums
 * which slice does not matter. `count` is rounded up to four.
 */
export function treeReduce(slots: usize, pitch: i32, shards: i32, count: i32): void {
  const length = (<usize>((count + 3) & ~3)) << 2;
  // A chunk of all slots stays in the first-level cache through the levels of the tree.
  for (let from: usize = 0; from < length; from += 2048) {
    const to = min(from + 2048, length);
    for (let distance = 1; distance < shards; distance <<= 1) {
      for (let shard = 0; shard + distance < shards; shard += distance << 1) {
        const target = slots + <usize>shard * pitch;
        const source = target + <usize>distance * pitch;
        for (let i = from; i < to; i += 16) {
          v128.store(target + i, f32x4.add(v128.load(target + i), v128.load(source + i)));
        }
      }
    }
  }
}

/** The same sum of one vector of 1, 2, 4 or 8 slots, in registers. */
// @ts-ignore: decorator
@inline
export function treeSum(slot: usize, pitch: usize, shards: i32): v128 {
  let sum = v128.load(slot);
  if (shards >= 2) sum = f32x4.add(sum, v128.load(slot + pitch));
  if (shards >= 4) {
    const third = slot + 2 * pitch;
    sum = f32x4.add(sum, f32x4.add(v128.load(third), v128.load(third + pitch)));
  }
  if (shards == 8) {
    const fifth = slot + 4 * pitch;
    const seventh = slot + 6 * pitch;
    const low = f32x4.add(v128.load(fifth), v128.load(fifth + pitch));
    sum = f32x4.add(sum, f32x4.add(low, f32x4.add(v128.load(seventh), v128.load(seventh + pitch))));
  }
  return sum;
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1) on `count` floats (rounded up to eight), in place, with the gradient
 * that treeReduce would leave in the first of the `shards` slots; the slots may be overwritten.
 * g = gradient · scale; m = β₁ m + (1 − β₁) g; v = β₂ v + (1 − β₂) g², both 0 below 2⁻¹⁰⁴ (see NEGLIGIBLE);
 * p −= stepSize · m / (√v · rootCorrection + ε), stepSize = α / (1 − β₁ᵗ), rootCorrection = 1 / √(1 − β₂ᵗ).
 * @returns 1 where the sum of every v is finite, so that each is, and so was each gradient; 0 where that sum
 * or a v is not. A look at every p costs four times as much: three per cent of a step of mlp.
 */
export function reduceAdam(
  parameters: usize,
  m: usize,
  v: usize,
  slots: usize,
  pitch: i32,
  shards: i32,
  count: i32,
  scale: f32,
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  stepSize: f32,
  rootCorrection: f32,
  epsilon: f32,
): i32 {
  // The common numbers of shards are summed on the way, others first.
  const known = shards == 2 || shards == 4 || shards == 8;
  if (!known) treeReduce(slots, pitch, shards, count);
  const s = f32x4.splat(scale);
  const b1 = f32x4.splat(beta1);
  const a1 = f32x4.splat(oneMinusBeta1);
  const b2 = f32x4.splat(beta2);
  const a2 = f32x4.splat(oneMinusBeta2);
  const rate = f32x4.splat(stepSize);
  const correction = f32x4.splat(rootCorrection);
  const e = f32x4.splat(epsilon);
  const length = (<usize>((count + 7) & ~7)) << 2;
  let secondMoments = f32x4.splat(0);
  // One loop for each number of shards, so that the sum has no branch.
  if (shards == 8) {
    for (let i: usize = 0; i < length; i += 32)
      secondMoments = f32x4.add(
        secondMoments,
        adamPair(parameters + i, m + i, v + i, slots + i, pitch, 8, s, b1, a1, b2, a2, rate, correction, e),
      );
  } else if (shards == 4) {
    for (let i: usize = 0; i < length; i += 32)
      secondMoments = f32x4.add(
        secondMoments,
        adamPair(parameters + i, m + i, v + i, slots + i, pitch, 4, s, b1, a1, b2, a2, rate, correction, e),
      );
  } else if (shards == 2) {
    for (let i: usize = 0; i < length; i += 32)
      secondMoments = f32x4.add(
        secondMoments,
        adamPair(parameters + i, m + i, v + i, slots + i, pitch, 2, s, b1, a1, b2, a2, rate, correction, e),
      );
  } else {
    // From two places in turn: moments come from beyond the second-level cache, sooner the more streams a
    // processor can run ahead on.
    const half = (length >> 1) & ~31;
    for (let i: usize = 0; i < half; i += 32) {
      const j = i + half;
      secondMoments = f32x4.add(
        secondMoments,
        adamPair(parameters + i, m + i, v + i, slots + i, pitch, 1, s, b1, a1, b2, a2, rate, correction, e),
      );
      secondMoments = f32x4.add(
        secondMoments,
        adamPair(parameters + j, m + j, v + j, slots + j, pitch, 1, s, b1, a1, b2, a2, rate, correction, e),
      );
    }
    for (let i = half + half; i < length; i += 32)
      secondMoments = f32x4.add(
        secondMoments,
        adamPair(parameters + i, m + i, v + i, slots + i, pitch, 1, s, b1, a1, b2, a2, rate, correction, e),
      );
  }
  return i32(!v128.any_true(f32x4.sub(secondMoments, secondMoments)));
}

/**
 * Two neighbouring vectors, all loads before all stores: V8's re-vectorisation makes one of 256 bits of them.
 * @returns the sum of both new v: NaN or infinity stay in every sum that they get into.
 */
// @ts-ignore: decorator
@inline
function adamPair(
  parameters: usize,
  m: usize,
  v: usize,
  slots: usize,
  pitch: usize,
  shards: i32,
  scale: v128,
  beta1: v128,
  oneMinusBeta1: v128,
  beta2: v128,
  oneMinusBeta2: v128,
  rate: v128,
  correction: v128,
  epsilon: v128,
): v128 {
  const g0 = f32x4.mul(treeSum(slots, pitch, shards), scale);
  const g1 = f32x4.mul(treeSum(slots + 16, pitch, shards), scale);
  const m0 = withoutNegligible(f32x4.add(f32x4.mul(beta1, v128.load(m)), f32x4.mul(oneMinusBeta1, g0)));
  const m1 = withoutNegligible(f32x4.add(f32x4.mul(beta1, v128.load(m, 16)), f32x4.mul(oneMinusBeta1, g1)));
  const v0 = withoutNegligible(
    f32x4.add(f32x4.mul(beta2, v128.load(v)), f32x4.mul(oneMinusBeta2, f32x4.mul(g0, g0))),
  );
  const v1 = withoutNegligible(
    f32x4.add(f32x4.mul(beta2, v128.load(v, 16)), f32x4.mul(oneMinusBeta2, f32x4.mul(g1, g1))),
  );
  const root0 = f32x4.add(f32x4.mul(f32x4.sqrt(v0), correction), epsilon);
  const root1 = f32x4.add(f32x4.mul(f32x4.sqrt(v1), correction), epsilon);
  const p0 = f32x4.sub(v128.load(parameters), f32x4.div(f32x4.mul(rate, m0), root0));
  const p1 = f32x4.sub(v128.load(parameters, 16), f32x4.div(f32x4.mul(rate, m1), root1));
  v128.store(m, m1, 16);
  v128.store(m, m0);
  v128.store(v, v1, 16);
  v128.store(v, v0);
  v128.store(parameters, p1, 16);
  v128.store(parameters, p0);
  return f32x4.add(v0, v1);
}

/** Adam like reduceAdam, with the gradient as it stands and on `count` floats exactly. */
export function adam(
  parameters: usize,
  m: usize,
  v: usize,
  gradient: usize,
  count: i32,
  scale: f32,
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  stepSize: f32,
  rootCorrection: f32,
  epsilon: f32,
): i32 {
  const pairs = count & ~7;
  let finite = reduceAdam(
    parameters,
    m,
    v,
    gradient,
    0,
    1,
    pairs,
    scale,
    beta1,
    oneMinusBeta1,
    beta2,
    oneMinusBeta2,
    stepSize,
    rootCorrection,
    epsilon,
  );
  for (let i = (<usize>pairs) << 2; i < (<usize>count) << 2; i += 4) {
    const g = load<f32>(gradient + i) * scale;
    let first = beta1 * load<f32>(m + i) + oneMinusBeta1 * g;
    let second = beta2 * load<f32>(v + i) + oneMinusBeta2 * (g * g);
    if (abs(first) < NEGLIGIBLE) first = 0;
    if (abs(second) < NEGLIGIBLE) second = 0;
    const root = sqrt<f32>(second) * rootCorrection + epsilon;
    const next = load<f32>(parameters + i) - (stepSize * first) / root;
    store<f32>(m + i, first);
    store<f32>(v + i, second);
    store<f32>(parameters + i, next);
    if (second - second != 0) finite = 0;
  }
  return finite;
}
