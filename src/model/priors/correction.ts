// What a prior is beyond N(0, I), whose density the kernels have built in.
import type { Numbers, PriorDensity } from './prior.js';
import { logStandardNormal } from './standardNormal.js';

/** log p(z) − log N(z; 0, I) of one row of z, [rows, latent], nats. */
export function logExcess(prior: PriorDensity, z: Numbers, row: number): number {
  return prior.logDensity(z, row) - logStandardNormal(z, row, prior.latent);
}

/** Writes its gradient with respect to z to the same row of `gradient`. */
export function excessGradient(prior: PriorDensity, z: Numbers, row: number, gradient: Float64Array): void {
  prior.gradient(z, row, gradient);
  for (let i = row * prior.latent; i < (row + 1) * prior.latent; i++) gradient[i]! += z[i]!;
}
