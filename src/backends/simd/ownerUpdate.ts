import { type Address, plus } from '../../kernels/address.js';
import type { Arena } from '../../kernels/arena.js';
import { gradientListBytes } from '../../kernels/listRoom.js';
import { TILES, type TileName } from '../../kernels/tiles/tile.js';
import { GRADIENT_SHARE_WORTH_LISTING, UNIT_ROWS } from '../../kernels/tuning.js';
import type { ModelPrior } from '../../model/priors/registry.js';
import type { Slice, SliceUpdate } from '../../optimizer/optimizer.js';
import type { MicroKernels } from '../../products/microKernels.js';
import {
  placeShard,
  reserveShardTable,
  type ShardedOperands,
  shardedBiasGradient,
  shardedWeightGradient,
  slotBytes,
  treeStackBytes,
} from '../../products/shardedGradient.js';
import { isSparse, type ScaledLayer, shareOut, type Unit, unitsOf } from './ownedUnits.js';
import type { PriorTerms } from './priorTerms.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** Which of the ranks computes which shards, and where each rank's engine has its private memory. */
export interface Ranks {
  readonly rank: number;
  /** [ranks]. */
  readonly workspaces: readonly Address[];
  /** [ranks + 1]: first shard of each. */
  readonly firstShards: readonly number[];
  /**
   * [ranks]: addresses of a word each, in which ranks count how many units of its share have been claimed in
   * this step.
   */
  readonly claimed: readonly Address[];
}

export interface OwnerPlan {
  readonly arena: Arena;
  readonly tile: TileName;
  readonly shards: number;
  /** Examples of a step. */
  readonly batchSize: number;
  readonly layers: readonly ScaledLayer[];
  readonly prior: Pick<ModelPrior, 'offset' | 'size'>;
}

/** A rank's private memory for the gradients of the parameters that it owns. */
export class OwnerScratch {
  readonly plan: OwnerPlan;
  readonly gradient: Address;
  readonly slotPitch: number;
  readonly stack: Address;
  readonly zeros: Address;
  /** One entry for each layer. */
  readonly operands: readonly ShardedOperands[];
  /** Lists of nonzeros, of the rows of a unit. */
  readonly lists: Address;
  /** The gradient of the prior's parameters, of each shard that this rank computes, in its slot. */
  readonly priorSlots: Address;
  readonly priorPitch: number;

  constructor(plan: OwnerPlan) {
    this.plan = plan;
    const { arena, shards, layers, tile, batchSize, prior } = plan;
    const widest = Math.max(...layers.map(({ layer }) => layer.small[2]));
    this.gradient = arena.floats(UNIT_ROWS * widest);
    this.slotPitch = slotBytes(widest);
    this.priorPitch = slotBytes(prior.size);
    // Levels of the tree; a bias and the prior have their shards' sums here, in slots.
    const slots = shards * Math.max(this.slotPitch, this.priorPitch);
    this.stack = arena.reserve(Math.max(treeStackBytes(shards, TILES[tile]), slots));
    this.zeros = arena.floats(Math.max(TILES[tile].columns, widest));
    this.operands = layers.map(({ layer, input, output }) => ({
      shards,
      columns: layer.small[2],
      bigPitch: input.imageStride,
      smallPitch: output.imageStride,
      table: reserveShardTable(arena, shards),
      zeros: this.zeros,
      stack: this.stack,
    }));
    const examples = batchSize * Math.max(...layers.filter(isSparse).map(({ scale }) => scale), 0);
    this.lists = arena.reserve(gradientListBytes(UNIT_ROWS, shards, examples));
    this.priorSlots = arena.reserve(shards * this.priorPitch);
  }
}

/** The update of the parameters that a rank owns. */
export class OwnedParameters {
  readonly #kernels: MicroKernels;
  readonly #scratch: OwnerScratch;
  readonly #memory: Slice;
  readonly #optimizer: SliceUpdate;
  readonly #ranks: Ranks;
  readonly #words: Uint32Array;
  /** One list of units for each rank. */
  readonly #shares: readonly (readonly Unit[])[];
  /** Whether a layer's table is filled in this step. */
  readonly #placed: boolean[];

  constructor(
    kernels: MicroKernels,
    buffer: ArrayBufferLike,
    scratch: OwnerScratch,
    memory: Slice,
    optimizer: SliceUpdate,
    ranks: Ranks,
  ) {
    this.#kernels = kernels;
    this.#scratch = scratch;
    this.#memory = memory;
    this.#optimizer = optimizer;
    this.#ranks = ranks;
    this.#words = new Uint32Array(buffer);
    this.#shares = shareOut(unitsOf(scratch.plan), ranks.workspaces.length);
    this.#placed = scratch.plan.layers.map(() => false);
  }

  /** Before the barrier before `update`: nothing of this rank's share is claimed. */
  open(): void {
    const { rank, claimed } = this.#ranks;
    Atomics.store(this.#words, claimed[rank]! / WORD, 0);
  }

  /**
   * This rank's share, most of which is in its caches since the last step, then what others have not come to
   * yet: a unit has the same bits whoever computes it, and how long one takes depends on the data.
   */
  update(bounds: Int32Array): void {
    const { rank, workspaces } = this.#ranks;
    this.#placed.fill(false);
    for (let i = 0; i < workspaces.length; i++) {
      const owner = (rank + i) % workspaces.length;
      for (;;) {
        const unit = this.#claim(owner);
        if (unit === undefined) break;
        this.#updateUnit(unit, bounds);
      }
    }
  }

  /**
   * After the backward pass of this rank's examples: keeps the gradient of the prior's parameters of each of
   * its shards, for `update`.
   * @param bounds as in `update`.
   */
  keepPrior(prior: PriorTerms, bounds: Int32Array, samples: number, beta: number): void {
    const { priorSlots, priorPitch } = this.#scratch;
    const { rank, firstShards } = this.#ranks;
    const start = bounds[firstShards[rank]!]!;
    for (let shard = firstShards[rank]!; shard < firstShards[rank + 1]!; shard++) {
      prior.begin();
      prior.accumulate((bounds[shard]! - start) * samples, (bounds[shard + 1]! - start) * samples, beta);
      prior.write(plus(priorSlots, shard * priorPitch));
    }
  }

  #claim(owner: number): Unit | undefined {
    const next = Atomics.add(this.#words, this.#ranks.claimed[owner]! / WORD, 1);
    return this.#shares[owner]![next];
  }

  #updateUnit(unit: Unit, bounds: Int32Array): void {
    const { gradient, stack } = this.#scratch;
    if (unit.kind === 'prior') {
      this.#priorGradient(unit);
    } else {
      if (!this.#placed[unit.layer]) this.#placeShards(unit.layer, bounds);
      this.#placed[unit.layer] = true;
      if (unit.kind === 'weights') this.#weightGradient(unit);
      else this.#biasGradient(unit);
    }
    const sum = unit.kind === 'weights' ? gradient : stack;
    this.#optimizer.apply(this.#memory, unit.offset * FLOAT, sum, unit.size);
  }

  /**
   * Fills a layer's table: where the examples of each shard stand in the memory of the rank that computed
   * them.
   */
  #placeShards(index: number, bounds: Int32Array): void {
    const { plan, operands } = this.#scratch;
    const { input, output, scale } = plan.layers[index]!;
    const { rank, workspaces, firstShards } = this.#ranks;
    for (let other = 0; other < workspaces.length; other++) {
      // All ranks have the same plan, each in its own workspace.
      const distance = workspaces[other]! - workspaces[rank]!;
      const start = bounds[firstShards[other]!]!;
      for (let shard = firstShards[other]!; shard < firstShards[other + 1]!; shard++) {
        const first = (bounds[shard]! - start) * scale;
        placeShard(this.#words, operands[index]!, shard, {
          input: plus(input.activation, distance + first * input.imageStride),
          dOutput: plus(output.gradient, distance + first * output.imageStride),
          examples: (bounds[shard + 1]! - bounds[shard]!) * scale,
        });
      }
    }
  }

  #weightGradient(unit: Unit): void {
    const { plan, operands, gradient } = this.#scratch;
    if (isSparse(plan.layers[unit.layer]!) && this.#listedWeightGradient(unit)) return;
    shardedWeightGradient(this.#kernels, operands[unit.layer]!, unit, gradient);
  }

  /** From lists of what is not zero in the input; false, and nothing done, where that would not pay. */
  #listedWeightGradient({ layer, row, rows }: Unit): boolean {
    const { operands, gradient, lists } = this.#scratch;
    const { shards, columns, bigPitch, smallPitch, table, zeros, stack } = operands[layer]!;
    const { kernels, sumRows, listWidth } = this.#kernels;
    if (columns < listWidth) return false;
    const terms = kernels.listGradients({
      rows,
      bigOffset: row * FLOAT,
      shards,
      table,
      bigPitch,
      smallPitch,
      zeros,
      lists,
      share: GRADIENT_SHARE_WORTH_LISTING,
    });
    if (terms < 0) return false;
    sumRows({ rows, columns, lists, out: gradient, outPitch: columns * FLOAT, stack, relu: 0 });
    return true;
  }

  /** The shards' gradients of the prior from the ranks that computed them, then the tree. */
  #priorGradient({ size }: Unit): void {
    const { plan, priorSlots, priorPitch, stack } = this.#scratch;
    const { rank, workspaces, firstShards } = this.#ranks;
    const { kernels } = this.#kernels;
    for (let other = 0; other < workspaces.length; other++) {
      const distance = workspaces[other]! - workspaces[rank]!;
      for (let shard = firstShards[other]!; shard < firstShards[other + 1]!; shard++) {
        const slot = plus(priorSlots, distance + shard * priorPitch);
        kernels.copyFloats(slot, plus(stack, shard * priorPitch), size);
      }
    }
    kernels.treeReduce(stack, priorPitch, plan.shards, size);
  }

  #biasGradient({ layer }: Unit): void {
    const { operands, stack, slotPitch } = this.#scratch;
    shardedBiasGradient(this.#kernels, this.#words, operands[layer]!, stack, slotPitch);
  }
}
