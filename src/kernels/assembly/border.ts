// Maps with zeros around them, for correlations whose taps leave the map.

import { copyFloats } from './reshape';

/** target[0 … count) = 0. */
export function zeroFloats(target: usize, count: i32): void {
  const zero = f32x4.splat(0);
  const vectors = target + ((<usize>(count & ~3)) << 2);
  while (target < vectors) {
    v128.store(target, zero);
    target += 16;
  }
  for (let i = 0; i < (count & 3); i++) store<f32>(target + ((<usize>i) << 2), 0);
}

/**
 * Copies `lines` lines of `length` floats, with `border` zeros before each and after the last: what lies
 * right of one line lies left of the next. The target holds lines · (border + length) + border floats.
 */
export function copyBordered(source: usize, target: usize, lines: i32, length: i32, border: i32): void {
  for (let line = 0; line < lines; line++) {
    zeroFloats(target, border);
    target += (<usize>border) << 2;
    copyFloats(source, target, length);
    source += (<usize>length) << 2;
    target += (<usize>length) << 2;
  }
  zeroFloats(target, border);
}
