import type { KlEstimate } from '../backends/backend.js';
import { SimdBackend, simdMemory } from '../backends/simd/engine.js';
import { UsageError } from '../errors.js';
import { type Address, NONE } from '../kernels/address.js';
import { Arena } from '../kernels/arena.js';
import { type Arithmetic, bindKernels, type Kernels } from '../kernels/kernels.js';
import { inferencePlatform, type Platform } from '../kernels/platform.js';
import { Purpose, type RandomKey, randomKey } from '../kernels/stream.js';
import type { Model } from '../model/model.js';

const PAGE = 65536;

/** Examples at a time. */
const CHUNK = 64;

/** Parameters of q(z|x) = N(mu, diag(exp(logvar))), each [n, latent]. */
export interface Posterior {
  readonly mu: Float32Array;
  readonly logvar: Float32Array;
}

/** Per example, in nats: elbo = logLikelihood − beta · kl. */
export interface ElboTerms {
  readonly elbo: Float64Array;
  /** (1/K) Σ_k log p(x|z_k): minus the reconstruction error. */
  readonly logLikelihood: Float64Array;
  readonly kl: Float64Array;
}

export interface ElboGradients extends ElboTerms {
  /** d(mean over the examples of −ELBO)/d(parameter), flat, in the order of `model.parameters`. */
  readonly gradient: Float32Array;
}

export interface LatentModelOptions {
  /** How products are added; default `portable`. Where this machine does not fuse, portable is used in place of fused. */
  readonly arithmetic?: Arithmetic;
  /** The kernels of a run, in place of the arithmetic. */
  readonly platform?: Platform;
}

export interface ElboOptions {
  /** K; default 1. */
  readonly samples?: number;
  /** Of the noise, unsigned 64 bits; default 0. */
  readonly seed?: number | bigint;
  /** Default `analytic`. */
  readonly kl?: KlEstimate;
  /** Weight of the KL; default 1. */
  readonly beta?: number;
}

/**
 * A model with its parameters, in a memory of its own: encoder, decoder, likelihood bounds, gradients. Arrays are
 * flat and row-major; x is [n, dimensions] with values in [0, 1], z is [n, latent]. Synchronous, on the calling thread.
 */
export class LatentModel {
  readonly #parameters: Float32Array;
  readonly #platform: Platform;
  #engine: Engine | undefined;

  /** @param parameters flat, in the order of `model.parameters`; copied. */
  constructor(
    readonly model: Model,
    parameters: Float32Array,
    options: LatentModelOptions = {},
  ) {
    this.#platform = options.platform ?? inferencePlatform(options.arithmetic ?? 'portable', false);
    requireParameters(model, parameters);
    this.#parameters = Float32Array.from(parameters);
  }

  /** A copy of the flat parameters. */
  get parameters(): Float32Array {
    return Float32Array.from(this.#parameters);
  }

  /**
   * The approximate posterior of each example.
   * @param x [n, dimensions].
   * @throws UsageError where x is not a whole number of examples, or not finite.
   */
  encode(x: Float32Array): Posterior {
    const { dimensions, latent } = this.model;
    const n = this.#rows(x, dimensions, 'x');
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
    return { mu, logvar };
  }

  /**
   * What the decoder makes of latent points.
   * @param z [n, latent].
   * @param options.as `logits` ℓ (default), or `probabilities` sigmoid(ℓ): the means of p(x|z).
   * @returns [n, dimensions].
   * @throws UsageError where z is not a whole number of points, or not finite.
   */
  decode(z: Float32Array, options: { readonly as?: 'logits' | 'probabilities' } = {}): Float32Array {
    const { dimensions, latent } = this.model;
    const n = this.#rows(z, latent, 'z');
    const engine = this.#engineFor(1, 'analytic');
    const decoded = new Float32Array(n * dimensions);
    for (let first = 0; first < n; first += CHUNK) {
      const count = Math.min(CHUNK, n - first);
      engine.write(engine.z, z.subarray(first * latent, (first + count) * latent));
      engine.backend.decode(engine.z, count, engine.logits);
      if (options.as === 'probabilities') {
        engine.kernels.sigmoidArray(engine.logits, engine.logits, count * dimensions);
      }
      decoded.set(engine.read(engine.logits, count * dimensions), first * dimensions);
    }
    return decoded;
  }

  /**
   * Ancestral sampling: z ~ p(z), then p(x|z).
   * @param options.count default 100.
   * @param options.seed unsigned 64 bits; default 0. Sample i depends on (seed, i) alone.
   * @param options.draw false (default): the means sigmoid(ℓ); true: Bernoulli draws, 0 or 1.
   * @returns [count, dimensions].
   */
  sample(
    options: { readonly count?: number; readonly seed?: number | bigint; readonly draw?: boolean } = {},
  ): Float32Array {
    const count = positiveInteger(options.count ?? 100, 'count');
    const key = seedKey(options.seed);
    const { kernels, scratch } = this.#engineFor(1, 'analytic');
    const z = this.#normal(count, this.model.latent, key, Purpose.prior);
    const means = this.decode(z, { as: 'probabilities' });
    if (options.draw !== true) return means;
    const { dimensions } = this.model;
    const engine = this.#engineFor(1, 'analytic');
    for (let i = 0; i < count; i++) {
      kernels.randomUniform({
        out: engine.x,
        count: dimensions,
        low: 0,
        high: 1,
        key0: key.low,
        key1: key.high,
        position: i,
        step: 0,
        purpose: Purpose.pixels,
        scratch,
      });
      const uniform = engine.read(engine.x, dimensions);
      for (let j = 0; j < dimensions; j++) {
        means[i * dimensions + j] = uniform[j]! < means[i * dimensions + j]! ? 1 : 0;
      }
    }
    return means;
  }

  /**
   * x → z → means of p(x|z).
   * @param x [n, dimensions].
   * @param options.seed where given, z ~ q(z|x) with this seed's noise; otherwise z is the posterior's mean.
   * @returns [n, dimensions].
   */
  reconstruct(x: Float32Array, options: { readonly seed?: number | bigint } = {}): Float32Array {
    const { mu, logvar } = this.encode(x);
    if (options.seed === undefined) return this.decode(mu, { as: 'probabilities' });
    const { latent } = this.model;
    const noise = this.#normal(
      mu.length / latent,
      latent,
      seedKey(options.seed),
      Purpose.reconstructionNoise,
    );
    const sigma = this.#exp(logvar.map((value) => value / 2));
    return this.decode(
      mu.map((mean, i) => mean + sigma[i]! * noise[i]!),
      { as: 'probabilities' },
    );
  }

  /**
   * ELBO, log-likelihood and KL of each example, in nats.
   * @param x [n, dimensions].
   */
  elbo(x: Float32Array, options: ElboOptions = {}): ElboTerms {
    const { dimensions, latent } = this.model;
    const n = this.#rows(x, dimensions, 'x');
    const samples = positiveInteger(options.samples ?? 1, 'samples');
    const engine = this.#engineFor(samples, options.kl ?? 'analytic');
    const key = seedKey(options.seed);
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
      engine.backend.elbo(engine.shard(count));
      engine.readTerms(terms, first, count, options.beta ?? 1);
    }
    return terms;
  }

  /**
   * The reparameterised gradient of the loss, mean over the examples of −ELBO, for given noise.
   * @param parameters flat, in the order of `model.parameters`; the model's own are not touched.
   * @param x [n, dimensions].
   * @param epsilon [n, K, latent], standard normal; K follows from its length.
   */
  elboGradients(
    parameters: Float32Array,
    x: Float32Array,
    epsilon: Float32Array,
    options: { readonly kl?: KlEstimate; readonly beta?: number } = {},
  ): ElboGradients {
    const { dimensions, latent } = this.model;
    requireParameters(this.model, parameters);
    const n = this.#rows(x, dimensions, 'x');
    const samples = this.#rows(epsilon, latent, 'epsilon') / n;
    if (!Number.isInteger(samples) || samples === 0) {
      throw new UsageError(
        `epsilon holds ${epsilon.length} values: expected [${n} examples, K samples, ${latent} latent dimensions].`,
      );
    }
    const engine = new Engine(this.#platform, this.model, samples, options.kl ?? 'analytic', n);
    engine.write(engine.parameters, parameters);
    engine.backend.prepare(0, 1);
    engine.write(engine.x, x);
    engine.write(engine.epsilon, epsilon);
    const beta = options.beta ?? 1;
    engine.backend.elboGradient(engine.shard(n), beta, engine.gradient);
    const terms = emptyTerms(n);
    engine.readTerms(terms, 0, n, beta);
    const gradient = engine.read(engine.gradient, this.model.parameters.size).map((sum) => sum / n);
    return { ...terms, gradient };
  }

  /** Number of rows; refuses what is not a whole number of finite rows. */
  #rows(values: Float32Array, width: number, name: string): number {
    if (values.length === 0 || values.length % width !== 0) {
      throw new UsageError(
        `${name} holds ${values.length} values: expected a multiple of ${width}, one row after the other.`,
      );
    }
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new UsageError(
        `${name} is ${values[bad]} at row ${Math.floor(bad / width)}, column ${bad % width}.`,
      );
    }
    return values.length / width;
  }

  #engineFor(samples: number, kl: KlEstimate): Engine {
    if (this.#engine?.samples !== samples || this.#engine.kl !== kl) {
      this.#engine = new Engine(
        this.#platform,
        this.model,
        samples,
        kl,
        Math.max(1, Math.floor(CHUNK / samples)),
      );
      this.#engine.write(this.#engine.parameters, this.#parameters);
      this.#engine.backend.prepare(0, 1);
    }
    return this.#engine;
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

/** A backend with its own memory and buffers for up to `chunk` examples of `samples` samples. */
class Engine {
  readonly kernels: Kernels;
  readonly backend: SimdBackend;
  readonly parameters: Address;
  readonly gradient: Address;
  readonly x: Address;
  readonly z: Address;
  readonly logits: Address;
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly scratch: Address;
  readonly #logLikelihood: Address;
  readonly #kl: Address;
  readonly #buffer: ArrayBufferLike;

  constructor(
    { module, tile }: Platform,
    model: Model,
    readonly samples: number,
    readonly kl: KlEstimate,
    readonly chunk: number,
  ) {
    const arena = new Arena(0);
    const { size } = model.parameters;
    const points = Math.max(chunk, CHUNK);
    this.scratch = arena.reserve(64);
    this.parameters = arena.floats(size);
    this.gradient = arena.floats(size);
    this.x = arena.floats(points * model.dimensions);
    this.z = arena.floats(points * model.latent);
    this.logits = arena.floats(points * model.dimensions);
    this.posterior = arena.floats(points * 2 * model.latent);
    this.epsilon = arena.floats(chunk * samples * model.latent);
    this.#logLikelihood = arena.doubles(chunk);
    this.#kl = arena.doubles(chunk);
    const options = { model, samples, kl, tile, examples: chunk, parameters: this.parameters };
    const packed = arena.end;
    const workspace = simdMemory({ ...options, packed, workspace: NONE }).packedEnd;
    const { workspaceEnd } = simdMemory({ ...options, packed, workspace });
    const pages = Math.ceil(workspaceEnd / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#buffer = memory.buffer;
    this.kernels = bindKernels(module, memory);
    this.backend = new SimdBackend(this.kernels, memory, { ...options, packed, workspace });
  }

  write(address: Address, values: Float32Array): void {
    new Float32Array(this.#buffer, address, values.length).set(values);
  }

  /** A copy. */
  read(address: Address, count: number): Float32Array {
    return new Float32Array(this.#buffer, address, count).slice();
  }

  shard(count: number) {
    const { x, epsilon } = this;
    return {
      count,
      parts: 1,
      bounds: Int32Array.of(0, count),
      x,
      epsilon,
      logLikelihood: this.#logLikelihood,
      kl: this.#kl,
    };
  }

  readTerms(terms: ElboTerms, first: number, count: number, beta: number): void {
    terms.logLikelihood.set(new Float64Array(this.#buffer, this.#logLikelihood, count), first);
    terms.kl.set(new Float64Array(this.#buffer, this.#kl, count), first);
    for (let i = first; i < first + count; i++) {
      terms.elbo[i] = terms.logLikelihood[i]! - beta * terms.kl[i]!;
    }
  }
}

function requireParameters({ name, parameters }: Model, values: Float32Array): void {
  if (values.length !== parameters.size) {
    throw new UsageError(
      `The model ${name} has ${parameters.size} parameters, but ${values.length} values were given.`,
    );
  }
}

function emptyTerms(n: number): ElboTerms {
  return { elbo: new Float64Array(n), logLikelihood: new Float64Array(n), kl: new Float64Array(n) };
}

function positiveInteger(value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`${name} is ${value}: expected a whole number from 1 up.`);
  }
  return value;
}

function seedKey(seed: number | bigint = 0): RandomKey {
  const valid =
    typeof seed === 'bigint' ? seed >= 0n && seed < 2n ** 64n : Number.isSafeInteger(seed) && seed >= 0;
  if (!valid) throw new UsageError(`The seed is ${seed}: expected a whole number from 0 up, below 2^64.`);
  return randomKey(BigInt(seed));
}
