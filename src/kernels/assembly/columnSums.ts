import { storeLanes } from './lanes';

/**
 * The bias gradient: gradient[c] (+)= Σ_pixels values[pixel][c], pixels in order.
 * Zero borders may lie between the pixels: they do not change a sum.
 */
export function columnSums(
  values: usize,
  pixels: i32,
  channels: i32,
  gradient: usize,
  accumulate: i32,
): void {
  const pitch = (<usize>channels) << 2;
  let channel = 0;
  for (; channel + 16 <= channels; channel += 16) {
    const g = gradient + ((<usize>channel) << 2);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    if (accumulate) {
      s0 = v128.load(g);
      s1 = v128.load(g, 16);
      s2 = v128.load(g, 32);
      s3 = v128.load(g, 48);
    }
    let p = values + ((<usize>channel) << 2);
    for (let pixel = 0; pixel < pixels; pixel++) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(p, 32));
      s3 = f32x4.add(s3, v128.load(p, 48));
      p += pitch;
    }
    v128.store(g, s1, 16);
    v128.store(g, s0);
    v128.store(g, s3, 48);
    v128.store(g, s2, 32);
  }
  for (; channel < channels; channel += 4) {
    const g = gradient + ((<usize>channel) << 2);
    let s = accumulate ? v128.load(g) : f32x4.splat(0);
    let p = values + ((<usize>channel) << 2);
    for (let pixel = 0; pixel < pixels; pixel++) {
      s = f32x4.add(s, v128.load(p));
      p += pitch;
    }
    storeLanes(g, s, channels - channel);
  }
}
