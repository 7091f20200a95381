// gaussian.ts of the kernels, one number at a time: rounded to float32 after each operation, in the same
// order.
import { elementary } from './elementary.js';
import { add, multiplyAdd } from './float32.js';
import type { GaussianCase } from './gaussianCase.js';

const f = Math.fround;

/** z, [examples, samples, latent], and the terms whose float64 sum is each example's KL. */
export function forwardBits(gaussian: GaussianCase): { z: Float32Array; klTerms: number[][] } {
  const { examples, samples, latent, posterior, epsilon, kind } = gaussian;
  const { sigma, variance } = exponentials(gaussian);
  const z = new Float32Array(epsilon.length);
  const klTerms: number[][] = [];
  for (let example = 0; example < examples; example++) {
    const terms: number[] = [];
    for (let j = 0; j < latent; j++) {
      const mu = posterior[example * 2 * latent + j]!;
      const at = example * 2 * latent + latent + j;
      const logvar = posterior[at]!;
      for (let k = 0; k < samples; k++) {
        const place = (example * samples + k) * latent + j;
        const noise = epsilon[place]!;
        const sample = multiplyAdd(sigma[at]!, noise, mu);
        z[place] = sample;
        const squares = f(f(sample * sample) - f(noise * noise));
        if (kind === 'monteCarlo') terms.push((0.5 / samples) * f(squares - logvar));
      }
      const squares = multiplyAdd(mu, mu, f(variance[at]! - 1));
      if (kind === 'analytic') terms.push(0.5 * f(squares - logvar));
    }
    klTerms.push(terms);
  }
  return { z, klTerms };
}

/** dPosterior, [examples, 2 · latent]. */
export function backwardBits(gaussian: GaussianCase, z: Float32Array): Float32Array {
  const { examples, samples, latent, posterior, epsilon, dz, kind } = gaussian;
  const beta = f(gaussian.beta);
  const { sigma, variance } = exponentials(gaussian);
  const dPosterior = new Float32Array(posterior.length);
  for (let example = 0; example < examples; example++) {
    for (let j = 0; j < latent; j++) {
      const mu = example * 2 * latent + j;
      const logvar = mu + latent;
      let [sum, noiseSum] = [0, 0];
      for (let k = 0; k < samples; k++) {
        const place = (example * samples + k) * latent + j;
        const gradient =
          kind === 'analytic' ? dz[place]! : multiplyAdd(f(beta / samples), z[place]!, dz[place]!);
        sum = add(sum, gradient);
        noiseSum = multiplyAdd(gradient, epsilon[place]!, noiseSum);
      }
      const through = f(f(noiseSum * sigma[logvar]!) * 0.5);
      if (kind === 'analytic') {
        dPosterior[mu] = multiplyAdd(beta, posterior[mu]!, sum);
        dPosterior[logvar] = multiplyAdd(f(0.5 * beta), f(variance[logvar]! - 1), through);
      } else {
        dPosterior[mu] = sum;
        dPosterior[logvar] = f(through - f(0.5 * beta));
      }
    }
  }
  return dPosterior;
}

/** exp(½ logvar) and exp(logvar) at each place of the posterior; those of mu are not used. */
function exponentials({ posterior }: GaussianCase): { sigma: Float32Array; variance: Float32Array } {
  return {
    sigma: elementary(
      'expArray',
      posterior.map((value) => 0.5 * value),
    ),
    variance: elementary('expArray', posterior),
  };
}
