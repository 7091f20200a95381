// Copies between buffers of different borders (flatten, reshape).

/**
 * target[i] = source[i]. Not memory.copy: on a shared memory, engines copy with a call and by machine words.
 */
export function copyFloats(source: usize, target: usize, count: i32): void {
  const vectors = source + ((<usize>(count & ~3)) << 2);
  while (source < vectors) {
    v128.store(target, v128.load(source));
    source += 16;
    target += 16;
  }
  for (let i = 0; i < (count & 3); i++) {
    store<f32>(target + ((<usize>i) << 2), load<f32>(source + ((<usize>i) << 2)));
  }
}

/**
 * For each of `images`: `pieces` runs, each (source offset, target offset, length), in bytes, u32, from
 * `table`.
 */
export function copyPieces(
  table: usize,
  pieces: i32,
  source: usize,
  target: usize,
  images: i32,
  sourceStride: i32,
  targetStride: i32,
): void {
  for (let image = 0; image < images; image++) {
    for (let piece = 0; piece < pieces; piece++) {
      const entry = table + <usize>piece * 12;
      copyFloats(source + load<u32>(entry), target + load<u32>(entry, 4), load<u32>(entry, 8) >> 2);
    }
    source += sourceStride;
    target += targetStride;
  }
}
