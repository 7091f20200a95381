// p(x|z) whose posteriors are no Gaussians, in closed form with its gradient.
import { standardNormalDensity } from '#src/model/priors/standardNormal.js';
import type { ConditionalDensity } from '#src/sampling/conditionalDensity.js';

const SIGMA = 0.4;

/**
 * d = 1: x ~ N(z², σ²), whose posterior has two modes. d = 2: x ~ N((z₁, z₂ + z₁²), σ² I), whose posterior is
 * bent like a banana. σ = 0.4.
 * @param x [examples, latent].
 */
export function curvedDensity(latent: 1 | 2, x: ArrayLike<number>, chains: number): ConditionalDensity {
  const rows = (x.length / latent) * chains;
  const z = new Float32Array(rows * latent);
  const logLikelihood = new Float64Array(rows);
  const gradient = new Float32Array(rows * latent);
  const constant = -(latent * Math.log(2 * Math.PI * SIGMA ** 2)) / 2;
  const evaluate = (count: number, withGradient: boolean) => {
    for (let row = 0; row < count; row++) {
      const example = Math.floor(row / chains);
      const a = z[row * latent]!;
      const bent = latent === 1 ? a * a : a * a + z[row * latent + 1]!;
      const last = (x[example * latent + latent - 1]! - bent) / SIGMA;
      const first = latent === 1 ? 0 : (x[example * latent]! - a) / SIGMA;
      logLikelihood[row] = constant - (first ** 2 + last ** 2) / 2;
      if (!withGradient) continue;
      gradient[row * latent] = (first + 2 * a * last) / SIGMA;
      if (latent === 2) gradient[row * latent + 1] = last / SIGMA;
    }
  };
  const prior = standardNormalDensity(latent);
  return { prior, latent, chains, rows, z, logLikelihood, gradient, evaluate };
}
