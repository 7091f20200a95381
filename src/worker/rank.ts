import type { Backend, Shard } from '../backends/backend.js';
import type { BackendFactory, RankPlace } from '../backends/declaration.js';
import { partStart } from '../collective/parts.js';
import { SlotWriter } from '../collective/processes/slotWriter.js';
import { plus } from '../kernels/address.js';
import { bindKernels, type Kernels } from '../kernels/kernels.js';
import type { WasmMemory, WasmModule } from '../kernels/webAssembly.js';
import type { Model } from '../model/model.js';
import { CheckedUpdate } from '../optimizer/checkedUpdate.js';
import { PhaseTimes } from './phaseTimes.js';
import { RecoveryWords } from './recoveryWords.js';
import { decisionsOf, type RankRegions, type RunLayout } from './runLayout.js';
import { RunProgress } from './runProgress.js';
import { ownOptions, type Settings } from './settings.js';
import { ShardInput } from './shardInput.js';
import type { Step } from './step.js';
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
  /** Where other processes compute the rest of the shards: the Mailbox by which exchanges are asked for. */
  readonly mailbox?: SharedArrayBuffer | undefined;
  /** Whether they go on where one of them dies: then a snapshot of this memory has all of the state. */
  readonly heals?: boolean | undefined;
}

/** A rank's view of the run: its backend, its buffers, and what all ranks share. */
export class Rank {
  readonly kernels: Kernels;
  readonly backend: Backend;
  readonly optimizer: CheckedUpdate;
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
  readonly #input: ShardInput;
  readonly #create: BackendFactory;
  #evaluator: Backend | undefined;

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
    this.#input = new ShardInput(this.kernels, context, this.regions);
    this.terms = new ExampleTerms(buffer, this.regions.terms, layout.examplesAtOnce);
    this.times = new PhaseTimes(buffer, this.regions.times);
    const decisions = decisionsOf(buffer, layout);
    this.progress = new RunProgress(buffer, layout.progress, decisions);
    this.recovery = new RecoveryWords(buffer, layout.recovery, layout.ranks.length, decisions);
    this.shardTerms = new ShardTerms(buffer, layout.shardTerms, settings.shards);
    this.stepRecords = new StepRecords(buffer, layout.stepRecords, settings.stepsPerEpoch);
    this.testTerms = new ExampleTerms(buffer, layout.testTerms, settings.testCount);
    this.optimizer = new CheckedUpdate(this.kernels, settings);
    this.#create = create;
    this.backend = create(this.#place());
    const { x, epsilon, refinement, terms } = this.regions;
    const bounds = new Int32Array(layout.parts + 1);
    const { logLikelihood, kl, bound, acceptance } = terms;
    this.shard = {
      ...{ count: 0, parts: 1, bounds, x, epsilon, logLikelihood, kl, bound },
      ...(refinement && { refinement: { ...refinement, pitch: layout.examplesAtOnce, acceptance } }),
    };
  }

  /**
   * What computes the terms of test examples: from the average of the parameters, where the run has one. It
   * shares its memory with `backend`, so `prepare` stands before each use of either.
   */
  get evaluator(): Backend {
    this.#evaluator ??= this.#createEvaluator();
    return this.#evaluator;
  }

  #createEvaluator(): Backend {
    const { settings, layout } = this.context;
    if (settings.emaDecay === 0) return this.backend;
    const slice = { parameters: layout.state.at(-1)!, state: [] };
    return this.#create({ ...this.#place(), slice });
  }

  #place(): RankPlace {
    const { memory, layout, model, settings } = this.context;
    const ranks = layout.ranks.length;
    const shards = layout.shards.end - layout.shards.first;
    return {
      ...ownOptions(model, settings, layout.place),
      kernels: this.kernels,
      memory,
      owned: layout.owned,
      examples: layout.examplesAtOnce,
      rank: this.rank,
      slice: layout,
      optimizer: layout.ownersLeaveSums ? this.#slotWriter() : this.optimizer,
      packed: layout.packed,
      workspaces: layout.ranks.map(({ workspace }) => workspace),
      claimed: layout.ranks.map(({ claimed }) => claimed),
      firstShards: Array.from({ length: ranks + 1 }, (_, other) => partStart(shards, ranks, other)),
    };
  }

  /** In a step of owners: what they compute is the sum of this process's shards, in the first one's slot. */
  #slotWriter(): SlotWriter {
    const { slots, slotPitch, shards } = this.context.layout;
    return new SlotWriter(this.kernels, plus(slots, shards.first * slotPitch));
  }

  /**
   * Sets what the update of a step does, by the mean of the gradient over its examples.
   * @param factor that the mean is multiplied by.
   */
  beginUpdate({ number, examples, learningRate }: Step, factor = 1): void {
    this.optimizer.begin(number + 1, learningRate, factor / examples);
  }

  /** Fills the shard with training examples and their noise: see ShardInput.loadTraining. */
  loadTraining(first: number, count: number, place: number, step: number, epoch: number): void {
    this.shard.count = count;
    this.#input.loadTraining(first, count, place, step, epoch);
  }

  /** Fills the shard with test examples [first, first + count) and their noise, the same at every call. */
  loadTest(first: number, count: number): void {
    this.shard.count = count;
    this.#input.loadTest(first, count);
  }
}
