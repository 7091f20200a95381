import type { Backend, Shard } from '../backends/backend.js';
import type { BackendFactory, RankPlace } from '../backends/declaration.js';
import { partStart } from '../collective/parts.js';
import { type Address, plus } from '../kernels/address.js';
import { bindKernels, type Kernels } from '../kernels/kernels.js';
import { Purpose } from '../kernels/stream.js';
import type { WasmMemory, WasmModule } from '../kernels/webAssembly.js';
import type { Model } from '../model/model.js';
import type { SliceUpdate } from '../optimizer/optimizer.js';
import { optimizerOf } from '../optimizer/registry.js';
import { PhaseTimes } from './phaseTimes.js';
import { RecoveryWords } from './recoveryWords.js';
import type { RankRegions, RunLayout } from './runLayout.js';
import { RunProgress } from './runProgress.js';
import { backendOptions, type Settings } from './settings.js';
import { StepRecords } from './stepRecords.js';
import { ExampleTerms, ShardTerms } from './terms.js';

/** What every rank of a run gets: the memory, the compiled kernels, and where everything lies. */
export interface RunContext {
  readonly memory: WasmMemory;
  readonly module: WasmModule;
  readonly layout: RunLayout;
  readonly model: Model;
  readonly settings: Settings;
  /** Milliseconds. */
  readonly barrierTimeLimit: number;
  /** Loads before a barrier sleeps. */
  readonly barrierSpins: number;
}

/** The mode of the binarize kernel. */
export const BINARIZE_MODE = { none: 0, threshold: 1, dynamic: 2, static: 2 } as const;

/** A rank's view of the run: its backend, its buffers, and what all ranks share. */
export class Rank {
  readonly kernels: Kernels;
  readonly backend: Backend;
  readonly optimizer: SliceUpdate;
  readonly regions: RankRegions;
  readonly shard: Shard;
  /** The terms of the examples at hand. */
  readonly terms: ExampleTerms;
  readonly times: PhaseTimes;
  readonly progress: RunProgress;
  readonly recovery: RecoveryWords;
  readonly shardTerms: ShardTerms;
  readonly stepRecords: StepRecords;
  readonly testTerms: ExampleTerms;

  /** @param create the settings' backend, loaded in this thread. */
  constructor(
    readonly rank: number,
    readonly context: RunContext,
    create: BackendFactory,
  ) {
    const { memory, module, layout, settings } = context;
    const { buffer } = memory;
    this.regions = layout.ranks[rank]!;
    this.kernels = bindKernels(module, memory);
    this.terms = new ExampleTerms(buffer, this.regions.terms, layout.examplesAtOnce);
    this.times = new PhaseTimes(buffer, this.regions.times);
    this.progress = new RunProgress(buffer, layout.progress);
    this.recovery = new RecoveryWords(buffer, layout.recovery, layout.ranks.length);
    this.shardTerms = new ShardTerms(buffer, layout.shardTerms, settings.shards);
    this.stepRecords = new StepRecords(buffer, layout.stepRecords, settings.stepsPerEpoch);
    this.testTerms = new ExampleTerms(buffer, layout.testTerms, settings.testCount);
    const { optimizer } = settings;
    this.optimizer = optimizerOf(optimizer).create(this.kernels, optimizer.values);
    this.backend = create(this.#place());
    const { x, epsilon, terms } = this.regions;
    const bounds = new Int32Array(layout.parts + 1);
    this.shard = { count: 0, parts: 1, bounds, x, epsilon, ...terms };
  }

  #place(): RankPlace {
    const { memory, layout, model, settings } = this.context;
    const ranks = layout.ranks.length;
    return {
      ...backendOptions(model, settings),
      kernels: this.kernels,
      memory,
      owned: layout.owned,
      examples: layout.examplesAtOnce,
      rank: this.rank,
      slice: layout,
      optimizer: this.optimizer,
      packed: layout.packed,
      workspaces: layout.ranks.map(({ workspace }) => workspace),
      claimed: layout.ranks.map(({ claimed }) => claimed),
      firstShards: Array.from({ length: ranks + 1 }, (_, other) => partStart(settings.shards, ranks, other)),
    };
  }

  /**
   * Fills the shard with training examples [first, first + count) of the epoch's order, and the noise of
   * places [place, place + count) of the step's batch.
   */
  loadTraining(first: number, count: number, place: number, step: number, epoch: number): void {
    const { layout, settings } = this.context;
    const fixed = settings.binarize === 'static';
    const purpose = fixed ? Purpose.staticBinarization : Purpose.trainingBinarization;
    this.#loadImages(layout.trainPixels, layout.order, first, count, fixed ? 0 : epoch, purpose);
    this.#loadNoise(count, place, step, Purpose.trainingNoise);
  }

  /** Fills the shard with test examples [first, first + count) and their noise, the same at every call. */
  loadTest(first: number, count: number): void {
    const { layout } = this.context;
    const purpose = Purpose.evaluationBinarization;
    this.#loadImages(layout.testPixels, layout.testOrder, first, count, 0, purpose);
    this.#loadNoise(count, first, 0, Purpose.evaluationNoise);
  }

  #loadImages(
    pixels: Address,
    order: Address,
    first: number,
    count: number,
    step: number,
    purpose: number,
  ): void {
    const { model, settings } = this.context;
    this.shard.count = count;
    this.kernels.binarize({
      mode: BINARIZE_MODE[settings.binarize],
      pixels,
      order: plus(order, first * Uint32Array.BYTES_PER_ELEMENT),
      rows: count,
      dimensions: model.dimensions,
      out: this.shard.x,
      key0: settings.key.low,
      key1: settings.key.high,
      step,
      purpose,
      scratch: this.regions.scratch,
    });
  }

  #loadNoise(count: number, position: number, step: number, purpose: number): void {
    const { model, settings } = this.context;
    this.kernels.randomNormal({
      out: this.shard.epsilon,
      rows: count,
      count: settings.samples * model.latent,
      key0: settings.key.low,
      key1: settings.key.high,
      position,
      step,
      purpose,
      scratch: this.regions.scratch,
    });
  }
}
