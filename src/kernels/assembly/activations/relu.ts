// ReLU in place; its gradient needs only the output. Regions are written in whole vectors of four.

/** y = max(y, 0). A NaN stays one. */
export function reluForward(y: usize, count: i32): void {
  const zero = f32x4.splat(0);
  const end = y + ((<usize>count) << 2);
  for (let p = y; p < end; p += 16) v128.store(p, f32x4.pmax(v128.load(p), zero));
}

/** dy = y > 0 ? dy : 0. */
export function reluBackward(y: usize, dy: usize, count: i32): void {
  const zero = f32x4.splat(0);
  const length = (<usize>count) << 2;
  for (let i: usize = 0; i < length; i += 16) {
    v128.store(dy + i, v128.and(v128.load(dy + i), f32x4.gt(v128.load(y + i), zero)));
  }
}
