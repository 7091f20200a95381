// The prior p(z) = N(0, I): log-density, gradient and draws.
import type { RandomRows } from './randomRows.js';

const LOG_2_PI = 1.8378770664093453;

/** log p(z) of one row of z, [rows, latent], nats. */
export function logPrior(z: Float32Array, row: number, latent: number): number {
  let squares = 0;
  for (let i = row * latent; i < (row + 1) * latent; i++) squares += z[i]! * z[i]!;
  return -(squares + latent * LOG_2_PI) / 2;
}

/** d log p(z) / dz of the first `count` numbers of z. */
export function priorGradient(z: Float32Array, gradient: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) gradient[i] = -z[i]!;
}

/** Where the draws of an example come from. */
export interface PriorStream {
  readonly random: RandomRows;
  /** One for each example. */
  readonly positions: ArrayLike<number>;
  readonly step: number;
  readonly purpose: number;
}

/** Fills z, [examples, chains, latent], with draws from p(z): a row of random numbers for each example. */
export function drawPrior(z: Float32Array, { random, positions, step, purpose }: PriorStream): void {
  const width = z.length / positions.length;
  for (let example = 0; example < positions.length; example++) {
    random.normal(z.subarray(example * width, (example + 1) * width), positions[example]!, step, purpose);
  }
}
