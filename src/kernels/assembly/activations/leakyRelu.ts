// Leaky ReLU in place, with a slope above 0: the output has the input's sign, so the gradient needs only the
// output. Regions are written in whole vectors of four.

/** y = y > 0 ? y : slope · y. A NaN stays one. */
export function leakyReluForward(y: usize, count: i32, slope: f32): void {
  const zero = f32x4.splat(0);
  const factor = f32x4.splat(slope);
  const end = y + ((<usize>count) << 2);
  for (let p = y; p < end; p += 16) {
    const v = v128.load(p);
    v128.store(p, v128.bitselect(v, f32x4.mul(v, factor), f32x4.gt(v, zero)));
  }
}

/** dy = y > 0 ? dy : slope · dy. */
export function leakyReluBackward(y: usize, dy: usize, count: i32, slope: f32): void {
  const zero = f32x4.splat(0);
  const factor = f32x4.splat(slope);
  const length = (<usize>count) << 2;
  for (let i: usize = 0; i < length; i += 16) {
    const d = v128.load(dy + i);
    v128.store(dy + i, v128.bitselect(d, f32x4.mul(d, factor), f32x4.gt(v128.load(y + i), zero)));
  }
}
