import { median } from '../section.js';

const ROUNDS = 7;

/** Milliseconds of one call: the median of rounds of at least so many milliseconds each. */
export function medianCall(call: () => void, milliseconds: number): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    let count = 0;
    do {
      call();
      count++;
    } while (performance.now() - start < milliseconds);
    return (performance.now() - start) / count;
  });
  return median(rounds);
}
