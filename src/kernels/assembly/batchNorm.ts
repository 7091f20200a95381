import { storeLanes } from './lanes';

/**
 * out[r][c] = (x[r][c] − mean[c]) · scale[c] / √(variance[c] + epsilon) + offset[c].
 * @param offset 0 for none; `scale` likewise.
 * @param factor room for `channels` floats in whole vectors.
 */
export function normalizeRows(
  x: usize,
  rows: i32,
  channels: i32,
  mean: usize,
  variance: usize,
  offset: usize,
  scale: usize,
  epsilon: f32,
  factor: usize,
  out: usize,
): void {
  for (let c = 0; c < channels; c += 4) {
    const at = (<usize>c) << 2;
    const one = scale ? v128.load(scale + at) : f32x4.splat(1);
    const root = f32x4.sqrt(f32x4.add(v128.load(variance + at), f32x4.splat(epsilon)));
    v128.store(factor + at, f32x4.div(one, root));
  }
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < channels; c += 4) {
      const at = (<usize>c) << 2;
      const centred = f32x4.sub(v128.load(x + at), v128.load(mean + at));
      const shift = offset ? v128.load(offset + at) : zero;
      const y = f32x4.add(f32x4.mul(centred, v128.load(factor + at)), shift);
      storeLanes(out + at, y, channels - c);
    }
    x += (<usize>channels) << 2;
    out += (<usize>channels) << 2;
  }
}
