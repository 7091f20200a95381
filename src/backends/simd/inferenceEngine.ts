import { type Address, NONE, plus } from '../../kernels/address.js';
import { Arena } from '../../kernels/arena.js';
import { bindKernels, type Kernels } from '../../kernels/kernels.js';
import type { Platform } from '../../kernels/platform.js';
import { TILES } from '../../kernels/tiles/tile.js';
import { MOST_EXAMPLES, WORKING_SET } from '../../kernels/tuning.js';
import { sharedMemory } from '../../kernels/webAssembly.js';
import type { Choice } from '../../model/hyperparameter.js';
import type { DrawStream, LikelihoodKernels } from '../../model/likelihoods/likelihood.js';
import { type LikelihoodName, likelihoodKernels } from '../../model/likelihoods/registry.js';
import type { Model } from '../../model/model.js';
import { pack, packingUnits } from '../../products/gather.js';
import { MicroKernels } from '../../products/microKernels.js';
import { activationFloats } from './layers/registry.js';
import { Network } from './network.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
const PAGE = 65536;

export interface InferenceEngineOptions {
  readonly model: Model;
  readonly likelihood: Choice<LikelihoodName>;
  readonly platform: Platform;
  /** Most rows in one pass, where the caches would allow more: not more memory is planned. */
  readonly rows: number;
}

/** Rows of points and the densities that are asked for: row r belongs to example floor(r / chains) of x. */
export interface DensityRows {
  /** [examples, dimensions]. */
  readonly x: Float32Array;
  readonly chains: number;
  /** [rows, latent]. */
  readonly z: Float32Array;
  /** [rows], written. */
  readonly logLikelihood: Float64Array;
  /** [rows, latent], written where it is given. */
  readonly gradient: Float32Array | undefined;
}

/**
 * Encoder and decoder at fixed parameters, in a memory of its own. The backward pass goes to the decoder's
 * input alone. Rows are independent of each other, so the number at a time decides no bit.
 */
export class InferenceEngine {
  readonly #model: Model;
  readonly #kernels: Kernels;
  readonly #microKernels: MicroKernels;
  readonly #likelihood: LikelihoodKernels;
  readonly #encoder: Network;
  readonly #decoder: Network;
  readonly #most: number;
  readonly #parameters: Address;
  readonly #x: Address;
  readonly #logLikelihood: Address;
  readonly #terms: Address;
  readonly #scratch: Address;
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;

  /** @throws RangeError where the model needs more memory than there can be. */
  constructor({ model, likelihood, platform, rows }: InferenceEngineOptions) {
    const arena = new Arena(0);
    this.#model = model;
    this.#most = Math.min(rows, rowsAtOnce(model));
    this.#scratch = arena.reserve(64);
    this.#parameters = arena.floats(model.parameters.size);
    this.#x = arena.floats(this.#most * model.dimensions);
    this.#logLikelihood = arena.doubles(this.#most);
    this.#terms = arena.floats(model.dimensions);
    const plan = {
      arena,
      packedArena: arena,
      parameters: this.#parameters,
      panelWidth: TILES[platform.tile].columns,
      owned: false,
      images: this.#most,
    };
    const { encoder, decoder, input, latent } = model;
    this.#encoder = new Network({ ...plan, layers: encoder, inputShape: input, inputGradient: false });
    this.#decoder = new Network({ ...plan, layers: decoder, inputShape: [latent], inputGradient: true });
    const { buffer, kernels } = memoryFor(arena, platform);
    arena.materialize(buffer);
    this.#kernels = kernels;
    this.#microKernels = new MicroKernels(kernels, platform.tile);
    this.#likelihood = likelihoodKernels(likelihood, kernels, buffer);
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  /** @param parameters flat, in the order of `model.parameters`; copied. */
  setParameters(parameters: Float32Array): void {
    this.#write(this.#parameters, parameters);
    for (const pass of [...this.#encoder.passes, ...this.#decoder.passes]) {
      pack(this.#kernels, pass, 0, packingUnits(pass));
    }
  }

  /** x [n, dimensions] → `posterior` [n, 2 · latent]: mu, then logvar. */
  encode(x: Float32Array, posterior: Float32Array): void {
    const { dimensions, latent } = this.#model;
    const n = x.length / dimensions;
    for (let first = 0; first < n; first += this.#most) {
      const count = Math.min(this.#most, n - first);
      const rows = x.subarray(first * dimensions, (first + count) * dimensions);
      this.#write(this.#encoder.input.activation, rows);
      this.#encoder.forward(this.#microKernels, count);
      const width = 2 * latent;
      posterior.set(this.#read(this.#encoder.output.activation, count * width), first * width);
    }
  }

  /** z [n, latent] → the decoder's outputs, or the means of p(x|z), [n, dimensions]. */
  decode(z: Float32Array, asMeans: boolean): Float32Array {
    const { dimensions, latent } = this.#model;
    const n = z.length / latent;
    const values = new Float32Array(n * dimensions);
    for (let first = 0; first < n; first += this.#most) {
      const count = Math.min(this.#most, n - first);
      const { activation } = this.#decoder.output;
      this.#forward(z, first, count);
      if (asMeans) this.#likelihood.means(activation, activation, count * dimensions);
      values.set(this.#read(activation, count * dimensions), first * dimensions);
    }
    return values;
  }

  /** One draw of x from a row of means, [dimensions], in place of it. */
  draw(means: Float32Array, stream: Omit<DrawStream, 'scratch'>): void {
    const { activation } = this.#decoder.output;
    this.#write(activation, means);
    this.#likelihood.draw(activation, means.length, this.#x, { ...stream, scratch: this.#scratch });
    means.set(this.#read(activation, means.length));
  }

  /** log p(x|z) of the first `rows` rows, and its gradient with respect to z. */
  evaluate(density: DensityRows, rows: number): void {
    const { latent } = this.#model;
    const { logLikelihood, gradient } = density;
    for (let first = 0; first < rows; first += this.#most) {
      const count = Math.min(this.#most, rows - first);
      this.#forward(density.z, first, count);
      this.#densities(density, first, count);
      const start = this.#logLikelihood / DOUBLE;
      logLikelihood.set(this.#doubles.subarray(start, start + count), first);
      if (gradient === undefined) continue;
      this.#decoder.backward(this.#microKernels, count, undefined);
      gradient.set(this.#read(this.#decoder.input.gradient, count * latent), first * latent);
    }
  }

  #forward(z: Float32Array, first: number, count: number): void {
    const { latent } = this.#model;
    this.#write(this.#decoder.input.activation, z.subarray(first * latent, (first + count) * latent));
    this.#decoder.forward(this.#microKernels, count);
  }

  /** log p(x|z) of rows [first, first + count), whose outputs are there: example by example. */
  #densities({ x, chains, gradient }: DensityRows, first: number, count: number): void {
    const { dimensions } = this.#model;
    const { output } = this.#decoder;
    for (let row = 0; row < count; ) {
      const example = Math.floor((first + row) / chains);
      const rows = Math.min(count - row, (example + 1) * chains - first - row);
      this.#write(this.#x, x.subarray(example * dimensions, (example + 1) * dimensions));
      const at = row * dimensions * FLOAT;
      // The kernel's gradient is that of −log p(x|z) · scale.
      this.#likelihood.logDensity(
        { outputs: plus(output.activation, at), x: this.#x, rows, samples: rows, dimensions },
        -1,
        plus(this.#logLikelihood, row * DOUBLE),
        this.#terms,
        gradient === undefined ? NONE : plus(output.gradient, at),
      );
      row += rows;
    }
  }

  #write(address: Address, values: Float32Array): void {
    this.#floats.set(values, address / FLOAT);
  }

  /** A view. */
  #read(address: Address, count: number): Float32Array {
    return this.#floats.subarray(address / FLOAT, address / FLOAT + count);
  }
}

/** As many as the caches hold, activations and gradients. */
function rowsAtOnce({ dimensions, encoder, decoder }: Model): number {
  const floats = dimensions + Math.max(activationFloats(encoder), activationFloats(decoder));
  return Math.max(1, Math.min(MOST_EXAMPLES, Math.floor(WORKING_SET / (2 * FLOAT * floats))));
}

function memoryFor(arena: Arena, { module }: Platform) {
  const memory = sharedMemory(Math.ceil(arena.end / PAGE));
  return { buffer: memory.buffer, kernels: bindKernels(module, memory) };
}
