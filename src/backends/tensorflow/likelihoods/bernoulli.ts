import type { TfjsLikelihood } from './likelihood.js';

/** x ℓ − softplus(ℓ), slope x − sigmoid(ℓ). */
export const bernoulli: TfjsLikelihood = {
  terms: (tf, logits, x) => tf.sub(tf.mul(x, logits), tf.softplus(logits)),
  slopes: (tf, logits, x) => tf.sub(x, tf.sigmoid(logits)),
};
