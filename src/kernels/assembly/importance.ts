// Rows z_k of an example that do not all count the same: densities of the draws, and gradients weighted row
// by row.

import { exp } from './elementary';
import { accumulateDouble, laneMask, storeLanes, sumDoubleLanes } from './lanes';

/**
 * logRatio[r] (float64, nats) = log p(z_r) − log q(z_r|x) = ½ Σ_j (logvar_j + epsilon_j² − z_j²) for row r of
 * z, [examples · samples, latent], p standard normal and q as in gaussian.ts: 2π cancels. With one sample it
 * is −kl of gaussianForward (Monte Carlo) to the bit.
 */
export function gaussianLogRatios(
  posterior: usize,
  epsilon: usize,
  z: usize,
  examples: i32,
  samples: i32,
  latent: i32,
  logRatio: usize,
): void {
  for (let row = 0; row < examples * samples; row++) {
    const logvar = posterior + ((<usize>((row / samples) * 2 * latent + latent)) << 2);
    const place = (<usize>(row * latent)) << 2;
    let sum = f64x2.splat(0);
    for (let j = 0; j < latent; j += 4) {
      const offset = (<usize>j) << 2;
      const sample = v128.load(z + place + offset);
      const noise = v128.load(epsilon + place + offset);
      const squares = f32x4.sub(f32x4.mul(sample, sample), f32x4.mul(noise, noise));
      const term = f32x4.sub(squares, v128.load(logvar + offset));
      sum = accumulateDouble(sum, v128.and(term, laneMask(latent - j)));
    }
    store<f64>(logRatio + ((<usize>row) << 3), -0.5 * sumDoubleLanes(sum));
  }
}

/**
 * gradient = d(log w)/d(epsilon) = epsilon − sigma ⊙ (z + scale dz), [examples · samples, latent], with
 * log w = log p(x|z) + log p(z) − log q(z|x) along z = mu + sigma ⊙ epsilon, and
 * dz = d(−log p(x|z) / scale)/dz.
 */
export function gaussianLogWeightGradient(
  posterior: usize,
  epsilon: usize,
  z: usize,
  dz: usize,
  scale: f32,
  gradient: usize,
  examples: i32,
  samples: i32,
  latent: i32,
): void {
  const half = f32x4.splat(0.5);
  const factor = f32x4.splat(scale);
  for (let example = 0; example < examples; example++) {
    const logvar = posterior + ((<usize>(example * 2 * latent + latent)) << 2);
    for (let j = 0; j < latent; j += 4) {
      const offset = (<usize>j) << 2;
      const sigma = exp(f32x4.mul(v128.load(logvar + offset), half));
      for (let k = 0; k < samples; k++) {
        const place = ((<usize>((example * samples + k) * latent)) << 2) + offset;
        const slope = f32x4.add(v128.load(z + place), f32x4.mul(factor, v128.load(dz + place)));
        const value = f32x4.sub(v128.load(epsilon + place), f32x4.mul(sigma, slope));
        storeLanes(gradient + place, value, latent - j);
      }
    }
  }
}

/**
 * dPosterior = d(loss)/d(mu, logvar) by an estimator that takes z_k's path and the score of q apart. With
 * W_k = `weights`, p_k = `path` and c_k = `score`, [examples, samples] float32 each:
 *   g_k = p_k (dz_k + beta W_k (z_k − epsilon_k / sigma)),
 *   dmu = Σ_k [g_k + c_k epsilon_k / sigma],  dlogvar = ½ Σ_k [sigma epsilon_k g_k + c_k (epsilon_k² − 1)].
 * d log q(z|x)/dz at z_k is −epsilon_k / sigma; the score is its derivative in mu and logvar at z_k as it is.
 */
export function gaussianBackwardEstimated(
  posterior: usize,
  epsilon: usize,
  z: usize,
  dz: usize,
  weights: usize,
  path: usize,
  score: usize,
  dPosterior: usize,
  examples: i32,
  samples: i32,
  latent: i32,
  beta: f32,
): void {
  const half = f32x4.splat(0.5);
  const one = f32x4.splat(1);
  for (let example = 0; example < examples; example++) {
    const logvar = posterior + ((<usize>(example * 2 * latent + latent)) << 2);
    const dMu = dPosterior + ((<usize>(example * 2 * latent)) << 2);
    const dLogvar = dMu + ((<usize>latent) << 2);
    const firstRow = (<usize>(example * samples)) << 2;
    for (let j = 0; j < latent; j += 4) {
      const offset = (<usize>j) << 2;
      const halfLogvar = f32x4.mul(v128.load(logvar + offset), half);
      const sigma = exp(halfLogvar);
      const inverse = exp(f32x4.neg(halfLogvar));
      let sum = f32x4.splat(0);
      let logvarSum = f32x4.splat(0);
      for (let k = 0; k < samples; k++) {
        const row = firstRow + ((<usize>k) << 2);
        const place = ((<usize>((example * samples + k) * latent)) << 2) + offset;
        const noise = v128.load(epsilon + place);
        const slope = f32x4.mul(noise, inverse);
        const factor = f32x4.splat(load<f32>(score + row));
        const ratio = f32x4.mul(
          f32x4.splat(beta * load<f32>(weights + row)),
          f32x4.sub(v128.load(z + place), slope),
        );
        const along = f32x4.mul(f32x4.splat(load<f32>(path + row)), f32x4.add(v128.load(dz + place), ratio));
        sum = f32x4.add(sum, f32x4.add(along, f32x4.mul(factor, slope)));
        const squares = f32x4.mul(factor, f32x4.sub(f32x4.mul(noise, noise), one));
        logvarSum = f32x4.add(logvarSum, f32x4.add(f32x4.mul(f32x4.mul(sigma, noise), along), squares));
      }
      storeLanes(dMu + offset, sum, latent - j);
      storeLanes(dLogvar + offset, f32x4.mul(half, logvarSum), latent - j);
    }
  }
}

/** values[r] *= weights[r], [rows, columns] by [rows] float32. */
export function scaleRows(values: usize, weights: usize, rows: i32, columns: i32): void {
  for (let row = 0; row < rows; row++) {
    const weight = f32x4.splat(load<f32>(weights + ((<usize>row) << 2)));
    const place = values + ((<usize>(row * columns)) << 2);
    for (let i = 0; i < columns; i += 4) {
      const at = place + ((<usize>i) << 2);
      storeLanes(at, f32x4.mul(v128.load(at), weight), columns - i);
    }
  }
}

/**
 * dPosterior = d(loss)/d(mu, logvar), where row k of an example has the weight w_k, Σ_k w_k = 1, in
 * d(loss) = Σ_k w_k d[−log p(x|z_k) + beta (log q(z_k|x) − log p(z_k))]. `dz` [examples, samples, latent] has
 * the first part, weighted already; `weights` is [examples, samples] float32. As gaussianBackward (Monte
 * Carlo), where all weights are 1 / samples. d log q(z_k|x) along z_k = mu + sigma epsilon_k is 0 in mu and
 * −½ in logvar; d log p(z_k) is −z_k in z_k.
 */
export function gaussianBackwardWeighted(
  posterior: usize,
  epsilon: usize,
  z: usize,
  dz: usize,
  weights: usize,
  dPosterior: usize,
  examples: i32,
  samples: i32,
  latent: i32,
  beta: f32,
): void {
  const half = f32x4.splat(0.5);
  const halfBeta = f32x4.splat(0.5 * beta);
  for (let example = 0; example < examples; example++) {
    const logvar = posterior + ((<usize>(example * 2 * latent + latent)) << 2);
    const dMu = dPosterior + ((<usize>(example * 2 * latent)) << 2);
    const dLogvar = dMu + ((<usize>latent) << 2);
    const w = weights + ((<usize>(example * samples)) << 2);
    for (let j = 0; j < latent; j += 4) {
      const offset = (<usize>j) << 2;
      const sigma = exp(f32x4.mul(v128.load(logvar + offset), half));
      let sum = f32x4.splat(0);
      let noiseSum = f32x4.splat(0);
      for (let k = 0; k < samples; k++) {
        const place = ((<usize>((example * samples + k) * latent)) << 2) + offset;
        const sampleWeight = f32x4.splat(beta * load<f32>(w + ((<usize>k) << 2)));
        const gradient = f32x4.add(v128.load(dz + place), f32x4.mul(sampleWeight, v128.load(z + place)));
        sum = f32x4.add(sum, gradient);
        noiseSum = f32x4.add(noiseSum, f32x4.mul(gradient, v128.load(epsilon + place)));
      }
      storeLanes(dMu + offset, sum, latent - j);
      const scaled = f32x4.mul(f32x4.mul(noiseSum, sigma), half);
      storeLanes(dLogvar + offset, f32x4.sub(scaled, halfBeta), latent - j);
    }
  }
}
