import { paddedParameters } from '../collective/parameterSlices.js';
import { ALONE, type ProcessPlace } from '../collective/processPlace.js';
import { epochOrder } from '../data/epochOrder.js';
import type { ImageSet, RunData, StoredImages } from '../data/source.js';
import { imagePieces, isStored, readChosen } from '../data/storedImages.js';
import { UsageError } from '../errors.js';
import { bindKernels, type Kernels } from '../kernels/kernels.js';
import type { Platform } from '../kernels/platform.js';
import { sharedMemory, type WasmMemory, type WasmModule } from '../kernels/webAssembly.js';
import { initializeParameters } from '../model/initialize.js';
import { likelihoodKernels } from '../model/likelihoods/registry.js';
import type { Model } from '../model/model.js';
import { AVERAGE } from '../optimizer/averaging.js';
import { stateTensors } from '../optimizer/updateRule.js';
import { requireFit, type TrainingState } from '../runs/trainingState.js';
import { ownPlaces } from '../worker/ownExamples.js';
import { RecoveryWords } from '../worker/recoveryWords.js';
import { decisionsOf, type RunLayout } from '../worker/runLayout.js';
import { planRunMemory } from '../worker/runMemory.js';
import { RunProgress } from '../worker/runProgress.js';
import type { Settings } from '../worker/settings.js';
import { StateCopy } from '../worker/snapshot.js';
import { StepRecords } from '../worker/stepRecords.js';
import { ExampleTerms } from '../worker/terms.js';

const PAGE = 65536;

/** The run's shared memory, made and filled: images, parameters, orders. Only the coordinator makes one. */
export class RunState implements TrainingState {
  readonly memory: WasmMemory;
  readonly module: WasmModule;
  readonly kernels: Kernels;
  /** The whole state, and the last snapshot of it. */
  readonly copy: StateCopy;
  /** The records of the current epoch's steps. */
  readonly stepRecords: StepRecords;
  readonly testTerms: ExampleTerms;
  readonly parameters: Float32Array;
  readonly optimizerState: ReadonlyMap<string, Float32Array>;
  readonly order: Uint32Array;
  readonly #trainImages: ImageSet | StoredImages;
  readonly #ranks: number;
  #placed: Placed;
  /** Whether the examples of an epoch are in order. */
  #isShuffled = false;

  /**
   * @param heals whether the run goes on where other processes die: there is memory for that, too, which the
   * system provides when it is used.
   * @throws UsageError where the run needs more memory than there can be.
   */
  constructor(
    readonly model: Model,
    readonly settings: Settings,
    readonly platform: Platform,
    dataset: RunData,
    ranks: number,
    place: ProcessPlace = ALONE,
    heals = false,
  ) {
    this.#ranks = ranks;
    const [layout, memory] = allocate(model, settings, ranks, place, heals);
    this.memory = memory;
    this.#placed = placedOf(memory, layout);
    this.module = platform.module;
    this.kernels = bindKernels(this.module, this.memory);
    const { buffer } = this.memory;
    const all = { first: 0, end: paddedParameters(model.parameters.size) };
    this.copy = new StateCopy(buffer, layout, layout.snapshot, all);
    this.stepRecords = new StepRecords(buffer, layout.stepRecords, settings.stepsPerEpoch);
    this.testTerms = new ExampleTerms(buffer, layout.testTerms, settings.testCount);
    const size = model.parameters.size;
    this.parameters = new Float32Array(buffer, layout.parameters, size);
    this.optimizerState = new Map(
      stateTensors(settings).map((name, i) => [name, new Float32Array(buffer, layout.state[i]!, size)]),
    );
    this.order = new Uint32Array(buffer, layout.order, settings.trainCount);
    this.#trainImages = dataset.train;
    this.#fill(dataset);
  }

  get layout(): RunLayout {
    return this.#placed.layout;
  }

  /** The moving average of the parameters, where the run has one. */
  get average(): Float32Array | undefined {
    return this.optimizerState.get(AVERAGE);
  }

  /** What the run's model is judged by: the average, where there is one. */
  get modelParameters(): Float32Array {
    return this.average ?? this.parameters;
  }

  get progress(): RunProgress {
    return this.#placed.progress;
  }

  get recovery(): RecoveryWords {
    return this.#placed.recovery;
  }

  /**
   * This process is another one of the processes than before, of fewer. All that does not depend on its place
   * stays; buffers, and what was decided, begin anew. While no rank runs; threads of before are not used
   * again.
   * @throws Error where a process alone, or one of so few, needs more memory than there can be.
   * @throws UsageError where data are sharded and images can no longer be read.
   */
  moveTo(place: ProcessPlace): void {
    const { memory, model, settings } = this;
    const isStopAsked = this.progress.isStopAsked;
    const layout = planRunMemory(model, settings, this.#ranks, place);
    if (layout.bytes > memory.buffer.byteLength) {
      throw new Error(`${place.processes} processes have too little memory for the run.`);
    }
    new Uint8Array(memory.buffer, layout.placed, layout.bytes - layout.placed).fill(0);
    this.#placed = placedOf(memory, layout);
    if (isStopAsked) this.progress.requestStop();
    if (this.#isShuffled) this.#readOwnExamples();
  }

  /**
   * Glorot weights, zero biases, the data's mean where the model asks for it. Before the first update the
   * average is what they are.
   */
  initialize(): void {
    const { model, settings, kernels, memory } = this;
    const needsMean = model.parameters.entries.some(
      ({ initializer }) => initializer.kind === 'dataMeanLogit',
    );
    initializeParameters({
      kernels,
      likelihood: likelihoodKernels(settings.likelihood, kernels, memory.buffer),
      memory,
      model,
      key: settings.key,
      parameters: this.layout.parameters,
      scratch: this.layout.ranks[0]!.scratch,
      ...(needsMean ? { dataMean: dataMean(this.#trainImages, model, settings) } : {}),
    });
    this.average?.set(this.parameters);
  }

  /**
   * Takes over a checkpoint's state.
   * @throws UsageError where it is the state of a model of another size.
   */
  restore(state: TrainingState): void {
    requireFit(state, this.model.parameters);
    this.parameters.set(state.parameters);
    for (const [name, tensor] of this.optimizerState) tensor.set(state.optimizerState.get(name)!);
  }

  /**
   * Orders the training examples for an epoch, from 0: for all ranks, while none of them runs. Where data are
   * sharded it reads those of this process, all of them at each call: the same ones for the same epoch and
   * place.
   * @throws UsageError where they can no longer be read.
   */
  shuffle(epoch: number): void {
    const { kernels, memory, order, layout, settings } = this;
    epochOrder(kernels, memory.buffer, order, layout.orderBits, settings.key, epoch);
    this.#readOwnExamples();
    this.#isShuffled = true;
  }

  /** One after the other, in the order in which steps need them. */
  #readOwnExamples(): void {
    const { layout, memory, model, order, settings } = this;
    const images = this.#trainImages;
    if (!isStored(images)) return;
    const places = new Uint32Array(memory.buffer, layout.trainPlaces, settings.trainCount);
    const slots = new Int32Array(settings.trainCount).fill(-1);
    let slot = 0;
    for (const { first, end } of ownPlaces(settings, layout.place)) {
      for (let at = first; at < end; at++, slot++) {
        places[at] = slot;
        slots[order[at]!] = slot;
      }
    }
    readChosen(images, slots, new Uint8Array(memory.buffer, layout.trainPixels, slot * model.dimensions));
  }

  #fill({ train, test }: RunData): void {
    const { buffer } = this.memory;
    if (!isStored(train)) new Uint8Array(buffer).set(train.pixels, this.layout.trainPixels);
    new Uint8Array(buffer).set(test.pixels, this.layout.testPixels);
    const testOrder = new Uint32Array(buffer, this.layout.testOrder, test.count);
    for (let i = 0; i < test.count; i++) testOrder[i] = i;
  }
}

/** What depends on the process's place. */
interface Placed {
  readonly layout: RunLayout;
  readonly progress: RunProgress;
  readonly recovery: RecoveryWords;
}

function placedOf({ buffer }: WasmMemory, layout: RunLayout): Placed {
  const decisions = decisionsOf(buffer, layout);
  return {
    layout,
    progress: new RunProgress(buffer, layout.progress, decisions),
    recovery: new RecoveryWords(buffer, layout.recovery, layout.ranks.length, decisions),
  };
}

function allocate(
  model: Model,
  settings: Settings,
  ranks: number,
  place: ProcessPlace,
  heals: boolean,
): [RunLayout, WasmMemory] {
  try {
    const layout = planRunMemory(model, settings, ranks, place);
    const bytes = heals ? mostBytes(model, settings, ranks, place) : layout.bytes;
    return [layout, sharedMemory(Math.ceil(bytes / PAGE))];
  } catch (error) {
    // Too large a memory is a matter of the options.
    if (!(error instanceof RangeError)) throw error;
    const advice = settings.shardData ? ' More processes hold fewer training images each.' : '';
    throw new UsageError(error.message + advice);
  }
}

/** Bytes of the largest layout of these processes and of fewer, as far as there can be such a memory. */
function mostBytes(model: Model, settings: Settings, ranks: number, { processes }: ProcessPlace): number {
  let most = 0;
  for (let left = processes; left > 0; left--) {
    // The first or the last one has the most shards.
    for (const process of [0, left - 1]) {
      try {
        most = Math.max(most, planRunMemory(model, settings, ranks, { processes: left, process }).bytes);
      } catch (error) {
        if (!(error instanceof RangeError) || left === processes) throw error;
        return most;
      }
    }
  }
  return most;
}

/**
 * Mean of x over the training images, [dimensions], in float64: of thresholded pixels where the run
 * thresholds.
 */
function dataMean(
  images: ImageSet | StoredImages,
  { dimensions }: Model,
  { binarize }: Settings,
): Float64Array {
  const sums = new Float64Array(dimensions);
  const most = binarize === 'threshold' ? 1 : 255;
  const value = binarize === 'threshold' ? (grey: number) => (grey > 127 ? 1 : 0) : (grey: number) => grey;
  for (const pixels of imagePieces(images)) {
    for (let at = 0; at < pixels.length; ) {
      for (let i = 0; i < dimensions; i++, at++) sums[i]! += value(pixels[at]!);
    }
  }
  return sums.map((sum) => sum / (most * images.count));
}
