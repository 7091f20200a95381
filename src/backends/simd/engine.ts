import { Arena } from '../../kernels/arena.js';
import type { Kernels } from '../../kernels/kernels.js';
import { TILES, type TileName } from '../../kernels/tiles/tile.js';
import { sizeOf } from '../../model/layout.js';
import type { Model } from '../../model/model.js';
import type { Backend, KlEstimate, Shard } from '../backend.js';
import { type GatherPass, pack, packingUnits } from './gather.js';
import { MicroKernels } from './microKernels.js';
import { Network } from './network.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Activations and gradients of a micro-batch should stay in a second-level cache of 2 MiB, beside the weights. */
const WORKING_SET = 1.75 * 2 ** 20;

/** More examples at once gain nothing. */
const MOST_EXAMPLES = 64;

const MOST_PARTS = 64;

export interface SimdOptions {
  readonly model: Model;
  /** K. */
  readonly samples: number;
  readonly kl: KlEstimate;
  /** Of the micro-kernels; does not change a bit. The same for all ranks of a run. */
  readonly tile: TileName;
  /** Most shards at once: see mostPartsAtOnce. */
  readonly parts: number;
  /** Most examples that these can have together: no more memory is planned than they need. */
  readonly shardSize: number;
  /** Address of the flat parameter buffer. */
  readonly parameters: number;
  /** Where packed weights begin: the same address for all ranks of a run. */
  readonly packed: number;
  /** Where the private memory of this engine begins. */
  readonly workspace: number;
}

/** Ends of the two regions that an engine with these options uses: plan with addresses 0 to get their sizes. */
export function simdMemory(options: SimdOptions): { packedEnd: number; workspaceEnd: number } {
  const plan = new EnginePlan(options);
  return { packedEnd: plan.packedArena.end, workspaceEnd: plan.arena.end };
}

/**
 * Examples at a time: as many as the working set allows. The number does not change a bit of the result, since
 * every sum over examples goes on from where the micro-batch before stopped.
 */
export function microBatchSize(model: Model, samples: number, shardSize: number): number {
  // Activations work in place.
  const floats = (layers: Model['encoder']) =>
    layers.reduce((sum, { kind, output }) => (kind === 'activation' ? sum : sum + sizeOf(output)), 0);
  const example = 2 * FLOAT * (model.dimensions + floats(model.encoder) + samples * floats(model.decoder));
  const fitting = Math.floor(WORKING_SET / example);
  return Math.max(1, Math.min(fitting, MOST_EXAMPLES, Math.max(1, shardSize)));
}

/**
 * How many shards can be computed at once: a power of two, 1 where a layer is a convolution. A dense layer's weight
 * gradient has few examples to sum and much memory to write: with several shards at once, block by block, only
 * their sum leaves the caches. All of their examples must fit in a micro-batch.
 */
export function mostPartsAtOnce(model: Model, samples: number, shardSize: number): number {
  const layers = [...model.encoder, ...model.decoder];
  if (layers.some((layer) => layer.kind === 'correlation' && layer.type !== 'dense')) return 1;
  let parts = 1;
  while (
    parts < MOST_PARTS &&
    microBatchSize(model, samples, 2 * parts * shardSize) === 2 * parts * shardSize
  ) {
    parts *= 2;
  }
  return parts;
}

class EnginePlan {
  readonly arena: Arena;
  readonly packedArena: Arena;
  readonly microBatch: number;
  readonly encoder: Network;
  readonly decoder: Network;
  /** [microBatch · samples] float64. */
  readonly rowLikelihood: number;

  constructor({ model, samples, shardSize, parts, tile, parameters, packed, workspace }: SimdOptions) {
    this.arena = new Arena(workspace);
    this.packedArena = new Arena(packed);
    this.microBatch = microBatchSize(model, samples, shardSize);
    const panelWidth = TILES[tile].columns;
    const arenas = { arena: this.arena, packedArena: this.packedArena, parameters, panelWidth, parts };
    this.encoder = new Network({
      ...arenas,
      layers: model.encoder,
      inputShape: model.input,
      images: this.microBatch,
      inputGradient: false,
    });
    this.decoder = new Network({
      ...arenas,
      layers: model.decoder,
      inputShape: [model.latent],
      images: this.microBatch * samples,
      inputGradient: true,
    });
    this.rowLikelihood = this.arena.doubles(this.microBatch * samples);
  }
}

/** Our kernels, on the run's memory: a static plan, no allocation in a step. */
export class SimdBackend implements Backend {
  readonly mostParts: number;
  readonly #kernels: Kernels;
  readonly #microKernels: MicroKernels;
  readonly #options: SimdOptions;
  readonly #plan: EnginePlan;
  readonly #passes: readonly GatherPass[];
  /** Units of packing before each pass, and in all. */
  readonly #unitOffsets: readonly number[];
  readonly #units: number;
  readonly #bytes: Uint8Array;
  readonly #doubles: Float64Array;

  /** The memory must reach to the ends that `simdMemory` gives, and be zero there (borders are never written). */
  constructor(kernels: Kernels, memory: WebAssembly.Memory, options: SimdOptions) {
    this.mostParts = options.parts;
    this.#kernels = kernels;
    this.#microKernels = new MicroKernels(kernels, options.tile);
    this.#options = options;
    this.#plan = new EnginePlan(options);
    this.#plan.arena.materialize(memory.buffer);
    this.#passes = [...this.#plan.encoder.passes, ...this.#plan.decoder.passes];
    this.#bytes = new Uint8Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
    let units = 0;
    this.#unitOffsets = this.#passes.map((pass) => {
      const before = units;
      units += packingUnits(pass);
      return before;
    });
    this.#units = units;
  }

  /** Packs this rank's share of the weights. */
  prepare(rank: number, ranks: number): void {
    const from = Math.floor((this.#units * rank) / ranks);
    const to = Math.floor((this.#units * (rank + 1)) / ranks);
    for (let i = 0; i < this.#passes.length; i++) {
      const pass = this.#passes[i]!;
      const first = this.#unitOffsets[i]!;
      const begin = Math.max(from - first, 0);
      const end = Math.min(to - first, packingUnits(pass));
      if (begin < end) pack(this.#kernels, pass, begin, end);
    }
  }

  elboGradient(shard: Shard, beta: number, gradient: number): void {
    if (shard.count === 0) {
      this.#bytes.fill(0, gradient, gradient + this.#options.model.parameters.size * FLOAT);
      return;
    }
    if (shard.parts > 1) {
      this.#forward(shard, 0, shard.count, true);
      this.#backward(shard, 0, shard.count, beta, gradient);
      return;
    }
    for (let first = 0; first < shard.count; first += this.#plan.microBatch) {
      const images = Math.min(this.#plan.microBatch, shard.count - first);
      this.#forward(shard, first, images, true);
      this.#backward(shard, first, images, beta, gradient);
    }
  }

  elbo(shard: Shard): void {
    for (let first = 0; first < shard.count; first += this.#plan.microBatch) {
      this.#forward(shard, first, Math.min(this.#plan.microBatch, shard.count - first), false);
    }
  }

  /** [count, dimensions] at x → [count, 2 · latent] at `posterior`: mu, then logvar. */
  encode(x: number, count: number, posterior: number): void {
    const { encoder } = this.#plan;
    const { model } = this.#options;
    for (let first = 0; first < count; first += this.#plan.microBatch) {
      const images = Math.min(this.#plan.microBatch, count - first);
      this.#copy(x + first * model.dimensions * FLOAT, encoder.input.activation, images * model.dimensions);
      encoder.forward(this.#microKernels, images);
      const target = posterior + first * 2 * model.latent * FLOAT;
      this.#copy(encoder.output.activation, target, images * 2 * model.latent);
    }
  }

  /** [count, latent] at z → logits, [count, dimensions]. */
  decode(z: number, count: number, logits: number): void {
    const { decoder } = this.#plan;
    const { model, samples } = this.#options;
    const most = this.#plan.microBatch * samples;
    for (let first = 0; first < count; first += most) {
      const rows = Math.min(most, count - first);
      this.#copy(z + first * model.latent * FLOAT, decoder.input.activation, rows * model.latent);
      decoder.forward(this.#microKernels, rows);
      const target = logits + first * model.dimensions * FLOAT;
      this.#copy(decoder.output.activation, target, rows * model.dimensions);
    }
  }

  /** x → mu, logvar → z → logits → terms (and, when a backward pass follows, the logits' gradient). */
  #forward(shard: Shard, first: number, images: number, gradient: boolean): void {
    const { encoder, decoder, rowLikelihood } = this.#plan;
    const { model, samples, kl } = this.#options;
    const kernels = this.#kernels;
    const x = shard.x + first * model.dimensions * FLOAT;
    this.#copy(x, encoder.input.activation, images * model.dimensions);
    encoder.forward(this.#microKernels, images);
    kernels.gaussianForward(
      encoder.output.activation,
      shard.epsilon + first * samples * model.latent * FLOAT,
      decoder.input.activation,
      images,
      samples,
      model.latent,
      kl === 'analytic' ? 1 : 0,
      shard.kl + first * DOUBLE,
    );
    decoder.forward(this.#microKernels, images * samples);
    kernels.bernoulli(
      decoder.output.activation,
      x,
      images * samples,
      samples,
      model.dimensions,
      1 / samples,
      rowLikelihood,
      gradient ? decoder.output.gradient : 0,
    );
    this.#averageSamples(shard.logLikelihood + first * DOUBLE, images);
  }

  /** From d(loss)/d(logits) back to the parameters; mirrors #forward, reversed. */
  #backward(shard: Shard, first: number, images: number, beta: number, gradient: number): void {
    const { encoder, decoder } = this.#plan;
    const { model, samples, kl } = this.#options;
    const kernels = this.#kernels;
    const sums = { gradient, accumulate: first > 0, parts: shard.parts, bounds: shard.bounds };
    decoder.backward(this.#microKernels, images * samples, { ...sums, scale: samples });
    kernels.gaussianBackward(
      encoder.output.activation,
      shard.epsilon + first * samples * model.latent * FLOAT,
      decoder.input.activation,
      decoder.input.gradient,
      encoder.output.gradient,
      images,
      samples,
      model.latent,
      kl === 'analytic' ? 1 : 0,
      beta,
    );
    encoder.backward(this.#microKernels, images, { ...sums, scale: 1 });
  }

  /** (1/K) Σ_k of the rows' log-likelihoods. */
  #averageSamples(target: number, images: number): void {
    const { samples } = this.#options;
    const rows = this.#plan.rowLikelihood / DOUBLE;
    for (let image = 0; image < images; image++) {
      let sum = 0;
      for (let k = 0; k < samples; k++) sum += this.#doubles[rows + image * samples + k]!;
      this.#doubles[target / DOUBLE + image] = sum / samples;
    }
  }

  #copy(source: number, target: number, floats: number): void {
    this.#kernels.copyFloats(source, target, floats);
  }
}
