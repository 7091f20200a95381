// What training, evaluation and timing have in common: a run's data in shared memory, its kernels and its
// threads.
import { DEFAULT_BACKEND } from '../backends/backend.js';
import { BACKENDS } from '../backends/registry.js';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { ALONE } from '../collective/processPlace.js';
import type { RunData } from '../data/source.js';
import { UsageError } from '../errors.js';
import { choosePlatform, inferencePlatform, type Platform } from '../kernels/platform.js';
import type { TileName } from '../kernels/tiles/tile.js';
import type { Model } from '../model/model.js';
import { refinementOf } from '../objective/inferences/registry.js';
import { modelOfConfig } from '../runs/configModel.js';
import type { RunConfig } from '../runs/runConfig.js';
import { choiceOf } from '../runs/seams.js';
import type { TrainingState } from '../runs/trainingState.js';
import type { Fault } from '../worker/fault.js';
import { BARRIER_TIMEOUT } from './runOptions.js';
import { RunState } from './runState.js';
import { settingsOf, workerCount } from './trainOptions.js';
import { WorkerPool } from './workerPool.js';

/** Transitions of HMC that a run can count: their number is a word of 32 bits (Purpose.trainingMomentum). */
const MOST_TRANSITIONS = 2 ** 32;

export interface SessionOptions {
  /** What decides the bits, and the backend. */
  readonly config: RunConfig;
  /** The config depends on the shape of the images, so the caller has read them. */
  readonly dataset: RunData;
  /** The state to go on with; absent: that of a new run. */
  readonly from?: TrainingState | undefined;
  /** Threads, at most one a shard; default: all cores. */
  readonly workers?: number | undefined;
  /**
   * Whether the parameters stay as they are. Then portable arithmetic replaces fused where this machine does
   * not fuse.
   */
  readonly inference?: boolean;
  /** Whether V8 may re-vectorise, where the backend allows it; default true. */
  readonly revectorize?: boolean | undefined;
  /** Default: the fastest one known here. */
  readonly tile?: TileName | undefined;
  /** Seconds that a worker may stay away from a barrier; default 60. */
  readonly barrierTimeout?: number | undefined;
  /** The processes that train together. Absent: this one trains alone. */
  readonly group?: ProcessGroup | undefined;
  /** What goes wrong on purpose, in tests of recovery. */
  readonly faults?: readonly Fault[] | undefined;
}

/** A run that is open: its data, kernels, memory and threads. Whoever opens it closes it. */
export class Session {
  readonly config: RunConfig;
  readonly dataset: RunData;
  readonly workers: number;
  readonly state: RunState;
  readonly #barrierTimeLimit: number;
  readonly #faults: readonly Fault[] | undefined;
  readonly #group: ProcessGroup | undefined;
  #pool: WorkerPool | undefined;
  #closed: Promise<void> | undefined;

  /** @param state as it is to begin with: see openSession. */
  constructor(options: SessionOptions, state: RunState, workers: number) {
    const { config, dataset, barrierTimeout, faults, group } = options;
    this.config = config;
    this.dataset = dataset;
    this.workers = workers;
    this.state = state;
    this.#barrierTimeLimit = (barrierTimeout ?? BARRIER_TIMEOUT) * 1000;
    this.#faults = faults;
    this.#group = group;
  }

  get model(): Model {
    return this.state.model;
  }

  get platform(): Platform {
    return this.state.platform;
  }

  /**
   * The threads of this process. They start at the first call, so that a run which is refused before it has
   * started none.
   * @throws Error after `close`.
   */
  get pool(): WorkerPool {
    if (this.#closed !== undefined) throw new Error('The session is closed: its threads have ended.');
    this.#pool ??= this.#start();
    return this.#pool;
  }

  #start(): WorkerPool {
    return new WorkerPool({
      state: this.state,
      workers: this.workers,
      barrierTimeLimit: this.#barrierTimeLimit,
      onNan: this.config.onNan ?? 'stop',
      mailbox: this.#group?.mailbox,
      heals: this.#group?.heals,
      faults: this.#faults,
    });
  }

  /** Ends the threads, if there are any; a second call waits for the first one. The memory stays readable. */
  close(): Promise<void> {
    this.#closed ??= this.#pool?.close() ?? Promise.resolve();
    return this.#closed;
  }
}

/**
 * Opens a run: checks that its backend is installed, chooses kernels, makes the shared memory and fills it
 * with the images and the state to begin with.
 *
 * @throws UsageError where the backend is not installed or cannot compute the run's estimator or train by its
 * inference, the run has too many transitions of HMC, there are more workers than shards, the arithmetic is
 * not possible here, the memory would be too large, or `from` is the state of another model.
 */
export function openSession(options: SessionOptions): Session {
  const { config, dataset, from } = options;
  const place = options.group?.place ?? ALONE;
  const workers = workerCount(options.workers, config.shards, place);
  BACKENDS[config.backend].prepare();
  if (options.inference !== true) {
    requireEstimator(config);
    requireInference(config);
    requireTransitions(config, dataset);
  }
  const platform = platformOf(options);
  const model = modelOfConfig(config);
  const heals = options.group?.heals === true;
  const settings = settingsOf(config, dataset, platform);
  const state = new RunState(model, settings, platform, dataset, workers, place, heals);
  if (from) state.restore(from);
  else state.initialize();
  return new Session(options, state, workers);
}

/** @throws UsageError where the backend cannot compute the run's estimator. */
function requireEstimator(config: RunConfig): void {
  const { name } = choiceOf(config, 'estimator');
  const { estimators } = BACKENDS[config.backend];
  if (estimators === 'all' || estimators === name) return;
  throw new UsageError(
    `The backend ${config.backend} computes the ${estimators} gradient alone, but the estimator of this run is ${name}: ` +
      `take the backend ${DEFAULT_BACKEND} (--backend ${DEFAULT_BACKEND}).`,
  );
}

/** @throws UsageError where the backend cannot train by the run's inference. */
function requireInference(config: RunConfig): void {
  const { name } = choiceOf(config, 'inference');
  const { inferences } = BACKENDS[config.backend];
  if (inferences === 'all' || inferences === name) return;
  throw new UsageError(
    `The backend ${config.backend} has ${inferences} inference alone, but the inference of this run is ${name}: ` +
      `take the backend ${DEFAULT_BACKEND} (--backend ${DEFAULT_BACKEND}).`,
  );
}

/** @throws UsageError where the numbers of the run's transitions do not fit into the counter of its draws. */
function requireTransitions(config: RunConfig, dataset: RunData): void {
  const { transitions } = refinementOf(choiceOf(config, 'inference')) ?? { transitions: 0 };
  const steps = config.epochs * Math.ceil(dataset.train.count / config.batchSize);
  if (steps * transitions <= MOST_TRANSITIONS) return;
  throw new UsageError(
    `${config.epochs} epochs of this run are ${steps} steps, with ${transitions} transitions of HMC each: more than ` +
      `the ${MOST_TRANSITIONS} that have random numbers of their own. Ask for fewer epochs or transitions.`,
  );
}

function platformOf({ config, inference, revectorize = true, tile }: SessionOptions): Platform {
  const { arithmetic, backend } = config;
  const allowed = revectorize && BACKENDS[backend].allowsRevectorization();
  if (inference) return inferencePlatform(arithmetic, allowed);
  return choosePlatform({ arithmetic, revectorize: allowed, ...(tile ? { tile } : {}) });
}
