import type { KlEstimate } from '../backends/backend.js';
import { SimdBackend, simdMemory } from '../backends/simd/engine.js';
import { UsageError } from '../errors.js';
import { type Address, NONE } from '../kernels/address.js';
import { Arena } from '../kernels/arena.js';
import { bindKernels, type Kernels } from '../kernels/kernels.js';
import type { Platform } from '../kernels/platform.js';
import { sharedMemory } from '../kernels/webAssembly.js';
import type { Choice } from '../model/hyperparameter.js';
import type { LikelihoodKernels } from '../model/likelihoods/likelihood.js';
import { type LikelihoodName, likelihoodKernels } from '../model/likelihoods/registry.js';
import type { Model } from '../model/model.js';
import type { EstimatorName } from '../objective/estimators/registry.js';
import type { ObjectiveName } from '../objective/registry.js';

const PAGE = 65536;

/** Most examples or points that are encoded or decoded at a time. */
export const CHUNK = 64;

/** Per example, in nats: elbo = logLikelihood − beta · kl. */
export interface ElboTerms {
  readonly elbo: Float64Array;
  /** (1/K) Σ_k log p(x|z_k): minus the reconstruction error. */
  readonly logLikelihood: Float64Array;
  readonly kl: Float64Array;
}

export interface LatentEngineOptions {
  readonly platform: Platform;
  readonly model: Model;
  readonly likelihood: Choice<LikelihoodName>;
  /** K. */
  readonly samples: number;
  readonly kl: KlEstimate;
  /** Most examples of a call. */
  readonly chunk: number;
  /** Default: the ELBO. */
  readonly objective?: ObjectiveName;
  /** Default: the reparameterised gradient. */
  readonly estimator?: EstimatorName;
}

/** @throws UsageError where it needs more memory than there can be. */
export function createLatentEngine(options: LatentEngineOptions): LatentEngine {
  try {
    return new LatentEngine(options);
  } catch (error) {
    // Too large a memory is a matter of the arguments.
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** A backend with its own memory and buffers for up to `chunk` examples of `samples` samples. */
export class LatentEngine {
  readonly samples: number;
  readonly kl: KlEstimate;
  readonly chunk: number;
  readonly kernels: Kernels;
  readonly backend: SimdBackend;
  readonly likelihood: LikelihoodKernels;
  readonly x: Address;
  readonly z: Address;
  readonly outputs: Address;
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly scratch: Address;
  readonly #parameters: Address;
  readonly #gradient: Address;
  readonly #size: number;
  readonly #logLikelihood: Address;
  readonly #kl: Address;
  readonly #bound: Address;
  readonly #buffer: ArrayBufferLike;

  /** @throws RangeError where that needs more memory than there can be. */
  constructor(given: LatentEngineOptions) {
    const { platform, model, likelihood, samples, kl, chunk, objective = 'elbo', estimator } = given;
    const { module, tile } = platform;
    this.samples = samples;
    this.kl = kl;
    this.chunk = chunk;
    const arena = new Arena(0);
    this.#size = model.parameters.size;
    const points = Math.max(chunk, CHUNK);
    this.scratch = arena.reserve(64);
    this.#parameters = arena.floats(this.#size);
    this.#gradient = arena.floats(this.#size);
    this.x = arena.floats(points * model.dimensions);
    this.z = arena.floats(points * model.latent);
    this.outputs = arena.floats(points * model.dimensions);
    this.posterior = arena.floats(points * 2 * model.latent);
    this.epsilon = arena.floats(chunk * samples * model.latent);
    this.#logLikelihood = arena.doubles(chunk);
    this.#kl = arena.doubles(chunk);
    this.#bound = arena.doubles(chunk);
    const options = {
      ...{ model, samples, kl, objective, estimator, likelihood, tile },
      examples: chunk,
      parameters: this.#parameters,
    };
    const packed = arena.end;
    const workspace = simdMemory({ ...options, packed, workspace: NONE }).packedEnd;
    const { workspaceEnd } = simdMemory({ ...options, packed, workspace });
    const memory = sharedMemory(Math.ceil(workspaceEnd / PAGE));
    this.#buffer = memory.buffer;
    this.kernels = bindKernels(module, memory);
    this.likelihood = likelihoodKernels(likelihood, this.kernels, memory.buffer);
    this.backend = new SimdBackend(this.kernels, memory, { ...options, packed, workspace });
  }

  /** Before all others; again for other parameters. */
  setParameters(parameters: Float32Array): void {
    this.write(this.#parameters, parameters);
    this.backend.prepare(0, 1);
  }

  write(address: Address, values: Float32Array): void {
    new Float32Array(this.#buffer, address, values.length).set(values);
  }

  /** A copy. */
  read(address: Address, count: number): Float32Array {
    return new Float32Array(this.#buffer, address, count).slice();
  }

  /**
   * The gradient of the sum of −objective over `count` examples at `x` with their noise at `epsilon`, in
   * nats.
   * @returns a view that the next call overwrites.
   */
  gradientSum(count: number, beta: number): Float32Array {
    this.backend.objectiveGradient(this.shard(count), beta, this.#gradient);
    return new Float32Array(this.#buffer, this.#gradient, this.#size);
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
      bound: this.#bound,
    };
  }

  /** A copy, of the last `count` examples evaluated. */
  readBounds(count: number): Float64Array {
    return new Float64Array(this.#buffer, this.#bound, count).slice();
  }

  readTerms(terms: ElboTerms, first: number, count: number, beta: number): void {
    terms.logLikelihood.set(new Float64Array(this.#buffer, this.#logLikelihood, count), first);
    terms.kl.set(new Float64Array(this.#buffer, this.#kl, count), first);
    for (let i = first; i < first + count; i++) {
      terms.elbo[i] = terms.logLikelihood[i]! - beta * terms.kl[i]!;
    }
  }
}
