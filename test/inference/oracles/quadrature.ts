// log p(x) and the moments of p(z|x) by quadrature on a fine grid, for one or two latent dimensions.
import type { ConditionalDensity } from '#src/sampling/conditionalDensity.js';

/** The grid covers [−REACH, REACH]: outside it N(0, 1), and the tests' mixtures, have less than 1e-14. */
const REACH = 8;

export interface GridPosterior {
  /** log ∫ p(x|z) p(z) dz, nats. */
  readonly logMarginal: number;
  /** E[z|x], [latent]. */
  readonly mean: Float64Array;
  /** Cov[z|x], [latent, latent]. */
  readonly covariance: Float64Array;
}

/**
 * The trapezoidal rule, whose error vanishes faster than any power of the distance for smooth integrands that
 * decay on both sides. A distance that is a power of ½ makes the points exact in float32.
 * @param density of one example.
 * @param distance between neighbouring points.
 */
export function gridPosterior(density: ConditionalDensity, distance = 1 / 32): GridPosterior {
  const { latent } = density;
  const points = gridPoints(latent, distance);
  const logs = logJoint(density, points);
  const most = logs.reduce((a, b) => Math.max(a, b));
  const weights = logs.map((value) => Math.exp(value - most));
  const total = weights.reduce((a, b) => a + b);
  const average = (value: (point: number) => number) =>
    weights.reduce((sum, weight, point) => sum + weight * value(point), 0) / total;
  const mean = Float64Array.from({ length: latent }, (_, j) => average((p) => points[p * latent + j]!));
  const covariance = Float64Array.from({ length: latent ** 2 }, (_, at) => {
    const [i, j] = [Math.floor(at / latent), at % latent];
    return average((p) => (points[p * latent + i]! - mean[i]!) * (points[p * latent + j]! - mean[j]!));
  });
  return { logMarginal: most + Math.log(total) + latent * Math.log(distance), mean, covariance };
}

function gridPoints(latent: number, distance: number): Float32Array {
  const side = Math.round((2 * REACH) / distance) + 1;
  return Float32Array.from({ length: side ** latent * latent }, (_, at) => {
    const [point, j] = [Math.floor(at / latent), at % latent];
    return (Math.floor(point / side ** j) % side) * distance - REACH;
  });
}

/** log p(z) + log p(x|z) at each point. */
function logJoint(density: ConditionalDensity, points: Float32Array): Float64Array {
  const { prior, latent, rows, z, logLikelihood } = density;
  const count = points.length / latent;
  const values = new Float64Array(count);
  for (let first = 0; first < count; first += rows) {
    const part = points.subarray(first * latent, Math.min(count, first + rows) * latent);
    z.set(part);
    density.evaluate(part.length / latent, false);
    for (let row = 0; row < part.length / latent; row++) {
      values[first + row] = logLikelihood[row]! + prior.logDensity(part, row);
    }
  }
  return values;
}
