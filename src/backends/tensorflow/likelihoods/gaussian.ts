import { log } from '../../../arithmetic/exponential.js';
import type { TfjsLikelihood } from './likelihood.js';

/** ½ log 2π. */
const HALF_LOG_TWO_PI = 0.9189385332046727;

/** −½ (x − m)² / σ² − ½ log 2π − log σ, slope (x − m) / σ². */
export function gaussian(sigma: number): TfjsLikelihood {
  const precision = 1 / (sigma * sigma);
  const normaliser = HALF_LOG_TWO_PI + log(sigma);
  return {
    terms: (tf, means, x) => tf.sub(tf.mul(tf.square(tf.sub(x, means)), -precision / 2), normaliser),
    slopes: (tf, means, x) => tf.mul(tf.sub(x, means), precision),
  };
}
