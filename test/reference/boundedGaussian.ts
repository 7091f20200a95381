// gaussian.ts with bounds: `posterior` [n, 2d] is μ, then logvar; `epsilon` and `z` are [n, K, d].

import {
  type BoundedNumber,
  boundedExp,
  boundedProduct,
  boundedSum,
  exactNumber,
  numberAt,
  scaled,
  toBounded,
} from './boundedNumber.js';
import type { KlKind } from './gaussian.js';
import type { Arithmetic, Bounded } from './rounding.js';

/** Where a place of z [n, K, d] finds its μ in the posterior [n, 2d]; logvar is `latent` further on. */
export function muPlace(index: number, samples: number, latent: number): number {
  return Math.floor(index / (samples * latent)) * 2 * latent + (index % latent);
}

export function sigmaAt(posterior: Bounded, logvarPlace: number, arithmetic: Arithmetic): BoundedNumber {
  return boundedExp(scaled(numberAt(posterior, logvarPlace), 1 / 2), arithmetic);
}

/** μ + exp(½ logvar) ⊙ ε. */
export function boundedReparameterise(
  posterior: Bounded,
  epsilon: Float64Array,
  samples: number,
  latent: number,
  arithmetic: Arithmetic,
): Bounded {
  const z = Array.from(epsilon, (noise, index) => {
    const mu = muPlace(index, samples, latent);
    const sigma = sigmaAt(posterior, mu + latent, arithmetic);
    const spread = boundedProduct(sigma, exactNumber(noise), arithmetic);
    return boundedSum([numberAt(posterior, mu), spread], arithmetic);
  });
  return toBounded(z);
}

/** The terms ½·μ², ½·exp(logvar), −½·logvar and −½ of each dimension, summed in any order, [n]. */
export function boundedKlAnalytic(posterior: Bounded, latent: number, arithmetic: Arithmetic): Bounded {
  const sums: BoundedNumber[] = [];
  for (let example = 0; example < posterior.value.length; example += 2 * latent) {
    const terms: BoundedNumber[] = [];
    for (let place = example; place < example + latent; place++) {
      const mu = numberAt(posterior, place);
      const logvar = numberAt(posterior, place + latent);
      terms.push(scaled(boundedProduct(mu, mu, arithmetic), 1 / 2));
      terms.push(scaled(boundedExp(logvar, arithmetic), 1 / 2));
      terms.push(scaled(logvar, -1 / 2), exactNumber(-1 / 2));
    }
    sums.push(boundedSum(terms, arithmetic));
  }
  return toBounded(sums);
}

/** The terms ½·z²/K, −½·logvar/K and −½·ε²/K of each sample and dimension, summed in any order, [n]. */
export function boundedKlMonteCarlo(
  posterior: Bounded,
  epsilon: Float64Array,
  z: Bounded,
  samples: number,
  latent: number,
  arithmetic: Arithmetic,
): Bounded {
  const sums: BoundedNumber[] = [];
  const half = 1 / (2 * samples);
  for (let example = 0; example < epsilon.length; example += samples * latent) {
    const terms: BoundedNumber[] = [];
    for (let index = example; index < example + samples * latent; index++) {
      const sample = numberAt(z, index);
      const noise = exactNumber(epsilon[index]!);
      terms.push(scaled(boundedProduct(sample, sample, arithmetic), half));
      terms.push(scaled(numberAt(posterior, muPlace(index, samples, latent) + latent), -half));
      terms.push(scaled(boundedProduct(noise, noise, arithmetic), -half));
    }
    sums.push(boundedSum(terms, arithmetic));
  }
  return toBounded(sums);
}

/** gaussianBackward with bounds, [n, 2d]. */
export function boundedGaussianBackward(
  posterior: Bounded,
  epsilon: Float64Array,
  z: Bounded,
  dz: Bounded,
  samples: number,
  latent: number,
  kl: KlKind,
  klScale: number,
  arithmetic: Arithmetic,
): Bounded {
  const terms = Array.from(posterior.value, (): BoundedNumber[] => []);
  for (let index = 0; index < epsilon.length; index++) {
    const mu = muPlace(index, samples, latent);
    const paths = [numberAt(dz, index)];
    if (kl === 'monteCarlo') paths.push(scaled(numberAt(z, index), klScale / samples));
    const total = boundedSum(paths, arithmetic);
    const halfNoise = boundedProduct(total, exactNumber(epsilon[index]! / 2), arithmetic);
    terms[mu]!.push(total);
    terms[mu + latent]!.push(
      boundedProduct(halfNoise, sigmaAt(posterior, mu + latent, arithmetic), arithmetic),
    );
  }
  for (let mu = 0; mu < terms.length; mu++) {
    if (mu % (2 * latent) >= latent) continue;
    if (kl === 'analytic') {
      const variance = boundedExp(numberAt(posterior, mu + latent), arithmetic);
      const excess = boundedSum([variance, exactNumber(-1)], arithmetic);
      terms[mu]!.push(scaled(numberAt(posterior, mu), klScale));
      terms[mu + latent]!.push(scaled(excess, klScale / 2));
    } else {
      terms[mu + latent]!.push(exactNumber(-klScale / 2));
    }
  }
  // A term of the Monte-Carlo KL is a sum of two.
  return toBounded(terms.map((list) => boundedSum(list, arithmetic, 2)));
}
