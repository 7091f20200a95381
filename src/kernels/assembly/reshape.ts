// Copies between buffers of different borders (flatten, reshape).

/**
 * For each of `images`: `pieces` runs, each (source offset, target offset, length), in bytes, u32, from `table`.
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
      memory.copy(target + load<u32>(entry, 4), source + load<u32>(entry), load<u32>(entry, 8));
    }
    source += sourceStride;
    target += targetStride;
  }
}
