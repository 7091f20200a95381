import type { PriorPurpose } from '../kernels/stream.js';
import type { PriorDensity } from '../model/priors/prior.js';
import type { RandomRows } from './randomRows.js';

/** Where the draws of an example come from. */
export interface PriorStream {
  readonly random: RandomRows;
  /** One for each example. */
  readonly positions: ArrayLike<number>;
  readonly step: number;
  readonly purpose: PriorPurpose;
}

/** Fills z, [examples, chains, latent], with draws from p(z): a row of random numbers for each example. */
export function drawPrior(
  prior: PriorDensity,
  z: Float32Array,
  { random, positions, step, purpose }: PriorStream,
): void {
  const width = z.length / positions.length;
  const uniform = new Float32Array((width / prior.latent) * prior.uniforms);
  for (let example = 0; example < positions.length; example++) {
    const row = z.subarray(example * width, (example + 1) * width);
    random.normal(row, positions[example]!, step, purpose.normal);
    if (uniform.length > 0) random.uniform(uniform, positions[example]!, step, purpose.uniform);
    prior.draw(row, uniform);
  }
}
