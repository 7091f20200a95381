// The approximate posterior q(z|x) = N(mu, diag(exp(logvar))): reparameterisation, KL, and their gradients.
// `posterior` is the encoder's output, [examples, 2 · latent]: mu, then logvar.

import { exp } from './elementary';
import { accumulateDouble, laneMask, storeLanes, sumDoubleLanes } from './lanes';

/**
 * z[e][k] = mu[e] + exp(½ logvar[e]) ⊙ epsilon[e][k], [examples, samples, latent].
 * kl[e] (float64, nats): analytic ½ Σ_j (mu² + exp(logvar) − logvar − 1), or Monte Carlo
 * (1/K) Σ_k [log q(z_k|x) − log p(z_k)] = (1/K) Σ_k ½ Σ_j (z² − logvar − epsilon²).
 */
export function gaussianForward(
  posterior: usize,
  epsilon: usize,
  z: usize,
  examples: i32,
  samples: i32,
  latent: i32,
  analytic: i32,
  kl: usize,
): void {
  const half = f32x4.splat(0.5);
  const one = f32x4.splat(1);
  for (let example = 0; example < examples; example++) {
    const mu = posterior + ((<usize>(example * 2 * latent)) << 2);
    const logvar = mu + ((<usize>latent) << 2);
    let sum = f64x2.splat(0);
    for (let j = 0; j < latent; j += 4) {
      const offset = (<usize>j) << 2;
      const mask = laneMask(latent - j);
      const m = v128.load(mu + offset);
      const v = v128.load(logvar + offset);
      const sigma = exp(f32x4.mul(v, half));
      for (let k = 0; k < samples; k++) {
        const place = ((<usize>((example * samples + k) * latent)) << 2) + offset;
        const noise = v128.load(epsilon + place);
        const sample = f32x4.add(m, f32x4.mul(sigma, noise));
        storeLanes(z + place, sample, latent - j);
        if (!analytic) {
          const squares = f32x4.sub(f32x4.mul(sample, sample), f32x4.mul(noise, noise));
          sum = accumulateDouble(sum, v128.and(f32x4.sub(squares, v), mask));
        }
      }
      if (analytic) {
        const squares = f32x4.add(f32x4.mul(m, m), f32x4.sub(exp(v), one));
        sum = accumulateDouble(sum, v128.and(f32x4.sub(squares, v), mask));
      }
    }
    const scale = analytic ? 0.5 : 0.5 / <f64>samples;
    store<f64>(kl + ((<usize>example) << 3), sumDoubleLanes(sum) * scale);
  }
}

/**
 * dPosterior = d(loss)/d(mu, logvar) from dz = d(−(1/K) Σ_k log p(x|z_k))/dz, [examples, samples, latent],
 * plus beta times the gradient of the KL. Through z: dmu = Σ_k dz_k, dlogvar = ½ sigma Σ_k dz_k ⊙ epsilon_k.
 */
export function gaussianBackward(
  posterior: usize,
  epsilon: usize,
  z: usize,
  dz: usize,
  dPosterior: usize,
  examples: i32,
  samples: i32,
  latent: i32,
  analytic: i32,
  beta: f32,
): void {
  const half = f32x4.splat(0.5);
  const halfBeta = f32x4.splat(0.5 * beta);
  const weight = f32x4.splat(beta);
  const sampleWeight = f32x4.splat(beta / <f32>samples);
  for (let example = 0; example < examples; example++) {
    const mu = posterior + ((<usize>(example * 2 * latent)) << 2);
    const logvar = mu + ((<usize>latent) << 2);
    const dMu = dPosterior + ((<usize>(example * 2 * latent)) << 2);
    const dLogvar = dMu + ((<usize>latent) << 2);
    for (let j = 0; j < latent; j += 4) {
      const offset = (<usize>j) << 2;
      const v = v128.load(logvar + offset);
      const sigma = exp(f32x4.mul(v, half));
      let sum = f32x4.splat(0);
      let noiseSum = f32x4.splat(0);
      for (let k = 0; k < samples; k++) {
        const place = ((<usize>((example * samples + k) * latent)) << 2) + offset;
        let gradient = v128.load(dz + place);
        if (!analytic) gradient = f32x4.add(gradient, f32x4.mul(sampleWeight, v128.load(z + place)));
        sum = f32x4.add(sum, gradient);
        noiseSum = f32x4.add(noiseSum, f32x4.mul(gradient, v128.load(epsilon + place)));
      }
      let logvarGradient = f32x4.mul(f32x4.mul(noiseSum, sigma), half);
      if (analytic) {
        sum = f32x4.add(sum, f32x4.mul(weight, v128.load(mu + offset)));
        const variance = f32x4.sub(exp(v), f32x4.splat(1));
        logvarGradient = f32x4.add(logvarGradient, f32x4.mul(halfBeta, variance));
      } else {
        logvarGradient = f32x4.sub(logvarGradient, halfBeta);
      }
      storeLanes(dMu + offset, sum, latent - j);
      storeLanes(dLogvar + offset, logvarGradient, latent - j);
    }
  }
}
