// Any backend on a memory of its own: parameters, examples and noise in, terms and gradient out.

import type { Backend, KlEstimate, Shard } from '#src/backends/backend.js';
import { SimdBackend, simdMemory } from '#src/backends/simd/engine.js';
import { TfjsBackend } from '#src/backends/tensorflow/backend.js';
import { mostTfjsParts } from '#src/backends/tensorflow/parts.js';
import type { TfjsRuntime } from '#src/backends/tensorflow/runtime.js';
import { type Address, NONE } from '#src/kernels/address.js';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels } from '#src/kernels/kernels.js';
import type { Platform } from '#src/kernels/platform.js';
import type { Choice } from '#src/model/hyperparameter.js';
import { BERNOULLI, type LikelihoodName } from '#src/model/likelihoods/registry.js';
import type { Model } from '#src/model/model.js';
import type { ObjectiveName } from '#src/objective/registry.js';

export interface BackendOptions {
  readonly model: Model;
  readonly samples: number;
  readonly kl: KlEstimate;
  /** Default: the ELBO. */
  readonly objective?: ObjectiveName;
  /** Default: Bernoulli. */
  readonly likelihood?: Choice<LikelihoodName>;
  /** Most examples at once. */
  readonly most: number;
  /** Most shards at once. */
  readonly parts: number;
}

/** Where a backend may put what it needs, and where it finds the parameters. */
interface Place {
  readonly memory: WebAssembly.Memory;
  readonly parameters: Address;
  readonly packed: Address;
  readonly workspace: Address;
}

/** How to make one kind of backend. */
export interface BackendKind {
  readonly name: string;
  /** Tensors that are alive. */
  readonly tensors?: () => number;
  /** Whether several shards at once give the bits of the tree's sum over each by itself. */
  readonly addsByTree: boolean;
  /** How many shards of `shardSize` examples it takes at once. */
  mostParts(model: Model, samples: number, shardSize: number): number;
  /** Bytes for packed weights and for the workspace. */
  bytes(options: BackendOptions): { readonly packed: number; readonly workspace: number };
  create(options: BackendOptions, place: Place): Backend;
}

export function simdKind({ module, tile, arithmetic }: Platform): BackendKind {
  const shared = ({ model, samples, kl, objective = 'elbo', likelihood = BERNOULLI, most }: BackendOptions) =>
    ({ model, samples, kl, objective, likelihood, tile, examples: most }) as const;
  return {
    name: `simd, ${arithmetic}`,
    addsByTree: true,
    // Steps of several shards go by the owner-computes rule: see ownerUpdate.test.ts.
    mostParts: () => 1,
    bytes: (options) => {
      const plan = simdMemory({ ...shared(options), parameters: NONE, packed: NONE, workspace: NONE });
      return { packed: plan.packedEnd, workspace: plan.workspaceEnd };
    },
    create: (options, { memory, ...addresses }) =>
      new SimdBackend(bindKernels(module, memory), memory, { ...shared(options), ...addresses }),
  };
}

export function tfjsKind(runtime: TfjsRuntime): BackendKind {
  return {
    name: runtime.name,
    addsByTree: runtime.name !== 'native',
    mostParts: (...shards) => mostTfjsParts(runtime.name, ...shards),
    tensors: () => runtime.tf.memory().numTensors,
    bytes: () => ({ packed: 0, workspace: 0 }),
    create: ({ model, samples, kl, objective = 'elbo', likelihood = BERNOULLI }, { memory, parameters }) =>
      new TfjsBackend(runtime, memory.buffer, { model, samples, kl, objective, likelihood, parameters }),
  };
}

/** Numbers that float32 holds exactly: parameters [P], x [n, D], epsilon [n, K, d]. */
export interface Inputs {
  readonly parameters: ArrayLike<number>;
  readonly x: ArrayLike<number>;
  readonly epsilon: ArrayLike<number>;
}

export interface Outputs {
  readonly gradient: Float32Array;
  readonly logLikelihood: Float64Array;
  readonly kl: Float64Array;
  /** The bound of an objective that reports one; else what was there. */
  readonly bound: Float64Array;
}

export class BackendHarness {
  readonly backend: Backend;
  readonly #options: BackendOptions;
  readonly #shard: Shard;
  readonly #parameters: Float32Array;
  readonly #gradient: Float32Array;
  readonly #gradientAddress: Address;
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;

  constructor(kind: BackendKind, options: BackendOptions) {
    const { model, samples, most } = options;
    const arena = new Arena(0);
    const parameters = arena.floats(model.parameters.size);
    const gradient = arena.floats(model.parameters.size);
    const x = arena.floats(most * model.dimensions);
    const epsilon = arena.floats(most * samples * model.latent);
    const [logLikelihood, kl, bound] = [arena.doubles(most), arena.doubles(most), arena.doubles(most)];
    const bytes = kind.bytes(options);
    const [packed, workspace] = [arena.reserve(bytes.packed), arena.reserve(bytes.workspace)];
    const pages = Math.ceil(arena.end / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.backend = kind.create(options, { memory, parameters, packed, workspace });
    this.#options = options;
    this.#shard = {
      count: 0,
      parts: 1,
      bounds: new Int32Array(options.parts + 1),
      x,
      epsilon,
      logLikelihood,
      kl,
      bound,
    };
    this.#parameters = new Float32Array(memory.buffer, parameters, model.parameters.size);
    this.#gradientAddress = gradient;
    this.#gradient = new Float32Array(memory.buffer, gradient, model.parameters.size);
    this.#floats = new Float32Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
  }

  /** Gives back what the memory does not hold. */
  close(): void {
    if (this.backend instanceof TfjsBackend) this.backend.dispose();
  }

  /** A whole step. */
  run(inputs: Inputs, beta: number): Outputs {
    this.prepare(inputs.parameters);
    return this.gradient(inputs, beta);
  }

  prepare(parameters: ArrayLike<number>): void {
    this.#parameters.set(parameters);
    this.backend.prepare(0, 1);
  }

  /** @param bounds where shards begin, and the last one ends; default: one shard. */
  gradient(inputs: Omit<Inputs, 'parameters'>, beta: number, bounds?: readonly number[]): Outputs {
    const shard = this.#fill(inputs);
    if (bounds) {
      shard.parts = bounds.length - 1;
      shard.bounds.set(bounds);
    }
    // A gradient is set, not added to.
    this.#gradient.fill(Number.NaN);
    this.backend.objectiveGradient(shard, beta, this.#gradientAddress);
    return { gradient: this.#gradient.slice(), ...this.#terms() };
  }

  elbo(inputs: Omit<Inputs, 'parameters'>): Omit<Outputs, 'gradient'> {
    this.backend.objectiveTerms(this.#fill(inputs));
    return this.#terms();
  }

  #fill({ x, epsilon }: Omit<Inputs, 'parameters'>): Shard {
    const shard = this.#shard;
    shard.count = x.length / this.#options.model.dimensions;
    shard.parts = 1;
    shard.bounds[1] = shard.count;
    this.#floats.set(x, shard.x / 4);
    this.#floats.set(epsilon, shard.epsilon / 4);
    this.#doubles.fill(Number.NaN, shard.logLikelihood / 8, shard.logLikelihood / 8 + this.#options.most);
    this.#doubles.fill(Number.NaN, shard.kl / 8, shard.kl / 8 + this.#options.most);
    this.#doubles.fill(Number.NaN, shard.bound / 8, shard.bound / 8 + this.#options.most);
    return shard;
  }

  #terms() {
    const { count, logLikelihood, kl, bound } = this.#shard;
    return {
      logLikelihood: this.#doubles.slice(logLikelihood / 8, logLikelihood / 8 + count),
      kl: this.#doubles.slice(kl / 8, kl / 8 + count),
      bound: this.#doubles.slice(bound / 8, bound / 8 + count),
    };
  }
}
