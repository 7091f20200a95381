// What happens to the shards' gradients: the sum in a fixed binary tree, then Adam, both on a slice.

/**
 * Sums `count` floats of `shards` slots (`pitch` bytes apart) into the first slot, which is overwritten, as are others.
 * The tree is fixed by the number of shards: neighbours at distance 1, then 2, then 4 …; who sums which slice
 * does not matter. `count` is rounded up to four.
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

/**
 * Adam (Kingma and Ba 2015, algorithm 1) on `count` floats, in place; `count` is rounded up to four.
 * g = gradient · scale; m = β₁ m + (1 − β₁) g; v = β₂ v + (1 − β₂) g²;
 * p −= stepSize · m / (√v · rootCorrection + ε), stepSize = α / (1 − β₁ᵗ), rootCorrection = 1 / √(1 − β₂ᵗ).
 */
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
): void {
  const s = f32x4.splat(scale);
  const b1 = f32x4.splat(beta1);
  const a1 = f32x4.splat(oneMinusBeta1);
  const b2 = f32x4.splat(beta2);
  const a2 = f32x4.splat(oneMinusBeta2);
  const rate = f32x4.splat(stepSize);
  const correction = f32x4.splat(rootCorrection);
  const e = f32x4.splat(epsilon);
  const length = (<usize>((count + 3) & ~3)) << 2;
  for (let i: usize = 0; i < length; i += 16) {
    const g = f32x4.mul(v128.load(gradient + i), s);
    const first = f32x4.add(f32x4.mul(b1, v128.load(m + i)), f32x4.mul(a1, g));
    const second = f32x4.add(f32x4.mul(b2, v128.load(v + i)), f32x4.mul(a2, f32x4.mul(g, g)));
    v128.store(m + i, first);
    v128.store(v + i, second);
    const root = f32x4.add(f32x4.mul(f32x4.sqrt(second), correction), e);
    const update = f32x4.div(f32x4.mul(rate, first), root);
    v128.store(parameters + i, f32x4.sub(v128.load(parameters + i), update));
  }
}
