// What a prior is beyond N(0, I), whose density the kernels have built in.
import type { Numbers, PriorDensity } from './prior.js';
import { logStandardNormal } from './standardNormal.js';

/** log p(z) − log N(z; 0, I) of one row of z, [rows, latent], nats. */
export function logExcess(prior: PriorDensity, z: Numbers, row: number): number {
  // Estimates ask for every draw, and most priors are N(0, I).
  if (prior.inKernels) return 0;
  return prior.logDensity(z, row) - logStandardNormal(z, row, prior.latent);
}

/** Writes its gradient with respect to z to the same row of `gradient`. */
export function excessGradient(prior: PriorDensity, z: Numbers, row: number, gradient: Float64Array): void {
  const [first, end] = [row * prior.latent, (row + 1) * prior.latent];
  if (prior.inKernels) {
    gradient.fill(0, first, end);
    return;
  }
  prior.gradient(z, row, gradient);
  for (let i = first; i < end; i++) gradient[i]! += z[i]!;
}
