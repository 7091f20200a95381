// A small generator for tests; nothing of the product draws from it.

/**
 * Numbers in [−1, 1) that depend on the seed only (Mulberry32, a public-domain generator of 32 bits of
 * state).
 */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}
