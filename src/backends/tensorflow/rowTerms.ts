// Log-likelihoods and log-ratios of the rows z_k of an example over TensorFlow.js, row by row or as a mean.
import type { Tensor } from '@tensorflow/tfjs-core';
import { customGradient } from './customGradient.js';
import { join, split } from './draws.js';
import type { TfjsLikelihood } from './likelihoods/likelihood.js';
import type { Tfjs } from './runtime.js';

/** How an example's terms make a value, and how the gradient to the value weighs each row. */
interface Reduction {
  /** Terms [n, K, width] → [n] or [n, K]. */
  value(terms: Tensor): Tensor;
  /** The gradient to the value → [n, K, 1], or [n, 1, 1] where all rows of an example weigh the same. */
  rowWeights(d: Tensor): Tensor;
}

/** (1/K) Σ_k log p(x|z_k) in nats: outputs of n·K rows, images of n → [n]. */
export function meanLogLikelihood(
  tf: Tfjs,
  likelihood: TfjsLikelihood,
  outputs: Tensor,
  images: Tensor,
  samples: number,
): Tensor {
  const mean = (sums: Tensor) => (samples === 1 ? sums : tf.mul(sums, 1 / samples));
  return logLikelihoods(tf, likelihood, outputs, images, samples, {
    value: (terms) => mean(tf.sum(terms, [1, 2])),
    rowWeights: (d) => tf.reshape(mean(d), [-1, 1, 1]),
  });
}

/** log p(x|z_k) in nats: outputs of n·K rows, images of n → [n, K]. */
export function rowLogLikelihoods(
  tf: Tfjs,
  likelihood: TfjsLikelihood,
  outputs: Tensor,
  images: Tensor,
  samples: number,
): Tensor {
  return logLikelihoods(tf, likelihood, outputs, images, samples, {
    value: (terms) => tf.sum(terms, 2),
    rowWeights: (d) => tf.reshape(d, [-1, samples, 1]),
  });
}

function logLikelihoods(
  tf: Tfjs,
  likelihood: TfjsLikelihood,
  outputs: Tensor,
  images: Tensor,
  samples: number,
  { value, rowWeights }: Reduction,
): Tensor {
  return customGradient(tf, [outputs], (save) => {
    const n = images.shape[0]!;
    const x = tf.reshape(images, [n, 1, -1]);
    const rows = tf.reshape(outputs, [n, samples, -1]);
    save(rows, x);
    return {
      value: value(likelihood.terms(tf, rows, x)),
      gradients: (d, [savedRows, savedX]) => {
        const slopes = likelihood.slopes(tf, savedRows!, savedX!);
        return [tf.reshape(tf.mul(slopes, rowWeights(d)), outputs.shape)];
      },
    };
  });
}

/**
 * (1/K) Σ_k [log q(z_k|x) − log p(z_k)] = (1/K) Σ_k ½ Σ_j (z_kj² − ε_kj² − logvar_j) in nats: posterior
 * [1, n, 2d], noise and z [n, K, d] → [n].
 */
export function klMonteCarlo(tf: Tfjs, posterior: Tensor, noise: Tensor, z: Tensor): Tensor {
  const samples = z.shape[1]!;
  return densityTerms(tf, posterior, noise, z, {
    value: (terms) => tf.mul(tf.sum(terms, [1, 2]), 0.5 / samples),
    gradients: (d, savedZ) => {
      const weights = tf.reshape(d, [-1, 1, 1]);
      return [tf.mul(weights, -0.5), tf.mul(savedZ, tf.mul(weights, 1 / samples))];
    },
  });
}

/**
 * log p(z_k) − log q(z_k|x) = −½ Σ_j (z_kj² − ε_kj² − logvar_j) in nats, rounded as the Monte-Carlo KL is:
 * posterior [1, n, 2d], noise and z [n, K, d] → [n, K].
 */
export function rowLogRatios(tf: Tfjs, posterior: Tensor, noise: Tensor, z: Tensor): Tensor {
  return densityTerms(tf, posterior, noise, z, {
    value: (terms) => tf.mul(tf.sum(terms, 2), -0.5),
    gradients: (d, savedZ) => {
      const [n, samples] = d.shape as [number, number];
      const dLogvar = tf.mul(tf.reshape(tf.sum(d, 1), [n, 1, 1]), 0.5);
      return [dLogvar, tf.neg(tf.mul(savedZ, tf.reshape(d, [n, samples, 1])))];
    },
  });
}

/** How the terms of the densities make a value, and the gradients to an example's logvar and to z. */
interface DensityReduction {
  /** Terms [n, K, d] → [n] or [n, K]. */
  value(terms: Tensor): Tensor;
  /** The gradient to the value → those to every logvar_j of an example, [n, 1, 1], and to z, [n, K, d]. */
  gradients(d: Tensor, z: Tensor): readonly [Tensor, Tensor];
}

/** A function of z_kj² − ε_kj² − logvar_j, which does not depend on μ but through z. */
function densityTerms(
  tf: Tfjs,
  posterior: Tensor,
  noise: Tensor,
  z: Tensor,
  { value, gradients }: DensityReduction,
): Tensor {
  return customGradient(tf, [posterior, z], (save) => {
    const [, logvar] = split(tf, posterior);
    save(logvar, z);
    return {
      value: value(tf.sub(tf.sub(tf.square(z), tf.square(noise)), logvar)),
      gradients: (d, [savedLogvar, savedZ]) => {
        const zeros = tf.zerosLike(savedLogvar!);
        const [dLogvar, dz] = gradients(d, savedZ!);
        return [join(tf, zeros, tf.add(zeros, dLogvar)), dz];
      },
    };
  });
}

/** [n · K] → [n]. */
export function sampleMeans(rows: Float64Array, samples: number): Float64Array {
  const means = new Float64Array(rows.length / samples);
  rows.forEach((value, row) => {
    means[Math.floor(row / samples)]! += value / samples;
  });
  return means;
}
