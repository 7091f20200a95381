// The seam of backends: what one declares, and what a rank gives it.
import type { Address } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import type { PlatformOptions } from '../kernels/platform.js';
import type { TileName } from '../kernels/tiles/tile.js';
import type { WasmMemory } from '../kernels/webAssembly.js';
import type { Choice } from '../model/hyperparameter.js';
import type { LikelihoodName } from '../model/likelihoods/registry.js';
import type { Model } from '../model/model.js';
import type { EstimatorName } from '../objective/estimators/registry.js';
import type { InferenceName } from '../objective/inferences/registry.js';
import type { ObjectiveName } from '../objective/registry.js';
import type { Slice, SliceUpdate } from '../optimizer/optimizer.js';
import type { Backend, KlEstimate } from './backend.js';

/** What every backend must know of a run. */
export interface BackendOptions {
  readonly model: Model;
  /** K. */
  readonly samples: number;
  readonly kl: KlEstimate;
  readonly objective: ObjectiveName;
  /** Default: the reparameterised gradient. */
  readonly estimator?: EstimatorName | undefined;
  /** Default: variational. */
  readonly inference?: Choice<InferenceName> | undefined;
  readonly likelihood: Choice<LikelihoodName>;
  /** The tile of the micro-kernels. It does not change a bit, and is the same for all ranks of a run. */
  readonly tile: TileName;
  readonly shards: number;
  /** Examples of a step. */
  readonly batchSize: number;
}

/** How a run of these options computes its steps. */
export interface BackendPlan {
  /** Whether steps go by the owner-computes rule, without slots (Backend.owner). */
  readonly owned: boolean;
  /** Most shards that a rank computes at once, a power of two; 1 for owned steps. */
  readonly mostParts: number;
}

/** Bytes that a backend wants of a run's memory. */
export interface BackendMemory {
  /** Shared by all ranks: packed weights. */
  readonly packed: number;
  /** The number of bytes that each rank needs. */
  readonly workspace: number;
}

/** Where a rank of a run computes. */
export interface RankPlace extends BackendOptions {
  readonly kernels: Kernels;
  readonly memory: WasmMemory;
  readonly owned: boolean;
  /** Most examples at once. */
  readonly examples: number;
  readonly rank: number;
  /** The parameters, and the optimizer's state. */
  readonly slice: Slice;
  readonly optimizer: SliceUpdate;
  readonly packed: Address;
  /** [ranks]: where each rank's private memory begins. */
  readonly workspaces: readonly Address[];
  /** [ranks]: a word each, in which ranks count the claimed units of its share. */
  readonly claimed: readonly Address[];
  /** [ranks + 1]: first shard of each. */
  readonly firstShards: readonly number[];
}

/** A backend that is loaded in a thread: makes it for each rank that the thread computes. */
export type BackendFactory = (place: RankPlace) => Backend;

export interface BackendDeclaration {
  /** What a run says of it. */
  readonly title: string;
  /** Whether a run has the same bits for any number of workers. */
  readonly promisesBits: boolean;
  /** Whether a thread may be ended while it computes: inside a native library that can end the process. */
  readonly interruptible: boolean;
  /** The estimators of gradients that it has. */
  readonly estimators: 'all' | 'reparameterized';
  /** The inferences that it has. */
  readonly inferences: 'all' | 'variational';
  /** What `lowerbound bench` times: each arithmetic mode, that of a new run, or nothing, as it is slow. */
  readonly benchmarked: 'each mode' | 'default mode' | 'never';

  /** Whether what it needs is installed. */
  isInstalled(): boolean;

  /**
   * Called on the main thread before workers load it.
   * @throws UsageError where a package is missing, with the command that installs it.
   */
  prepare(): void;

  /** Whether V8 may re-vectorise what runs beside it in the process. */
  allowsRevectorization(): boolean;

  plan(options: BackendOptions): BackendPlan;

  memory(
    options: BackendOptions & {
      readonly owned: boolean;
      readonly examples: number;
      readonly parameters: Address;
    },
  ): BackendMemory;

  /**
   * Loads it for the calling thread, once a thread.
   * @throws UsageError where a package is missing.
   */
  load(options: PlatformOptions): Promise<BackendFactory>;
}
