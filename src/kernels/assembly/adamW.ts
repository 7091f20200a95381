// AdamW (Loshchilov and Hutter 2019): a weight decays by itself, then Adam updates it.

import { adam, reduceAdam } from './optimizer';

/**
 * Floats of a chunk, a multiple of eight: its parameters are in the first-level cache when Adam comes to
 * them.
 */
const CHUNK: i32 = 2048;

/** p = p · keep, `count` floats exactly. */
function decay(parameters: usize, count: i32, keep: f32): void {
  const k = f32x4.splat(keep);
  let i: usize = 0;
  for (; i < (<usize>(count & ~7)) << 2; i += 32) {
    const p0 = f32x4.mul(v128.load(parameters + i), k);
    const p1 = f32x4.mul(v128.load(parameters + i, 16), k);
    v128.store(parameters + i, p1, 16);
    v128.store(parameters + i, p0);
  }
  for (; i < (<usize>count) << 2; i += 4) store<f32>(parameters + i, load<f32>(parameters + i) * keep);
}

/** p = p · keep, keep = 1 − learning rate · weight decay, then reduceAdam; `count` is rounded up to eight. */
export function reduceAdamW(
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
  keep: f32,
): void {
  for (let first = 0; first < count; first += CHUNK) {
    const floats = min(CHUNK, count - first);
    const at = (<usize>first) << 2;
    decay(parameters + at, (floats + 7) & ~7, keep);
    reduceAdam(
      parameters + at,
      m + at,
      v + at,
      slots + at,
      pitch,
      shards,
      floats,
      scale,
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      stepSize,
      rootCorrection,
      epsilon,
    );
  }
}

/** AdamW like reduceAdamW, with the gradient as it stands and on `count` floats exactly. */
export function adamW(
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
  keep: f32,
): void {
  for (let first = 0; first < count; first += CHUNK) {
    const floats = min(CHUNK, count - first);
    const at = (<usize>first) << 2;
    decay(parameters + at, floats, keep);
    adam(
      parameters + at,
      m + at,
      v + at,
      gradient + at,
      floats,
      scale,
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      stepSize,
      rootCorrection,
      epsilon,
    );
  }
}
