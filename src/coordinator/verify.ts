import { existsSync } from 'node:fs';
import type { BackendName } from '../backends/backend.js';
import { BACKENDS } from '../backends/registry.js';
import { datasetFingerprint } from '../data/fingerprint.js';
import { type DataOption, loadDataset } from '../data/registry.js';
import type { Dataset } from '../data/source.js';
import { UsageError } from '../errors.js';
import type { TileName } from '../kernels/tiles/tile.js';
import { Place, positiveInteger, type Reader } from '../model/jsonReader.js';
import { functionOf, type OptionTable, pathOf, readOptions, trueOrFalse } from '../model/optionReader.js';
import { backendsBetween } from '../runs/backendHistory.js';
import { type Checkpoint, parameterHash } from '../runs/checkpoint.js';
import { modelOfConfig } from '../runs/configModel.js';
import { HYPERPARAMETERS } from '../runs/hyperparameters.js';
import { assertOwnCheckpoint, type RunConfig } from '../runs/runConfig.js';
import { type Metrics, openRunDirectory, type RunDirectory } from '../runs/runDirectory.js';
import { stateDifferences, type TensorDifference } from '../runs/stateDifference.js';
import { compareMetrics, type MetricsComparison } from './metricsComparison.js';
import { requireOwnData } from './ownData.js';
import { type Replayed, type RunMoment, replay } from './replay.js';
import { RUN_OPTIONS } from './runOptions.js';
import { workerCount } from './trainOptions.js';

export interface VerifyOptions {
  /** A run's directory. Nothing is written there. */
  readonly path: string;
  /** Directory of IDX files, or images as arrays; default: the full MNIST. They must be the run's. */
  readonly data?: DataOption;
  /** The step to begin at: 0 (the initial parameters) or that of a checkpoint. */
  readonly from?: number;
  /** The step to end at: that of a checkpoint. */
  readonly to?: number;
  /** From the initial parameters to the newest checkpoint. Default: from the one before the newest. */
  readonly all?: boolean;
  /** Threads, at most one a shard; default: all cores. Their number changes no bit. */
  readonly workers?: number;
  /** Default true. */
  readonly revectorize?: boolean;
  /** Default: the fastest one known here. */
  readonly tile?: TileName;
  /** Called now and then with the number of steps replayed and in all. */
  readonly onProgress?: (done: number, count: number) => void;
}

/** The steps between two neighbouring checkpoints, replayed from the first and compared at the second. */
export interface VerifiedInterval {
  /** Steps taken before and after it. */
  readonly from: number;
  readonly to: number;
  /** The checkpoint that was compared. */
  readonly checkpoint: string;
  /** What computed the steps, in order. */
  readonly backends: readonly BackendName[];
  /** Why it was not replayed; then nothing below is there. */
  readonly notReplayed?: string;
  readonly parametersSha256?: { readonly stored: string; readonly replayed: string };
  /** The tensors that differ: none where the bits agree. */
  readonly tensors?: readonly TensorDifference[];
  /** The running sums of the epoch, to the last bit. */
  readonly epochSums?: {
    readonly agree: boolean;
    readonly stored: Readonly<Record<string, number>>;
    readonly replayed: Readonly<Record<string, number>>;
  };
  readonly metrics?: MetricsComparison;
  /**
   * Where this interval and the one before it differ: whether this one agrees if the replay goes on with its
   * own state. Then only the checkpoint between them is wrong.
   */
  readonly agreesFromReplay?: boolean;
}

/** What a replay of a run has shown. */
export interface Verification {
  readonly directory: string;
  /** Whether all bits agree: of parameters, optimizer's state, epoch sums and metrics of all intervals. */
  readonly agrees: boolean;
  readonly intervals: readonly VerifiedInterval[];
  /** Checkpoints that cannot be used, and why, in sentences. */
  readonly unusable: readonly { readonly path: string; readonly reason: string }[];
  readonly config: RunConfig;
  readonly workers: number;
  /** Absent where nothing was replayed. */
  readonly tile?: TileName;
  readonly revectorized?: boolean;
}

const PATH = "the path of a run's directory";

const stepNumber: Reader<number> = (value, place) => {
  if (!Number.isSafeInteger(value) || Number(value) < 0)
    throw place.expected(value, 'a whole number from 0 up');
  return Number(value);
};

const VERIFY_OPTIONS: OptionTable<VerifyOptions> = {
  path: pathOf(PATH),
  data: HYPERPARAMETERS.data.kind.option,
  from: stepNumber,
  to: stepNumber,
  all: trueOrFalse,
  workers: positiveInteger,
  revectorize: trueOrFalse,
  tile: RUN_OPTIONS.tile.kind.option,
  onProgress: functionOf(),
};

/**
 * Replays steps of a run from its checkpoints on this machine, and compares the bits at the checkpoints that
 * follow. Writes nothing.
 *
 * @throws UsageError where the options do not fit, the data are not the run's, the run has no checkpoint to
 * compare, or its arithmetic is not possible here.
 * @throws NotFiniteError where a replayed step is NaN or infinite.
 */
export async function verify(given: VerifyOptions): Promise<Verification> {
  const options = readOptions(given, VERIFY_OPTIONS, 'verify()');
  if (options.path === undefined) throw new Place('verify()', 'path').error(`is missing, expected ${PATH}`);
  const directory = await openRunDirectory(options.path);
  const config = directory.readConfig();
  const workers = workerCount(options.workers, config.shards);
  const plan = await planIntervals(directory, config, options);
  const dataset = openOwnData(config, directory, options.data);
  return await new Verifier({ directory, config, dataset, workers, plan, options }).run();
}

/** The data of the run: known by their fingerprint. */
function openOwnData(config: RunConfig, { path }: RunDirectory, data: DataOption | undefined): Dataset {
  requireOwnData(config, path, data);
  const dataset = loadDataset(data);
  const fingerprint = datasetFingerprint(dataset);
  if (fingerprint === config.data.fingerprint) return dataset;
  throw new UsageError(
    `${path} was trained on images of the fingerprint ${config.data.fingerprint}, but those of ${dataset.name} have ` +
      `${fingerprint}. A replay needs the run's own training images: name them as data (--data).`,
  );
}

/** The checkpoints to visit, and those that cannot be used. */
interface Plan {
  /** Steps of checkpoints that load, ascending. */
  readonly steps: readonly number[];
  readonly fromInitial: boolean;
  readonly unusable: Verification['unusable'];
}

async function planIntervals(
  directory: RunDirectory,
  config: RunConfig,
  { from, to, all }: VerifyOptions,
): Promise<Plan> {
  if (all && (from !== undefined || to !== undefined)) {
    throw new UsageError(
      'All steps begin at 0 and end at the newest checkpoint: give either all, or from and to.',
    );
  }
  const newestFirst = await directory.checkpointSteps();
  if (newestFirst.length === 0) {
    throw new UsageError(
      `${directory.path} has no checkpoint yet: a run writes one after each epoch, and when it is stopped.`,
    );
  }
  requireCheckpoint(directory, newestFirst, 'from', from, [0]);
  requireCheckpoint(directory, newestFirst, 'to', to, []);
  if (from !== undefined && to !== undefined && from >= to && !(from === 0 && to === 0)) {
    throw new UsageError(
      `The steps from ${from} to ${to} are none: the step to begin at must be the smaller one.`,
    );
  }
  const lastInterval = all !== true && from === undefined;
  const unusable: { path: string; reason: string }[] = [];
  const steps: number[] = [];
  for (const step of newestFirst) {
    if (step > (to ?? step) || step < (from ?? 0)) continue;
    if (lastInterval && steps.length === 2) break;
    const reason = whyUnusable(directory, config, step);
    if (reason === undefined) steps.unshift(step);
    else if (existsSync(directory.checkpointPath(step))) {
      unusable.push({ path: directory.checkpointPath(step), reason });
    }
  }
  if (steps.length === 0 && unusable.length === 0) {
    throw new UsageError(`${directory.path}: its checkpoints were removed while they were read. Try again.`);
  }
  return { steps, unusable, fromInitial: from === 0 || all === true || steps.length < 2 };
}

/** @throws UsageError that names the steps which can be compared. */
function requireCheckpoint(
  { path }: RunDirectory,
  newestFirst: readonly number[],
  name: string,
  step: number | undefined,
  others: readonly number[],
): void {
  if (step === undefined || newestFirst.includes(step) || others.includes(step)) return;
  const steps = [...new Set([...others, ...newestFirst.toReversed()])];
  throw new UsageError(
    `${path} has no checkpoint of step ${step}, and only checkpoints can be compared: ${name} (--${name}) may be ` +
      `${steps.join(', ')}.`,
  );
}

function whyUnusable(directory: RunDirectory, config: RunConfig, step: number): string | undefined {
  try {
    loadOwn(directory, config, step);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

function loadOwn(directory: RunDirectory, config: RunConfig, step: number): Checkpoint {
  const checkpoint = directory.loadCheckpoint(step);
  assertOwnCheckpoint(config, directory.configPath, checkpoint.config, directory.checkpointPath(step));
  return checkpoint;
}

interface VerifierParts {
  readonly directory: RunDirectory;
  readonly config: RunConfig;
  readonly dataset: Dataset;
  readonly workers: number;
  readonly plan: Plan;
  readonly options: VerifyOptions;
}

class Verifier {
  readonly #parts: VerifierParts;
  readonly #metrics: readonly Metrics[];
  /** Steps of the intervals that are done, and of all. */
  #done = 0;
  readonly #count: number;
  #last: Replayed | undefined;

  constructor(parts: VerifierParts) {
    this.#parts = parts;
    const { steps, fromInitial } = parts.plan;
    this.#metrics = parts.directory.metrics();
    this.#count = (steps.at(-1) ?? 0) - (fromInitial ? 0 : (steps[0] ?? 0));
  }

  async run(): Promise<Verification> {
    const { directory, config, workers, plan } = this.#parts;
    const intervals: VerifiedInterval[] = [];
    let from: RunMoment = { step: 0 };
    /** The replay's own state, where it is not that of the checkpoint. */
    let strayed: RunMoment | undefined;
    for (const [place, step] of plan.steps.entries()) {
      const checkpoint = loadOwn(directory, config, step);
      if (place > 0 || plan.fromInitial) {
        const { interval, end } = await this.#interval(from, strayed, checkpoint);
        intervals.push(interval);
        strayed = interval.tensors?.length ? end : undefined;
        this.#done += step - from.step;
      }
      const { epochSums, parameters, optimizerState } = checkpoint;
      from = { step, epochSums, state: { parameters, optimizerState } };
    }
    return {
      directory: directory.path,
      agrees: plan.unusable.length === 0 && intervals.every(agrees),
      intervals,
      unusable: plan.unusable,
      config,
      workers,
      ...(this.#last ? { tile: this.#last.tile, revectorized: this.#last.revectorized } : {}),
    };
  }

  async #interval(
    from: RunMoment,
    strayed: RunMoment | undefined,
    checkpoint: Checkpoint,
  ): Promise<{ readonly interval: VerifiedInterval; readonly end: RunMoment | undefined }> {
    const { directory } = this.#parts;
    const { step: to, config } = checkpoint;
    const segments = backendsBetween(config, from.step, to);
    const backends = segments.map(({ backend }) => backend);
    const known = { from: from.step, to, checkpoint: directory.checkpointPath(to), backends };
    const notReplayed = missingBackend(backends);
    if (notReplayed !== undefined) return { interval: { ...known, notReplayed }, end: undefined };
    const { end, metrics } = await this.#replay(from, config, segments);
    const interval = { ...known, ...this.#compare(checkpoint, end, metrics) };
    if (strayed === undefined || interval.tensors.length === 0) return { interval, end };
    // The checkpoint before this one differs: either it alone is wrong, or the run went on with it.
    const again = await this.#replay(strayed, config, segments);
    const agreesFromReplay = this.#compare(checkpoint, again.end, []).tensors.length === 0;
    return { interval: { ...interval, agreesFromReplay }, end };
  }

  async #replay(
    from: RunMoment,
    config: RunConfig,
    segments: readonly { readonly backend: BackendName; readonly untilStep: number }[],
  ): Promise<{ readonly end: Required<RunMoment>; readonly metrics: readonly Metrics[] }> {
    const { dataset, workers, options } = this.#parts;
    const { revectorize, tile } = options;
    const epochEnds = new Set(this.#metrics.filter(({ kind }) => kind === 'epoch').map(({ step }) => step));
    const metrics: Metrics[] = [];
    let now = from;
    for (const { backend, untilStep } of segments) {
      const replayed: Replayed = await replay({
        ...{ config: { ...config, backend }, dataset, workers, revectorize, tile },
        from: now,
        toStep: untilStep,
        evaluates: (step) => epochEnds.has(step),
        onStep: (step) => this.#tell(step - from.step),
      });
      metrics.push(...replayed.metrics);
      this.#last = replayed;
      now = replayed;
    }
    return { end: now as Required<RunMoment>, metrics };
  }

  #tell(done: number): void {
    this.#parts.options.onProgress?.(Math.min(this.#done + done, this.#count), this.#count);
  }

  #compare(checkpoint: Checkpoint, end: Required<RunMoment>, replayedMetrics: readonly Metrics[]) {
    const { config, parameters, epochSums, step } = checkpoint;
    const { parameters: layout } = modelOfConfig(config);
    const begun = replayedMetrics[0]?.step ?? Number.POSITIVE_INFINITY;
    const lines = this.#metrics.filter((line) => line.step >= begun && line.step <= step);
    return {
      parametersSha256: {
        stored: parameterHash(parameters),
        replayed: parameterHash(end.state.parameters),
      },
      tensors: stateDifferences(checkpoint, end.state, layout),
      epochSums: { agree: sameSums(epochSums, end.epochSums), stored: epochSums, replayed: end.epochSums },
      metrics: compareMetrics(lines, replayedMetrics),
    };
  }
}

/** In words; undefined where all are installed. */
function missingBackend(backends: readonly BackendName[]): string | undefined {
  for (const backend of backends) {
    try {
      BACKENDS[backend].prepare();
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
  }
  return undefined;
}

function sameSums(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => Object.is(a[name], b[name]));
}

/** Whether all of an interval was replayed and is the same. */
export function agrees({ tensors, epochSums, metrics }: VerifiedInterval): boolean {
  return tensors?.length === 0 && epochSums?.agree === true && metrics?.differing === 0;
}
