// The approximate posterior q(z|x) = N(mu, diag(exp(logvar))) of one example: draws and densities.
import { exp } from '../arithmetic/exponential.js';

/** [latent] each. */
export interface PosteriorRow {
  readonly mu: Float32Array;
  readonly logvar: Float32Array;
}

/** exp(½ logvar), [latent]. */
export function sigmaOf({ logvar }: PosteriorRow): Float64Array {
  return Float64Array.from(logvar, (value) => exp(value / 2));
}

/** z = mu + sigma ⊙ epsilon, for each row of epsilon, [rows, latent]. */
export function reparameterize(
  { mu }: PosteriorRow,
  sigma: Float64Array,
  epsilon: Float32Array,
  z: Float32Array,
): void {
  const latent = mu.length;
  for (let first = 0; first < epsilon.length; first += latent) {
    for (let j = 0; j < latent; j++) z[first + j] = mu[j]! + sigma[j]! * epsilon[first + j]!;
  }
}

/**
 * log N(z; 0, I) − log q(z|x) of one row, nats: ½ Σ_j (logvar_j + epsilon_j² − z_j²). 2π cancels.
 */
export function logRatio(
  { logvar }: PosteriorRow,
  epsilon: Float32Array,
  z: Float32Array,
  row: number,
): number {
  const latent = logvar.length;
  let sum = 0;
  for (let j = 0; j < latent; j++) {
    const noise = epsilon[row * latent + j]!;
    const sample = z[row * latent + j]!;
    sum += logvar[j]! + noise * noise - sample * sample;
  }
  return sum / 2;
}

/** KL(q(z|x) ‖ N(0, I)) of each dimension, nats: ½ (mu² + exp(logvar) − logvar − 1). */
export function klOfDimensions({ mu, logvar }: PosteriorRow): Float64Array {
  return Float64Array.from(mu, (mean, j) => (mean * mean + exp(logvar[j]!) - logvar[j]! - 1) / 2);
}
