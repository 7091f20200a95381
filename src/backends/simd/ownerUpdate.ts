import type { Arena } from '../../kernels/arena.js';
import { gradientListBytes } from '../../kernels/listRoom.js';
import { LIST_WIDTHS, TILES, type TileName } from '../../kernels/tiles/tile.js';
import type { Slice, SliceUpdate } from '../../optimizer/optimizer.js';
import type { MicroKernels } from './microKernels.js';
import { isSparse, type ScaledLayer, shareOut, UNIT_ROWS, type Unit, unitsOf } from './ownedUnits.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** Words of a shard in treeGradient's table. */
const ENTRY = 3;

/** A weight gradient from lists of nonzeros (assembly/lists.ts) costs less than from all examples up to this share of them. */
const SHARE_WORTH_LISTING = 0.7;

/** Which of the ranks computes which shards, and where each rank's engine has its private memory. */
export interface Ranks {
  readonly rank: number;
  /** [ranks]. */
  readonly workspaces: readonly number[];
  /** [ranks + 1]: first shard of each. */
  readonly firstShards: readonly number[];
  /** [ranks]: addresses of a word each, in which ranks count how many units of its share have been claimed in this step. */
  readonly claimed: readonly number[];
}

export interface OwnerPlan {
  readonly arena: Arena;
  readonly tile: TileName;
  readonly shards: number;
  /** Examples of a step. */
  readonly batchSize: number;
  readonly layers: readonly ScaledLayer[];
}

/** A rank's private memory for the gradients of the parameters that it owns. */
export class OwnerScratch {
  readonly plan: OwnerPlan;
  readonly gradient: number;
  readonly slotPitch: number;
  readonly stack: number;
  readonly zeros: number;
  /** treeGradient's table of each layer. */
  readonly tables: readonly number[];
  /** Lists of nonzeros, of the rows of a unit. */
  readonly lists: number;

  constructor(plan: OwnerPlan) {
    this.plan = plan;
    const { arena, shards, layers, tile, batchSize } = plan;
    const widest = Math.max(...layers.map(({ layer }) => layer.small[2]));
    this.gradient = arena.floats(UNIT_ROWS * widest);
    this.slotPitch = Math.ceil(widest / 16) * 16 * FLOAT;
    // Levels of the tree; a bias has its shards' sums here, in slots.
    const { rows, columns } = TILES[tile];
    const levels = Math.ceil(Math.log2(shards)) + 1;
    const level = Math.max(rows * columns, ...LIST_WIDTHS);
    this.stack = arena.reserve(Math.max(levels * level * FLOAT, shards * this.slotPitch));
    this.zeros = arena.floats(Math.max(columns, widest));
    this.tables = layers.map(() => arena.reserve(shards * ENTRY * WORD));
    const examples = batchSize * Math.max(...layers.filter(isSparse).map(({ scale }) => scale), 0);
    this.lists = arena.reserve(gradientListBytes(UNIT_ROWS, shards, examples));
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
  /** Of each rank. */
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
   * This rank's share, most of which is in its caches since the last step, then what others have not come to yet: a unit has the same
   * bits whoever computes it, and how long one takes depends on the data.
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

  #claim(owner: number): Unit | undefined {
    const next = Atomics.add(this.#words, this.#ranks.claimed[owner]! / WORD, 1);
    return this.#shares[owner]![next];
  }

  #updateUnit(unit: Unit, bounds: Int32Array): void {
    const { gradient, stack } = this.#scratch;
    if (!this.#placed[unit.layer]) this.#placeShards(unit.layer, bounds);
    this.#placed[unit.layer] = true;
    if (unit.kind === 'weights') this.#weightGradient(unit);
    else this.#biasGradient(unit);
    const sum = unit.kind === 'weights' ? gradient : stack;
    this.#optimizer.apply(this.#memory, unit.offset * FLOAT, sum, unit.size);
  }

  /** Fills a layer's table: where the examples of each shard stand in the memory of the rank that computed them. */
  #placeShards(index: number, bounds: Int32Array): void {
    const { plan, tables } = this.#scratch;
    const { input, output, scale } = plan.layers[index]!;
    const { rank, workspaces, firstShards } = this.#ranks;
    let entry = tables[index]! / WORD;
    for (let other = 0; other < workspaces.length; other++) {
      // All ranks have the same plan, each in its own workspace.
      const distance = workspaces[other]! - workspaces[rank]!;
      const start = bounds[firstShards[other]!]!;
      for (let shard = firstShards[other]!; shard < firstShards[other + 1]!; shard++) {
        const first = (bounds[shard]! - start) * scale;
        const examples = (bounds[shard + 1]! - bounds[shard]!) * scale;
        this.#words[entry++] = input.activation + distance + first * input.imageStride;
        this.#words[entry++] = output.gradient + distance + first * output.imageStride;
        this.#words[entry++] = examples * output.imageStride;
      }
    }
  }

  #weightGradient(unit: Unit): void {
    const layer = this.#scratch.plan.layers[unit.layer]!;
    if (isSparse(layer) && this.#listedWeightGradient(unit)) return;
    this.#denseWeightGradient(unit);
  }

  /** From lists of what is not zero in the input; false, and nothing done, where that would not pay. */
  #listedWeightGradient({ layer: index, row, rows }: Unit): boolean {
    const { plan, gradient, tables, zeros, stack, lists } = this.#scratch;
    const { layer, input, output } = plan.layers[index]!;
    const outputs = layer.small[2];
    const { kernels, sumRows, listWidth } = this.#kernels;
    if (outputs < listWidth) return false;
    const terms = kernels.listGradients(
      rows,
      row * FLOAT,
      plan.shards,
      tables[index]!,
      input.imageStride,
      output.imageStride,
      zeros,
      lists,
      SHARE_WORTH_LISTING,
    );
    if (terms < 0) return false;
    sumRows(rows, outputs, lists, gradient, outputs * FLOAT, stack, 0);
    return true;
  }

  #denseWeightGradient({ layer: index, row, rows }: Unit): void {
    const { plan, gradient, tables, zeros, stack } = this.#scratch;
    const { layer, input, output } = plan.layers[index]!;
    const treeGradient = this.#kernels.treeGradient(rows);
    treeGradient(
      rows,
      layer.small[2],
      gradient,
      row * FLOAT,
      plan.shards,
      tables[index]!,
      input.imageStride,
      output.imageStride,
      zeros,
      stack,
    );
  }

  /** Each shard's sums in a slot, then the tree: into the first slot. */
  #biasGradient({ layer: index, size }: Unit): void {
    const { plan, tables, stack, slotPitch } = this.#scratch;
    const { output } = plan.layers[index]!;
    const { kernels } = this.#kernels;
    const table = tables[index]! / WORD;
    for (let shard = 0; shard < plan.shards; shard++) {
      const values = this.#words[table + shard * ENTRY + 1]!;
      const examples = this.#words[table + shard * ENTRY + 2]! / output.imageStride;
      kernels.columnSums(values, examples, size, stack + shard * slotPitch, 0);
    }
    kernels.treeReduce(stack, slotPitch, plan.shards, size);
  }
}
