import { type Address, NONE, plus } from '../../kernels/address.js';
import { Arena } from '../../kernels/arena.js';
import type { Kernels } from '../../kernels/kernels.js';
import { TILES, type TileName } from '../../kernels/tiles/tile.js';
import { MOST_EXAMPLES, OWNED_MAP, WORKING_SET } from '../../kernels/tuning.js';
import type { WasmMemory } from '../../kernels/webAssembly.js';
import type { Choice } from '../../model/hyperparameter.js';
import { weightedLayers } from '../../model/layers/kinds.js';
import { sizeOf } from '../../model/layout.js';
import type { LikelihoodKernels } from '../../model/likelihoods/likelihood.js';
import { type LikelihoodName, likelihoodKernels } from '../../model/likelihoods/registry.js';
import type { Model } from '../../model/model.js';
import type { Factors } from '../../objective/estimators/estimator.js';
import { type EstimatorName, estimatorOf } from '../../objective/estimators/registry.js';
import { type InferenceName, refinementOf } from '../../objective/inferences/registry.js';
import { type ObjectiveName, objectiveOf } from '../../objective/registry.js';
import type { Slice, SliceUpdate } from '../../optimizer/optimizer.js';
import { type GatherPass, pack, packingUnits } from '../../products/gather.js';
import { MicroKernels } from '../../products/microKernels.js';
import type { Backend, KlEstimate, OwnerUpdate, Shard } from '../backend.js';
import { DecoderRefinement, type RefinementRoom, refinementRoom } from './decoderRefinement.js';
import { activationFloats } from './layers/registry.js';
import { type GradientSums, Network } from './network.js';
import { OwnedParameters, OwnerScratch, type Ranks } from './ownerUpdate.js';
import { createPriorTerms, type PriorTerms } from './priorTerms.js';
import { type Draws, RowWeights, type RowWeightsRoom, rowWeightsRoom } from './rowWeights.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

export interface SimdOptions {
  readonly model: Model;
  /** K. */
  readonly samples: number;
  readonly kl: KlEstimate;
  readonly objective: ObjectiveName;
  readonly likelihood: Choice<LikelihoodName>;
  /** Default: the reparameterised gradient. */
  readonly estimator?: EstimatorName | undefined;
  /** Default: variational. */
  readonly inference?: Choice<InferenceName> | undefined;
  /** The tile of the micro-kernels. It does not change a bit, and is the same for all ranks of a run. */
  readonly tile: TileName;
  /**
   * Most examples at once: of a shard, or of all shards of a rank. No more memory is planned than they need.
   */
  readonly examples: number;
  /**
   * The step goes by the owner-computes rule (Backend.owner), for so many shards and examples: see
   * ownerComputes.
   */
  readonly owned?: { readonly shards: number; readonly batchSize: number };
  /** Address of the flat parameter buffer. */
  readonly parameters: Address;
  /** Where packed weights begin: the same address for all ranks of a run. */
  readonly packed: Address;
  /** Where the private memory of this engine begins. */
  readonly workspace: Address;
}

/**
 * Ends of the two regions that an engine with these options uses: plan with addresses 0 to get their sizes.
 */
export function simdMemory(options: SimdOptions): { packedEnd: Address; workspaceEnd: Address } {
  const plan = new EnginePlan(options);
  const packedEnd = plan.packedArena === plan.arena ? options.packed : plan.packedArena.end;
  return { packedEnd, workspaceEnd: plan.arena.end };
}

/**
 * Examples at a time: as many as the working set allows. The number does not change a bit of the result,
 * since every sum over examples goes on from where the micro-batch before stopped.
 */
export function microBatchSize(model: Model, samples: number, examples: number): number {
  const [encoder, decoder] = [activationFloats(model.encoder), activationFloats(model.decoder)];
  const example = 2 * FLOAT * (model.dimensions + encoder + samples * decoder);
  const fitting = Math.floor(WORKING_SET / example);
  return Math.max(1, Math.min(fitting, MOST_EXAMPLES, Math.max(1, examples)));
}

/**
 * Whether the steps of a run go by the owner-computes rule (Backend.owner). With few examples a shard, a
 * dense layer's weight gradient is little arithmetic and much memory; with very many its operands would not
 * stay in the caches, and with a convolution its operands are larger than itself.
 */
export function ownerComputes(model: Model, samples: number, batchSize: number): boolean {
  const weighted = weightedLayers([...model.encoder, ...model.decoder]);
  const dense = weighted.every(({ type }) => type === 'dense');
  const widest = Math.max(...weighted.map(({ output }) => sizeOf(output)), model.dimensions);
  return dense && batchSize * samples * widest * FLOAT <= OWNED_MAP;
}

function factorsOf(estimator: EstimatorName | undefined): Factors | undefined {
  return estimator === undefined ? undefined : estimatorOf(estimator).factors;
}

class EnginePlan {
  readonly arena: Arena;
  readonly packedArena: Arena;
  readonly microBatch: number;
  readonly encoder: Network;
  readonly decoder: Network;
  /** [microBatch · samples] float64. */
  readonly rowLikelihood: Address;
  /** The terms of one row, one for each pixel. */
  readonly likelihoodTerms: Address;
  readonly rowWeights: RowWeightsRoom | undefined;
  readonly refinement: RefinementRoom | undefined;
  readonly ownerScratch: OwnerScratch | undefined;

  constructor({
    model,
    samples,
    examples,
    objective,
    estimator,
    inference,
    owned,
    tile,
    parameters,
    packed,
    workspace,
  }: SimdOptions) {
    this.arena = new Arena(workspace);
    // What little is packed for an owned step each rank packs for itself.
    this.packedArena = owned ? this.arena : new Arena(packed);
    this.microBatch = owned ? examples : microBatchSize(model, samples, examples);
    const panelWidth = TILES[tile].columns;
    const arenas = {
      arena: this.arena,
      packedArena: this.packedArena,
      parameters,
      panelWidth,
      owned: owned !== undefined,
    };
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
    this.likelihoodTerms = this.arena.floats(model.dimensions);
    const estimated = factorsOf(estimator) !== undefined;
    if (objectiveOf(objective).weigh !== undefined || estimated) {
      this.rowWeights = rowWeightsRoom(this.arena, this.microBatch * samples, estimated);
    }
    if (refinementOf(inference)) {
      this.refinement = refinementRoom(this.arena, this.microBatch * samples, model.latent);
    }
    if (owned) {
      const layers = [
        ...this.encoder.weighted.map((layer) => ({ ...layer, scale: 1 })),
        ...this.decoder.weighted.map((layer) => ({ ...layer, scale: samples })),
      ];
      const { prior } = model;
      this.ownerScratch = new OwnerScratch({ arena: this.arena, tile, ...owned, layers, prior });
    }
  }
}

/** What an engine must know of the others to compute the gradients of its own parameters. */
export interface Ownership {
  readonly memory: Slice;
  readonly optimizer: SliceUpdate;
  readonly ranks: Ranks;
}

/** Our kernels, on the run's memory: a static plan, no allocation in a step. */
export class SimdBackend implements Backend {
  readonly owner?: OwnerUpdate;
  readonly #kernels: Kernels;
  readonly #microKernels: MicroKernels;
  readonly #options: SimdOptions;
  readonly #plan: EnginePlan;
  readonly #likelihood: LikelihoodKernels;
  /** Where rows of an example count differently. */
  readonly #weights: RowWeights | undefined;
  /** Where the kernels do not have the prior. */
  readonly #prior: PriorTerms | undefined;
  readonly #reportsBound: boolean;
  /** Where the decoder is trained on refined draws. */
  readonly #refinement: DecoderRefinement | undefined;
  readonly #passes: readonly GatherPass[];
  /** Units of packing before each pass, and in all. */
  readonly #unitOffsets: readonly number[];
  readonly #units: number;
  readonly #bytes: Uint8Array;
  readonly #doubles: Float64Array;

  /**
   * The memory must reach to the ends that `simdMemory` gives, and be zero there (borders are never written).
   * @param ownership with `options.owned`, unless the engine only evaluates.
   */
  constructor(kernels: Kernels, memory: WasmMemory, options: SimdOptions, ownership?: Ownership) {
    this.#kernels = kernels;
    this.#microKernels = new MicroKernels(kernels, options.tile);
    this.#options = options;
    this.#plan = new EnginePlan(options);
    this.#plan.arena.materialize(memory.buffer);
    this.#likelihood = likelihoodKernels(options.likelihood, kernels, memory.buffer);
    const { weigh, rows } = objectiveOf(options.objective);
    const { rowWeights } = this.#plan;
    this.#prior = this.#createPrior(memory.buffer);
    this.#reportsBound = weigh !== undefined;
    if (rowWeights) {
      const factors = factorsOf(options.estimator);
      this.#weights = new RowWeights(kernels, memory.buffer, rowWeights, rows, factors, this.#prior);
    }
    this.#refinement = this.#createRefinement(memory.buffer);
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
    const { ownerScratch } = this.#plan;
    if (ownerScratch && ownership) {
      const { memory: owned, optimizer, ranks } = ownership;
      const parameters = new OwnedParameters(
        this.#microKernels,
        memory.buffer,
        ownerScratch,
        owned,
        optimizer,
        ranks,
      );
      this.owner = {
        backpropagate: (shard, beta, bounds) => {
          parameters.open();
          this.#backpropagate(shard, beta);
          if (this.#prior)
            parameters.keepPrior(this.#prior, bounds, this.#options.samples, this.#priorBeta(beta));
        },
        update: (bounds: Int32Array) => parameters.update(bounds),
      };
    }
  }

  #createPrior(buffer: ArrayBufferLike): PriorTerms | undefined {
    const { model, samples, parameters } = this.#options;
    const { decoder, rowWeights, microBatch } = this.#plan;
    const { input } = decoder;
    const weights = rowWeights?.weights;
    return createPriorTerms({
      buffer,
      model,
      samples,
      parameters,
      input,
      weights,
      rows: microBatch * samples,
    });
  }

  #createRefinement(buffer: ArrayBufferLike): DecoderRefinement | undefined {
    const { model, samples, inference } = this.#options;
    const { decoder, rowLikelihood, likelihoodTerms, microBatch, refinement: room } = this.#plan;
    const refinement = refinementOf(inference);
    if (refinement === undefined || room === undefined) return undefined;
    return new DecoderRefinement({
      ...{ kernels: this.#microKernels, likelihood: this.#likelihood, buffer, model, samples, refinement },
      ...{ decoder, room, rowLikelihood, likelihoodTerms, rows: microBatch * samples },
      prior: this.#prior,
    });
  }

  /** Packs this rank's share of the weights; in an owned step all that it needs itself. */
  prepare(rank: number, ranks: number): void {
    this.#prior?.refresh();
    if (this.#options.owned) this.#pack(0, 1);
    else this.#pack(rank, ranks);
  }

  #pack(rank: number, ranks: number): void {
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

  objectiveGradient(shard: Shard, beta: number, gradient: Address): void {
    if (shard.count === 0) {
      this.#bytes.fill(0, gradient, gradient + this.#options.model.parameters.size * FLOAT);
      return;
    }
    const { samples, model } = this.#options;
    this.#prior?.begin();
    for (let first = 0; first < shard.count; first += this.#plan.microBatch) {
      const images = Math.min(this.#plan.microBatch, shard.count - first);
      this.#forward(shard, first, images, beta, true);
      this.#backward(shard, first, images, beta, { gradient, accumulate: first > 0 });
      this.#prior?.accumulate(0, images * samples, this.#priorBeta(beta));
    }
    this.#prior?.write(plus(gradient, model.prior.offset * FLOAT));
  }

  /** The weight of log p(z) in the loss whose gradient the prior's parameters follow: the decoder's. */
  #priorBeta(beta: number): number {
    return this.#refinement ? 1 : beta;
  }

  #backpropagate(shard: Shard, beta: number): void {
    if (shard.count === 0) return;
    this.#forward(shard, 0, shard.count, beta, true);
    this.#backward(shard, 0, shard.count, beta, undefined);
  }

  objectiveTerms(shard: Shard): void {
    for (let first = 0; first < shard.count; first += this.#plan.microBatch) {
      this.#forward(shard, first, Math.min(this.#plan.microBatch, shard.count - first), 1, false);
    }
  }

  /** [count, dimensions] at x → [count, 2 · latent] at `posterior`: mu, then logvar. */
  encode(x: Address, count: number, posterior: Address): void {
    const { encoder } = this.#plan;
    const { model } = this.#options;
    for (let first = 0; first < count; first += this.#plan.microBatch) {
      const images = Math.min(this.#plan.microBatch, count - first);
      this.#copy(
        plus(x, first * model.dimensions * FLOAT),
        encoder.input.activation,
        images * model.dimensions,
      );
      encoder.forward(this.#microKernels, images);
      const target = plus(posterior, first * 2 * model.latent * FLOAT);
      this.#copy(encoder.output.activation, target, images * 2 * model.latent);
    }
  }

  /** [count, latent] at z → the decoder's outputs, [count, dimensions]. */
  decode(z: Address, count: number, outputs: Address): void {
    const { decoder } = this.#plan;
    const { model, samples } = this.#options;
    const most = this.#plan.microBatch * samples;
    for (let first = 0; first < count; first += most) {
      const rows = Math.min(most, count - first);
      this.#copy(plus(z, first * model.latent * FLOAT), decoder.input.activation, rows * model.latent);
      decoder.forward(this.#microKernels, rows);
      const target = plus(outputs, first * model.dimensions * FLOAT);
      this.#copy(decoder.output.activation, target, rows * model.dimensions);
    }
  }

  /** x → mu, logvar → z → outputs → terms (and, when a backward pass follows, the outputs' gradient). */
  #forward(shard: Shard, first: number, images: number, beta: number, gradient: boolean): void {
    const { encoder, decoder, rowLikelihood, likelihoodTerms } = this.#plan;
    const { model, samples, kl } = this.#options;
    const kernels = this.#kernels;
    const x = plus(shard.x, first * model.dimensions * FLOAT);
    this.#copy(x, encoder.input.activation, images * model.dimensions);
    encoder.forward(this.#microKernels, images);
    kernels.gaussianForward({
      posterior: encoder.output.activation,
      epsilon: plus(shard.epsilon, first * samples * model.latent * FLOAT),
      z: decoder.input.activation,
      examples: images,
      samples,
      latent: model.latent,
      analytic: kl === 'analytic' ? 1 : 0,
      kl: plus(shard.kl, first * DOUBLE),
    });
    this.#prior?.forward(plus(shard.kl, first * DOUBLE), images);
    decoder.forward(this.#microKernels, images * samples);
    const rows = images * samples;
    const { dimensions } = model;
    const dOutputs = gradient ? decoder.output.gradient : NONE;
    this.#likelihood.logDensity(
      { outputs: decoder.output.activation, x, rows, samples, dimensions },
      this.#weights ? 1 : 1 / samples,
      rowLikelihood,
      likelihoodTerms,
      dOutputs,
    );
    this.#averageSamples(plus(shard.logLikelihood, first * DOUBLE), images);
    this.#weights?.forward({
      ...this.#draws(shard, first, images),
      logLikelihood: rowLikelihood,
      beta,
      bound: this.#reportsBound ? plus(shard.bound, first * DOUBLE) : undefined,
    });
    if (gradient) this.#weights?.scale(dOutputs, rows, dimensions);
  }

  /** Where the posteriors of a micro-batch, their noise and their draws stand. */
  #draws(shard: Shard, first: number, images: number): Draws {
    const { encoder, decoder } = this.#plan;
    const { model, samples } = this.#options;
    return {
      posterior: encoder.output.activation,
      epsilon: plus(shard.epsilon, first * samples * model.latent * FLOAT),
      z: decoder.input.activation,
      examples: images,
      samples,
      latent: model.latent,
    };
  }

  /** From d(loss)/d(outputs) back to the parameters; mirrors #forward, reversed. */
  #backward(shard: Shard, first: number, images: number, beta: number, sums: GradientSums | undefined): void {
    const { encoder, decoder } = this.#plan;
    const { model, samples, kl } = this.#options;
    const kernels = this.#kernels;
    decoder.backward(this.#microKernels, images * samples, this.#refinement ? undefined : sums);
    this.#refinement?.begin(shard, first, images, encoder.output.activation);
    this.#prior?.addToGradient(images * samples, beta);
    if (this.#weights) {
      const draws = this.#draws(shard, first, images);
      this.#weights.backward(draws, decoder.input.gradient, encoder.output.gradient, beta);
      encoder.backward(this.#microKernels, images, sums);
      return;
    }
    kernels.gaussianBackward({
      posterior: encoder.output.activation,
      epsilon: plus(shard.epsilon, first * samples * model.latent * FLOAT),
      z: decoder.input.activation,
      dz: decoder.input.gradient,
      dPosterior: encoder.output.gradient,
      examples: images,
      samples,
      latent: model.latent,
      analytic: kl === 'analytic' ? 1 : 0,
      beta,
    });
    encoder.backward(this.#microKernels, images, sums);
    this.#refinement?.backpropagate(shard, first, images, sums);
  }

  /** (1/K) Σ_k of the rows' log-likelihoods. */
  #averageSamples(target: Address, images: number): void {
    const { samples } = this.#options;
    const rows = this.#plan.rowLikelihood / DOUBLE;
    for (let image = 0; image < images; image++) {
      let sum = 0;
      for (let k = 0; k < samples; k++) sum += this.#doubles[rows + image * samples + k]!;
      this.#doubles[target / DOUBLE + image] = sum / samples;
    }
  }

  #copy(source: Address, target: Address, floats: number): void {
    this.#kernels.copyFloats(source, target, floats);
  }
}
