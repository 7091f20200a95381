// Probabilistic PCA: p(x|z) = N(W z + b, σ² I), whose marginal and posterior have closed forms at any d.
import { standardNormalDensity } from '#src/model/priors/standardNormal.js';
import type { ConditionalDensity } from '#src/sampling/conditionalDensity.js';
import { choleskyOf, logNormal, solveCholesky } from './normal.js';

export interface LinearGaussianSpec {
  readonly latent: number;
  readonly dimensions: number;
  /** [dimensions, latent]. */
  readonly weights: ArrayLike<number>;
  /** [dimensions]. */
  readonly bias: ArrayLike<number>;
  readonly sigma: number;
}

export class LinearGaussian {
  readonly #spec: LinearGaussianSpec;

  constructor(spec: LinearGaussianSpec) {
    this.#spec = spec;
  }

  /** log p(x) = log N(x; b, W Wᵀ + σ² I), nats. */
  logMarginal(x: ArrayLike<number>): number {
    const { latent, dimensions, weights, bias, sigma } = this.#spec;
    const covariance = Float64Array.from({ length: dimensions ** 2 }, (_, at) => {
      const [i, j] = [Math.floor(at / dimensions), at % dimensions];
      let sum = i === j ? sigma ** 2 : 0;
      for (let k = 0; k < latent; k++) sum += weights[i * latent + k]! * weights[j * latent + k]!;
      return sum;
    });
    return logNormal(
      Float64Array.from(bias, (value, i) => x[i]! - value),
      covariance,
    );
  }

  /** p(z|x) = N(mean, covariance): precision I + Wᵀ W / σ². */
  posterior(x: ArrayLike<number>): { mean: Float64Array; covariance: Float64Array } {
    const { latent, dimensions, weights, bias, sigma } = this.#spec;
    const precision = Float64Array.from({ length: latent ** 2 }, (_, at) => {
      const [i, j] = [Math.floor(at / latent), at % latent];
      let sum = i === j ? 1 : 0;
      for (let k = 0; k < dimensions; k++) {
        sum += (weights[k * latent + i]! * weights[k * latent + j]!) / sigma ** 2;
      }
      return sum;
    });
    const factor = choleskyOf(precision);
    const right = Float64Array.from({ length: latent }, (_, j) => {
      let sum = 0;
      for (let k = 0; k < dimensions; k++)
        sum += (weights[k * latent + j]! * (x[k]! - bias[k]!)) / sigma ** 2;
      return sum;
    });
    const covariance = new Float64Array(latent ** 2);
    for (let j = 0; j < latent; j++) {
      const unit = new Float64Array(latent);
      unit[j] = 1;
      covariance.set(solveCholesky(factor, unit), j * latent);
    }
    return { mean: solveCholesky(factor, right), covariance };
  }

  /** x = W z + b + σ · noise. */
  draw(z: ArrayLike<number>, noise: ArrayLike<number>): Float64Array {
    const { sigma } = this.#spec;
    return this.#mean(z, 0).map((value, i) => value + sigma * noise[i]!);
  }

  /** @param x [examples, dimensions]. */
  condition(x: ArrayLike<number>, chains: number): ConditionalDensity {
    const { latent, dimensions, weights, sigma } = this.#spec;
    const rows = (x.length / dimensions) * chains;
    const z = new Float32Array(rows * latent);
    const logLikelihood = new Float64Array(rows);
    const gradient = new Float32Array(rows * latent);
    const evaluate = (count: number, withGradient: boolean) => {
      for (let row = 0; row < count; row++) {
        const example = Math.floor(row / chains);
        const residual = this.#mean(z, row).map((value, i) => x[example * dimensions + i]! - value);
        const squares = residual.reduce((sum, value) => sum + value ** 2, 0);
        logLikelihood[row] =
          -squares / sigma ** 2 / 2 - (dimensions * Math.log(2 * Math.PI * sigma ** 2)) / 2;
        for (let j = 0; withGradient && j < latent; j++) {
          const slope = residual.reduce((sum, value, i) => sum + value * weights[i * latent + j]!, 0);
          gradient[row * latent + j] = slope / sigma ** 2;
        }
      }
    };
    const prior = standardNormalDensity(latent);
    return { prior, latent, chains, rows, z, logLikelihood, gradient, evaluate };
  }

  #mean(z: ArrayLike<number>, row: number): Float64Array {
    const { latent, bias, weights } = this.#spec;
    return Float64Array.from(bias, (value, i) => {
      let sum = value;
      for (let j = 0; j < latent; j++) sum += weights[i * latent + j]! * z[row * latent + j]!;
      return sum;
    });
  }
}
