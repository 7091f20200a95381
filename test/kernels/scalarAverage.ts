// The moving average number by number, rounded to float32 after each operation as its kernel does.
import { add } from './float32.js';

const f = Math.fround;

/** average + w (values − average); for w from 1/2 up values + (1 − w) (average − values). */
export function scalarAverage(average: Float32Array, values: Float32Array, weight: number): Float32Array {
  const w = f(weight);
  const [near, far, share] = w < 0.5 ? [average, values, w] : [values, average, f(1 - w)];
  return near.map((n, i) => add(n, f(share * f(far[i]! - n))));
}
