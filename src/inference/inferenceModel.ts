import { InferenceEngine, type InferenceEngineOptions } from '../backends/simd/inferenceEngine.js';
import { UsageError } from '../errors.js';
import { PRIOR_PURPOSES, Purpose, type RandomKey } from '../kernels/stream.js';
import { requireFiniteRows } from '../model/finite.js';
import { Place, positiveInteger } from '../model/jsonReader.js';
import type { Model } from '../model/model.js';
import type { PriorDensity } from '../model/priors/prior.js';
import { priorDensity } from '../model/priors/registry.js';
import type { ConditionalDensity } from '../sampling/conditionalDensity.js';
import { drawPrior } from '../sampling/priorDraws.js';
import type { RandomRows } from '../sampling/randomRows.js';
import { countRows, requireParameters, requireResultSize } from './arguments.js';
import { KernelRandom } from './kernelRandom.js';
import type { Posterior } from './posterior.js';

export interface InferenceModelOptions extends Omit<InferenceEngineOptions, 'rows'> {
  /** Flat, in the order of `model.parameters`; copied. */
  readonly parameters: Float32Array;
  /** Most rows in one pass through the decoder; default as many as the caches hold. It decides no bit. */
  readonly rows?: number;
}

/**
 * What estimates of log p(x) and samples of p(z|x) need of a trained model, on one thread, in a memory of its
 * own.
 */
export class InferenceModel {
  readonly model: Model;
  /** p(z). */
  readonly prior: PriorDensity;
  readonly #engine: InferenceEngine;
  readonly #platform: InferenceModelOptions['platform'];

  /**
   * @throws UsageError where the parameters do not fit the model, or it needs more memory than there can be.
   */
  constructor({ parameters, rows = Number.MAX_SAFE_INTEGER, ...options }: InferenceModelOptions) {
    requireParameters(options.model, parameters, 'InferenceModel');
    this.model = options.model;
    this.#platform = options.platform;
    this.#engine = createEngine({ ...options, rows });
    this.#engine.setParameters(parameters);
    const { prior, latent } = options.model;
    this.prior = priorDensity(prior, latent, Float32Array.from(parameters));
  }

  /** Random rows of a seed. */
  random(key: RandomKey): RandomRows {
    return new KernelRandom(this.#platform.module, key);
  }

  /**
   * Computes q(z|x) of each example.
   * @param x [n, dimensions].
   * @returns mu and logvar, [n, latent] each.
   * @throws UsageError where x is not a whole number of examples, or not finite.
   * @throws NotFiniteError where a mean or a log-variance is NaN or infinite.
   */
  encode(x: Float32Array): Posterior {
    const { dimensions, latent } = this.model;
    const n = countRows(x, dimensions, new Place('encode()', 'x'));
    const posterior = new Float32Array(n * 2 * latent);
    this.#engine.encode(x, posterior);
    const half = (from: number) =>
      Float32Array.from({ length: n * latent }, (_, i) => {
        return posterior[Math.floor(i / latent) * 2 * latent + from + (i % latent)]!;
      });
    const [mu, logvar] = [half(0), half(latent)];
    requireFiniteRows(mu, latent, 'The posterior mean of example');
    requireFiniteRows(logvar, latent, 'The posterior log-variance of example');
    return { mu, logvar };
  }

  /**
   * p(x|z) of some examples as a function of z. Densities of one model may stand side by side.
   * @param x [n, dimensions]; copied.
   * @param chains rows for each example.
   * @throws UsageError where x is not a whole number of examples, or not finite.
   */
  condition(x: Float32Array, chains: number): ConditionalDensity {
    const { dimensions, latent } = this.model;
    const place = new Place('condition()', 'x');
    positiveInteger(chains, new Place('condition()', 'chains'));
    const rows = countRows(x, dimensions, place) * chains;
    requireResultSize(rows, latent, place);
    const z = new Float32Array(rows * latent);
    const logLikelihood = new Float64Array(rows);
    const gradient = new Float32Array(rows * latent);
    const values = { x: Float32Array.from(x), chains, z, logLikelihood, gradient: undefined };
    const withGradient = { ...values, gradient };
    const evaluate = (count: number, wanted: boolean) =>
      this.#engine.evaluate(wanted ? withGradient : values, count);
    return { prior: this.prior, latent, chains, rows, z, logLikelihood, gradient, evaluate };
  }

  /**
   * Means of p(x|z).
   * @param z [n, latent].
   * @returns [n, dimensions].
   * @throws UsageError where z is not a whole number of points, or not finite.
   */
  means(z: Float32Array): Float32Array {
    const n = countRows(z, this.model.latent, new Place('means()', 'z'));
    requireResultSize(n, this.model.dimensions, new Place('means()', 'z'));
    return this.#engine.decode(z, true);
  }

  /**
   * Draws pairs (z, x) from the model, one for each position: z ~ p(z), x ~ p(x|z). A pair is a function of
   * the key and of its position.
   * @returns z [positions.length, latent] and x [positions.length, dimensions].
   */
  simulate(key: RandomKey, positions: readonly number[]): { z: Float32Array; x: Float32Array } {
    const { dimensions, latent } = this.model;
    const count = positions.length;
    requireResultSize(count, Math.max(dimensions, latent), new Place('simulate()', 'positions'));
    const random = this.random(key);
    const z = new Float32Array(count * latent);
    drawPrior(this.prior, z, { random, positions, step: 0, purpose: PRIOR_PURPOSES.simulation });
    const x = this.means(z);
    for (const [i, position] of positions.entries()) {
      const row = x.subarray(i * dimensions, (i + 1) * dimensions);
      this.#engine.draw(row, { key, position, purpose: Purpose.simulatedPixels });
    }
    return { z, x };
  }
}

function createEngine(options: InferenceEngineOptions): InferenceEngine {
  try {
    return new InferenceEngine(options);
  } catch (error) {
    // Too large a memory is a matter of the arguments.
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}
