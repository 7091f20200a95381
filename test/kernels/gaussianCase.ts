// The approximate posterior in float64: reparameterisation, KL and gradients, each with a bound of what float32 adds.
import { roundoff, sampleFloats, underflow, words } from './float32.js';

/** An elementary function within 4 ulp (elementary.test.ts), an ulp being at most two units of roundoff. */
const ELEMENTARY = 8;

export interface GaussianCase {
  readonly examples: number;
  readonly samples: number;
  readonly latent: number;
  readonly analytic: boolean;
  readonly beta: number;
  /** [examples, 2 · latent]. */
  readonly posterior: Float32Array;
  /** [examples, samples, latent]. */
  readonly epsilon: Float32Array;
  /** [examples, samples, latent]: gradient of the reconstruction term with respect to z. */
  readonly dz: Float32Array;
}

export interface Size {
  readonly examples: number;
  readonly samples: number;
  readonly latent: number;
}

export function sampleGaussian(seed: number, size: Size, analytic: boolean, beta = 0.75): GaussianCase {
  const { examples, samples, latent } = size;
  const next = words(seed);
  const posterior = sampleFloats(seed, examples * 2 * latent);
  // log-variances on all of ±20.
  for (let i = 0; i < posterior.length; i++) {
    if (i % (2 * latent) >= latent) posterior[i] = 40 * (next() / 2 ** 32 - 0.5);
  }
  const count = examples * samples * latent;
  const epsilon = sampleFloats(seed + 1, count);
  return { ...size, analytic, beta, posterior, epsilon, dz: sampleFloats(seed + 2, count) };
}

/** A number and the largest error that float32 may have made of it. */
export interface Bounded {
  readonly value: number;
  readonly bound: number;
}

/** Places of z (and epsilon, dz) of one latent dimension: k → index. */
function places({ samples, latent }: GaussianCase, example: number, j: number): number[] {
  return Array.from({ length: samples }, (_, k) => (example * samples + k) * latent + j);
}

function distribution({ posterior, latent }: GaussianCase, example: number, j: number) {
  const mu = posterior[example * 2 * latent + j]!;
  const logvar = posterior[example * 2 * latent + latent + j]!;
  return { mu, logvar, sigma: Math.exp(0.5 * logvar) };
}

/** z = mu + sigma epsilon: sigma's error, the product's and the sum's. */
function exactZ(mu: number, sigma: number, noise: number): Bounded {
  const value = mu + sigma * noise;
  const units = (ELEMENTARY + 1) * Math.abs(sigma * noise) + Math.abs(value);
  return { value, bound: units * roundoff * 1.001 + 16 * underflow };
}

export function exactForward(gaussian: GaussianCase): { z: Bounded[]; kl: Bounded[] } {
  const { examples, latent, epsilon, analytic, samples } = gaussian;
  const z: Bounded[] = [];
  const kl = Array.from({ length: examples }, (_, example) => {
    let [value, units] = [0, 0];
    for (let j = 0; j < latent; j++) {
      const { mu, logvar, sigma } = distribution(gaussian, example, j);
      for (const place of places(gaussian, example, j)) {
        z[place] = exactZ(mu, sigma, epsilon[place]!);
        if (analytic) continue;
        const term = drawnTerm(z[place]!, epsilon[place]!, logvar);
        value += term.value / samples;
        units += term.bound / samples;
      }
      if (analytic) {
        const term = analyticTerm(mu, logvar);
        value += term.value;
        units += term.bound;
      }
    }
    // The factor ½ is exact, and the float64 sum all but exact.
    return { value: 0.5 * value, bound: 0.5 * units * 1.001 };
  });
  return { z, kl };
}

/** mu² + e^logvar − 1 − logvar, from left to right. */
function analyticTerm(mu: number, logvar: number): Bounded {
  const variance = Math.exp(logvar);
  const squares = mu * mu + (variance - 1);
  const value = squares - logvar;
  const units =
    mu * mu + ELEMENTARY * variance + Math.abs(variance - 1) + Math.abs(squares) + Math.abs(value);
  return { value, bound: units * roundoff };
}

/** z² − epsilon² − logvar, from left to right; z comes with its own error. */
function drawnTerm(z: Bounded, noise: number, logvar: number): Bounded {
  const squares = z.value ** 2 - noise ** 2;
  const value = squares - logvar;
  const units = z.value ** 2 + noise ** 2 + Math.abs(squares) + Math.abs(value);
  return { value, bound: units * roundoff + 2 * Math.abs(z.value) * z.bound + z.bound ** 2 };
}

/**
 * d/d(mu, logvar) of Σ_k dz_k · z_k + beta KL, [examples, 2 · latent]. The kernel reads z as float32 had it, so z's
 * error is in the bound of the Monte Carlo gradient.
 */
export function exactBackward(gaussian: GaussianCase): Bounded[] {
  const { examples, samples, latent, analytic, beta, epsilon, dz } = gaussian;
  const gradient: Bounded[] = [];
  for (let example = 0; example < examples; example++) {
    for (let j = 0; j < latent; j++) {
      const { mu, logvar, sigma } = distribution(gaussian, example, j);
      // Sums of g and g epsilon, of what their terms may be off, and of their magnitudes.
      const sums = { g: 0, noise: 0, gBound: 0, noiseBound: 0, gSize: 0, noiseSize: 0 };
      for (const place of places(gaussian, example, j)) {
        const noise = epsilon[place]!;
        const z = exactZ(mu, sigma, noise);
        const weight = analytic ? 0 : beta / samples;
        const g = dz[place]! + weight * z.value;
        // beta / K and the product are rounded, with beta itself three times; the sum once.
        const bound = (3 * Math.abs(weight * z.value) + Math.abs(g)) * roundoff + weight * z.bound;
        sums.g += g;
        sums.gBound += bound;
        sums.gSize += Math.abs(g);
        sums.noise += g * noise;
        sums.noiseBound += Math.abs(noise) * (bound + Math.abs(g) * roundoff);
        sums.noiseSize += Math.abs(g * noise);
      }
      const klMu = analytic ? beta * mu : 0;
      const klLogvar = analytic ? 0.5 * beta * (Math.exp(logvar) - 1) : -0.5 * beta;
      const through = 0.5 * sigma * sums.noise;
      gradient[example * 2 * latent + j] = {
        value: sums.g + klMu,
        bound:
          1.001 *
          (sums.gBound + ((samples + 1) * (sums.gSize + Math.abs(klMu)) + 2 * Math.abs(klMu)) * roundoff),
      };
      // Sum over k, sigma, its product; of the KL beta, e^logvar, − 1, product; the sum of the two.
      const throughUnits = (samples + ELEMENTARY + 1) * 0.5 * sigma * sums.noiseSize;
      const klUnits = (ELEMENTARY + 3) * 0.5 * beta * (analytic ? Math.exp(logvar) + 1 : 1);
      gradient[example * 2 * latent + latent + j] = {
        value: through + klLogvar,
        bound:
          1.001 *
          (0.5 * sigma * sums.noiseBound +
            (throughUnits + klUnits + Math.abs(through) + Math.abs(klLogvar)) * roundoff),
      };
    }
  }
  return gradient;
}

/** Σ_k dz_k · z_k + beta KL of one example, in float64: what `exactBackward` is the gradient of. */
export function exactLoss(gaussian: GaussianCase, example: number, posterior: Float64Array): number {
  const { samples, latent, analytic, beta, epsilon, dz } = gaussian;
  let loss = 0;
  for (let j = 0; j < latent; j++) {
    const [mu, logvar] = [posterior[j]!, posterior[latent + j]!];
    if (analytic) loss += 0.5 * beta * (mu ** 2 + Math.exp(logvar) - logvar - 1);
    for (const place of places(gaussian, example, j)) {
      const z = mu + Math.exp(0.5 * logvar) * epsilon[place]!;
      loss += dz[place]! * z;
      if (!analytic) loss += (0.5 * beta * (z ** 2 - logvar - epsilon[place]! ** 2)) / samples;
    }
  }
  return loss;
}
