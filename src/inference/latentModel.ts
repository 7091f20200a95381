import type { KlEstimate } from '../backends/backend.js';
import { UsageError } from '../errors.js';
import { inferencePlatform, type Platform } from '../kernels/platform.js';
import { PRIOR_PURPOSES, Purpose, type RandomKey, randomKey } from '../kernels/stream.js';
import { requireFiniteRows } from '../model/finite.js';
import type { Choice } from '../model/hyperparameter.js';
import { Place } from '../model/jsonReader.js';
import { BERNOULLI, type LikelihoodName, likelihoodOf } from '../model/likelihoods/registry.js';
import type { Model } from '../model/model.js';
import { readOptions } from '../model/optionReader.js';
import { type PriorName, priorDensity } from '../model/priors/registry.js';
import {
  type EstimatorName,
  estimatorOf,
  klEstimatesOf,
  klEstimatesOfPrior,
} from '../objective/estimators/registry.js';
import { type ObjectiveName, objectiveOf } from '../objective/registry.js';
import { drawPrior } from '../sampling/priorDraws.js';
import {
  countRows,
  DECODE_OPTIONS,
  ELBO_OPTIONS,
  GRADIENT_OPTIONS,
  MODEL_OPTIONS,
  POSTERIOR_OPTIONS,
  RECONSTRUCT_OPTIONS,
  requireParameters,
  requireResultSize,
  SAMPLE_OPTIONS,
} from './arguments.js';
import { InferenceModel } from './inferenceModel.js';
import { inferPosterior, type PosteriorDraws } from './inferPosterior.js';
import { KernelRandom } from './kernelRandom.js';
import {
  CHUNK,
  createLatentEngine,
  type ElboTerms,
  type LatentEngine,
  type LatentEngineOptions,
} from './latentEngine.js';
import type {
  DecodeOptions,
  ElboOptions,
  GradientOptions,
  LatentModelOptions,
  PosteriorOptions,
  ReconstructOptions,
  SampleOptions,
} from './options.js';
import type { Posterior } from './posterior.js';

export interface ElboGradients extends ElboTerms {
  /** The objective's bound at beta = 1, nats; absent where it is the ELBO. */
  readonly bound?: Float64Array;
  /** d(mean over the examples of −objective)/d(parameter), flat, in the order of `model.parameters`. */
  readonly gradient: Float32Array;
}

/**
 * A model with its parameters, in a memory of its own: encoder, decoder, likelihood bounds, gradients. Arrays
 * are flat and row-major; x is [n, dimensions] with values in [0, 1], z is [n, latent]. Synchronous, on the
 * calling thread. Every method throws a UsageError for options and arrays that do not fit, before it
 * allocates.
 */
export class LatentModel {
  readonly #parameters: Float32Array;
  readonly #platform: Platform;
  readonly #likelihood: Choice<LikelihoodName>;
  #engine: LatentEngine | undefined;
  #inference: InferenceModel | undefined;

  /**
   * @param parameters flat, in the order of `model.parameters`; copied.
   * @throws UsageError where they are not as many as the model has.
   */
  constructor(
    readonly model: Model,
    parameters: Float32Array,
    options: LatentModelOptions = {},
  ) {
    const given = readOptions(options, MODEL_OPTIONS, 'LatentModel');
    requireParameters(model, parameters, 'LatentModel');
    this.#platform = given.platform ?? inferencePlatform(given.arithmetic ?? 'portable', false);
    this.#likelihood = given.likelihood ?? BERNOULLI;
    this.#parameters = Float32Array.from(parameters);
  }

  /** A copy of the flat parameters. */
  get parameters(): Float32Array {
    return Float32Array.from(this.#parameters);
  }

  /**
   * Computes the approximate posterior q(z|x) of each example.
   * @param x [n, dimensions].
   * @returns mu and logvar, [n, latent] each.
   * @throws UsageError where x is not a whole number of examples, or not finite.
   * @throws NotFiniteError where a mean or a log-variance is NaN or infinite.
   */
  encode(x: Float32Array): Posterior {
    const { dimensions, latent } = this.model;
    const place = new Place('encode()', 'x');
    const n = countRows(x, dimensions, place);
    requireResultSize(n, latent, place);
    const engine = this.#engineFor(1, 'analytic');
    const mu = new Float32Array(n * latent);
    const logvar = new Float32Array(n * latent);
    for (let first = 0; first < n; first += CHUNK) {
      const count = Math.min(CHUNK, n - first);
      engine.write(engine.x, x.subarray(first * dimensions, (first + count) * dimensions));
      engine.backend.encode(engine.x, count, engine.posterior);
      const posterior = engine.read(engine.posterior, count * 2 * latent);
      for (let i = 0; i < count; i++) {
        const row = posterior.subarray(i * 2 * latent, (i + 1) * 2 * latent);
        mu.set(row.subarray(0, latent), (first + i) * latent);
        logvar.set(row.subarray(latent), (first + i) * latent);
      }
    }
    requireFiniteRows(mu, latent, 'The posterior mean of example');
    requireFiniteRows(logvar, latent, 'The posterior log-variance of example');
    return { mu, logvar };
  }

  /** p(x|z) as a function of z, in a memory of its own that is made at the first use. */
  get inference(): InferenceModel {
    this.#inference ??= new InferenceModel({
      model: this.model,
      parameters: this.#parameters,
      likelihood: this.#likelihood,
      platform: this.#platform,
    });
    return this.#inference;
  }

  /**
   * Draws from the posterior p(z|x) of each example by Hamiltonian Monte Carlo, or with
   * `method: 'variational'` from q(z|x). Chains start from draws of q(z|x). What an example gets depends on
   * (seed, its position) alone.
   * @param x [n, dimensions].
   * @returns for each example draws, their moments and, of HMC, acceptance, R-hat and effective sample sizes.
   * @throws UsageError where x is not a whole number of examples, or not finite, and for options that do not
   * fit.
   * @throws NotFiniteError where q(z|x), or log p(x|z) at a chain's start, is not finite.
   */
  posterior(x: Float32Array, options: PosteriorOptions = {}): PosteriorDraws[] {
    const given = readOptions(options, POSTERIOR_OPTIONS, 'posterior()');
    countRows(x, this.model.dimensions, new Place('posterior()', 'x'));
    return inferPosterior(this.inference, x, given);
  }

  /**
   * Decodes latent points: the decoder's outputs, or the means of p(x|z).
   * @param z [n, latent].
   * @returns [n, dimensions]; means of a Bernoulli likelihood are probabilities.
   * @throws UsageError where z is not a whole number of points, or not finite, and where the likelihood has
   * no values of the name `as`.
   * @throws NotFiniteError where an output is NaN or infinite.
   */
  decode(z: Float32Array, options: DecodeOptions = {}): Float32Array {
    const { as = 'outputs' } = readOptions(options, DECODE_OPTIONS, 'decode()');
    const asMeans = this.#wantsMeans(as);
    const { dimensions, latent } = this.model;
    const place = new Place('decode()', 'z');
    const n = countRows(z, latent, place);
    requireResultSize(n, dimensions, place);
    const engine = this.#engineFor(1, 'analytic');
    const decoded = new Float32Array(n * dimensions);
    for (let first = 0; first < n; first += CHUNK) {
      const count = Math.min(CHUNK, n - first);
      engine.write(engine.z, z.subarray(first * latent, (first + count) * latent));
      engine.backend.decode(engine.z, count, engine.outputs);
      // Before the means: a sigmoid makes a probability of an infinite logit.
      const outputs = engine.read(engine.outputs, count * dimensions);
      requireFiniteRows(outputs, dimensions, 'The decoded image of latent point', first);
      if (!asMeans) {
        decoded.set(outputs, first * dimensions);
        continue;
      }
      engine.likelihood.means(engine.outputs, engine.outputs, count * dimensions);
      decoded.set(engine.read(engine.outputs, count * dimensions), first * dimensions);
    }
    return decoded;
  }

  /**
   * Draws z ~ p(z), and returns the means of p(x|z) or, with `draw`, draws x from it.
   * @returns [count, dimensions].
   * @throws UsageError for options that do not fit, and for more samples than an array can hold.
   * @throws NotFiniteError where an output of the decoder is NaN or infinite.
   */
  sample(options: SampleOptions = {}): Float32Array {
    const { count = 100, seed, draw = false } = readOptions(options, SAMPLE_OPTIONS, 'sample()');
    const { dimensions, latent } = this.model;
    requireResultSize(count, Math.max(dimensions, latent), new Place('sample()', 'count'));
    const key = keyOf(seed);
    const z = this.#drawPrior(count, key);
    const values = this.decode(z, { as: 'means' });
    if (!draw) return values;
    const engine = this.#engineFor(1, 'analytic');
    const { scratch } = engine;
    for (let position = 0; position < count; position++) {
      const row = values.subarray(position * dimensions, (position + 1) * dimensions);
      engine.write(engine.outputs, row);
      const stream = { key, position, purpose: Purpose.pixels, scratch };
      engine.likelihood.draw(engine.outputs, dimensions, engine.x, stream);
      row.set(engine.read(engine.outputs, dimensions));
    }
    return values;
  }

  /**
   * Encodes examples and decodes them again: z is the posterior's mean or, with a seed, a draw from the
   * posterior.
   * @param x [n, dimensions].
   * @returns [n, dimensions], the means of p(x|z).
   * @throws UsageError where x is not a whole number of examples, or not finite.
   * @throws NotFiniteError where a number of the posterior, of z or of the decoder's outputs is NaN or
   * infinite.
   */
  reconstruct(x: Float32Array, options: ReconstructOptions = {}): Float32Array {
    const { seed } = readOptions(options, RECONSTRUCT_OPTIONS, 'reconstruct()');
    countRows(x, this.model.dimensions, new Place('reconstruct()', 'x'));
    const { mu, logvar } = this.encode(x);
    if (seed === undefined) return this.decode(mu, { as: 'means' });
    const { latent } = this.model;
    const noise = this.#normal(mu.length / latent, latent, keyOf(seed), Purpose.reconstructionNoise);
    const sigma = this.#exp(logvar.map((value) => value / 2));
    const z = mu.map((mean, i) => mean + sigma[i]! * noise[i]!);
    requireFiniteRows(z, latent, 'The latent point drawn for example');
    return this.decode(z, { as: 'means' });
  }

  /**
   * Computes ELBO, log-likelihood and KL of each example, in nats.
   * @param x [n, dimensions].
   * @returns terms of [n] each.
   * @throws UsageError where x is not a whole number of examples, or not finite.
   * @throws NotFiniteError where the ELBO of an example is NaN or infinite.
   */
  elbo(x: Float32Array, options: ElboOptions = {}): ElboTerms {
    const given = readOptions(options, ELBO_OPTIONS, 'elbo()');
    const { samples = 1, beta = 1, seed } = given;
    const kl = requireKl('elbo', 'reparameterized', this.model.prior.choice.name, given.kl);
    const { dimensions, latent } = this.model;
    const n = countRows(x, dimensions, new Place('elbo()', 'x'));
    const engine = this.#engineFor(samples, kl);
    const key = keyOf(seed);
    const terms = emptyTerms(n);
    const width = samples * latent;
    for (let first = 0; first < n; first += engine.chunk) {
      const count = Math.min(engine.chunk, n - first);
      engine.write(engine.x, x.subarray(first * dimensions, (first + count) * dimensions));
      const { low, high } = key;
      const purpose = Purpose.evaluationNoise;
      engine.kernels.randomNormal({
        out: engine.epsilon,
        rows: count,
        count: width,
        key0: low,
        key1: high,
        position: first,
        step: 0,
        purpose,
        scratch: engine.scratch,
      });
      engine.backend.objectiveTerms(engine.shard(count));
      engine.readTerms(terms, first, count, beta);
    }
    requireFiniteRows(terms.elbo, 1, 'The ELBO of example');
    return terms;
  }

  /**
   * Computes an estimate, by default the reparameterised one, of the gradient of the loss, the mean over
   * the examples of −objective in nats, for given noise. It may be asked for at any parameters, so terms
   * and gradients that are not finite are returned as they are.
   * @param parameters flat, in the order of `model.parameters`; the model's own are not touched.
   * @param x [n, dimensions].
   * @param epsilon [n, K, latent], standard normal; K follows from its length.
   * @param options an objective other than the ELBO decides how the KL is computed, and has a `bound`.
   * @throws UsageError where the arrays do not fit the model, or the objective cannot have this KL.
   */
  elboGradients(
    parameters: Float32Array,
    x: Float32Array,
    epsilon: Float32Array,
    options: GradientOptions = {},
  ): ElboGradients {
    const call = 'elboGradients()';
    const given = readOptions(options, GRADIENT_OPTIONS, call);
    const { objective = 'elbo', estimator = 'reparameterized', beta = 1 } = given;
    const { dimensions, latent } = this.model;
    requireParameters(this.model, parameters, call);
    const n = countRows(x, dimensions, new Place(call, 'x'));
    const noise = new Place(call, 'epsilon');
    const samples = countRows(epsilon, latent, noise) / n;
    if (!Number.isInteger(samples)) {
      const expected = `[${n} examples, K samples, ${latent} latent dimensions]`;
      throw noise.error(`holds ${epsilon.length} values, expected ${expected}`);
    }
    const kl = requireKl(objective, estimator, this.model.prior.choice.name, given.kl);
    requireSamples(estimator, samples, noise);
    const engine = this.#newEngine({ samples, kl, chunk: n, objective, estimator });
    engine.setParameters(parameters);
    engine.write(engine.x, x);
    engine.write(engine.epsilon, epsilon);
    const gradient = engine.gradientSum(n, beta).map((sum) => sum / n);
    const terms = emptyTerms(n);
    engine.readTerms(terms, 0, n, beta);
    const bound = objectiveOf(objective).weigh === undefined ? {} : { bound: engine.readBounds(n) };
    return { ...terms, ...bound, gradient };
  }

  #wantsMeans(as: string): boolean {
    const { words, title } = likelihoodOf(this.#likelihood);
    if (as === 'means' || as === words?.means) return true;
    if (as === 'outputs' || as === words?.outputs) return false;
    throw new UsageError(`A ${title} likelihood has no ${as}: decode to outputs or means.`);
  }

  #engineFor(samples: number, kl: KlEstimate): LatentEngine {
    if (this.#engine?.samples !== samples || this.#engine.kl !== kl) {
      this.#engine = this.#newEngine({ samples, kl, chunk: Math.max(1, Math.floor(CHUNK / samples)) });
      this.#engine.setParameters(this.#parameters);
    }
    return this.#engine;
  }

  #newEngine(options: Omit<LatentEngineOptions, 'platform' | 'model' | 'likelihood'>): LatentEngine {
    const [platform, likelihood] = [this.#platform, this.#likelihood];
    return createLatentEngine({ platform, model: this.model, likelihood, ...options });
  }

  /** [count, latent] draws from p(z). */
  #drawPrior(count: number, key: RandomKey): Float32Array {
    const { prior, latent } = this.model;
    const z = new Float32Array(count * latent);
    drawPrior(priorDensity(prior, latent, this.#parameters), z, {
      random: new KernelRandom(this.#platform.module, key),
      positions: Array.from({ length: count }, (_, i) => i),
      step: 0,
      purpose: PRIOR_PURPOSES.sample,
    });
    return z;
  }

  /** [rows, width] standard normals. */
  #normal(rows: number, width: number, key: RandomKey, purpose: number): Float32Array {
    const engine = this.#engineFor(1, 'analytic');
    const noise = new Float32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      engine.kernels.randomNormal({
        out: engine.z,
        rows: 1,
        count: width,
        key0: key.low,
        key1: key.high,
        position: row,
        step: 0,
        purpose,
        scratch: engine.scratch,
      });
      noise.set(engine.read(engine.z, width), row * width);
    }
    return noise;
  }

  #exp(values: Float32Array): Float32Array {
    const engine = this.#engineFor(1, 'analytic');
    const most = CHUNK * this.model.latent;
    for (let first = 0; first < values.length; first += most) {
      const part = values.subarray(first, first + most);
      engine.write(engine.z, part);
      engine.kernels.expArray(engine.z, engine.z, part.length);
      part.set(engine.read(engine.z, part.length));
    }
    return values;
  }
}

/** The estimate of the KL that an objective is computed with. */
function requireKl(
  objective: ObjectiveName,
  estimator: EstimatorName,
  prior: PriorName,
  asked: KlEstimate | undefined,
): KlEstimate {
  const possible = klEstimatesOf(objective, estimator, prior);
  const kl = asked ?? possible[0]!;
  if (possible.includes(kl)) return kl;
  if (!klEstimatesOfPrior(prior).includes(kl)) {
    throw new UsageError(`kl is ${kl}, but the KL to the prior ${prior} has no closed form: leave it out.`);
  }
  const { title, klEstimates } = objectiveOf(objective);
  const who = klEstimates.includes(kl) ? `estimator ${estimator}` : title;
  throw new UsageError(`kl is ${kl}, but that of the ${who} is ${possible.join(' or ')}: leave it out.`);
}

function requireSamples(estimator: EstimatorName, samples: number, noise: Place): void {
  const { leastSamples } = estimatorOf(estimator);
  if (samples >= leastSamples) return;
  throw noise.error(
    `holds ${samples} draw of an example, but the estimator ${estimator} takes ${leastSamples} or more`,
  );
}

function emptyTerms(n: number): ElboTerms {
  return { elbo: new Float64Array(n), logLikelihood: new Float64Array(n), kl: new Float64Array(n) };
}

function keyOf(seed: number | bigint = 0): RandomKey {
  return randomKey(BigInt(seed));
}
