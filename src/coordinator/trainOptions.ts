import { availableParallelism } from 'node:os';
import type { AbortSignalLike } from '../abortSignal.js';
import { type BackendName, DEFAULT_BACKEND, type KlEstimate } from '../backends/backend.js';
import { MOST_RANKS } from '../collective/collective.js';
import { datasetFingerprint } from '../data/fingerprint.js';
import type { DataOption } from '../data/registry.js';
import type { Dataset } from '../data/source.js';
import { UsageError } from '../errors.js';
import type { Arithmetic } from '../kernels/kernels.js';
import { canFuse, type Platform } from '../kernels/platform.js';
import { randomKey } from '../kernels/stream.js';
import type { TileName } from '../kernels/tiles/tile.js';
import { requireDecoderEnd } from '../model/likelihoods/decoderEnd.js';
import { likelihoodOf } from '../model/likelihoods/registry.js';
import { loadModelSpec } from '../model/load.js';
import type { MapShape } from '../model/model.js';
import { requireInput, resolveModel } from '../model/resolve.js';
import type { Binarization, ModelSpec } from '../model/spec.js';
import { objectiveOf } from '../objective/registry.js';
import { assertSameRun, parseRunConfig, type RunConfig } from '../runs/runConfig.js';
import { choiceOf, requestedSeams, type SeamConfig, type SeamOptions } from '../runs/seams.js';
import type { Settings } from '../worker/settings.js';
import type { RunEvent } from './events.js';
import type { TrainHooks } from './sinks/callerHooks.js';

/**
 * What `train` takes: everything has a default, by the model where the model recommends one. Objective,
 * likelihood, optimizer and schedule with their hyper-parameters are SeamOptions.
 */
export interface TrainOptions extends SeamOptions {
  /** A preset (`cvae`, `mlp`, `iwae`), the path of a JSON file, or a spec; default `cvae`. */
  readonly model?: string | ModelSpec;
  /** Directory of IDX files, or images as arrays (docs/data.md); default: the full MNIST. */
  readonly data?: DataOption;
  /** The run's directory, new or empty; default `runs/<model>-<n>`. */
  readonly out?: string;
  /** The directory of an earlier run to go on with; what it was started with is kept. */
  readonly resume?: string;
  /** Worker threads, at most `shards`; default: all cores. Does not change a bit. */
  readonly workers?: number;
  /** Slices of a batch, which fix the order of summation; default 8. */
  readonly shards?: number;
  readonly batchSize?: number;
  readonly epochs?: number;
  /** Stop after this many steps of the whole run, mid-epoch if need be. */
  readonly maxSteps?: number;
  /** d. */
  readonly latent?: number;
  /**
   * K: draws of z an example; the ELBO averages them (less noise, the same bound), iwae weighs them. Default:
   * the model's, else 1.
   */
  readonly samples?: number;
  /** Default: the objective's, `analytic` for the ELBO. */
  readonly kl?: KlEstimate;
  /** Weight of the KL; default 1. */
  readonly beta?: number;
  /** Epochs over which the weight rises from 0; default 0. */
  readonly klWarmupEpochs?: number;
  readonly learningRate?: number;
  readonly binarize?: Binarization;
  /**
   * What computes the gradients: `simd`, our kernels (default), or TensorFlow.js on `wasm`, `native`
   * (tfjs-node) or `cpu`. A resumed run may change it; its bits then differ.
   */
  readonly backend?: BackendName;
  /**
   * `portable`: the same bits everywhere. `fused`: faster, the same bits on every machine that fuses
   * multiply-adds. Default: fused where this machine fuses.
   */
  readonly arithmetic?: Arithmetic;
  /**
   * Whether V8 may pair operations to 256 bits where that is known to work; default true. Does not change a
   * bit.
   */
  readonly revectorize?: boolean;
  /** The tile of the micro-kernels; default: the fastest one known here. It does not change a bit. */
  readonly tile?: TileName;
  /** Unsigned 64 bits; default 0. */
  readonly seed?: number | bigint;
  /** Pictures after each epoch; default true. */
  readonly pictures?: boolean;
  /**
   * Test images that the event `preview` has after each epoch; default: there is no such event. Does not
   * change a bit.
   */
  readonly preview?: number;
  /** How many checkpoints stay in the run's directory, the newest ones; default 3. */
  readonly keepCheckpoints?: number;
  /** Steps between lines of metrics.jsonl; default 100. */
  readonly logEvery?: number;
  /** Seconds that a worker may stay away from a barrier; default 60. */
  readonly barrierTimeout?: number;
  /** Aborting it stops the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignalLike;
  readonly onEvent?: (event: RunEvent) => void;
  /** Functions that are told of steps, epochs and checkpoints, and may stop the run (docs/library.md). */
  readonly hooks?: TrainHooks;
}

/**
 * The config that the options ask for; what they leave open comes from `saved`, the model, or the defaults.
 */
export async function requestedConfig(
  options: TrainOptions,
  dataset: Dataset,
  saved: RunConfig | undefined,
): Promise<RunConfig> {
  const { height, width, channels } = dataset.train;
  const input: MapShape = [height, width, channels];
  const spec = await requestedSpec(options, input, saved);
  const recommended = spec.training ?? {};
  const seams = requestedSeams(options, saved);
  const objective = objectiveOf(choiceOf(seams, 'objective').name);
  const likelihood = likelihoodOf(choiceOf(seams, 'likelihood'));
  type Derived = 'formatVersion' | 'model' | 'data' | 'arithmetic' | 'backend' | keyof SeamConfig;
  const base: Omit<RunConfig, Derived> = saved ?? {
    latent: spec.latent,
    binarize: likelihood.binarize ?? recommended.binarize ?? 'threshold',
    seed: '0',
    batchSize: recommended.batchSize ?? 32,
    shards: 8,
    samples: recommended.samples ?? 1,
    kl: objective.klEstimates[0],
    beta: 1,
    klWarmupEpochs: 0,
    learningRate: recommended.learningRate ?? 1e-3,
    epochs: recommended.epochs ?? 10,
  };
  const config: RunConfig = {
    formatVersion: 1,
    model: { ...spec, input },
    latent: options.latent ?? base.latent,
    data: { source: dataset.name, fingerprint: datasetFingerprint(dataset) },
    binarize: options.binarize ?? base.binarize,
    seed: options.seed === undefined ? base.seed : String(options.seed),
    batchSize: options.batchSize ?? base.batchSize,
    shards: options.shards ?? base.shards,
    samples: options.samples ?? base.samples,
    kl: options.kl ?? base.kl,
    beta: options.beta ?? base.beta,
    klWarmupEpochs: options.klWarmupEpochs ?? base.klWarmupEpochs,
    learningRate: options.learningRate ?? base.learningRate,
    ...seams,
    epochs: options.epochs ?? base.epochs,
    arithmetic: options.arithmetic ?? saved?.arithmetic ?? (canFuse() ? 'fused' : 'portable'),
    backend: options.backend ?? saved?.backend ?? DEFAULT_BACKEND,
  };
  const checked = parseRunConfig(config, 'The options of this run');
  if (saved !== undefined) assertSameRun(saved, checked, options.resume ?? 'The run');
  requireDecoderEnd(resolveModel(checked.model, { latent: checked.latent }), choiceOf(checked, 'likelihood'));
  return checked;
}

async function requestedSpec(
  { model, signal }: Pick<TrainOptions, 'model' | 'signal'>,
  input: MapShape,
  saved: RunConfig | undefined,
): Promise<ModelSpec> {
  // Whether the data are the run's own is told by their fingerprint.
  if (model === undefined && saved !== undefined) return saved.model;
  const spec = typeof model === 'object' ? model : await loadModelSpec(model ?? 'cvae', input, signal);
  requireInput(spec, input);
  return spec;
}

/** The part of the config that ranks need. */
export function settingsOf(
  config: RunConfig,
  dataset: Dataset,
  { arithmetic, tile, revectorized }: Platform,
): Settings {
  const trainCount = dataset.train.count;
  const stepsPerEpoch = Math.ceil(trainCount / config.batchSize);
  return {
    key: randomKey(BigInt(config.seed)),
    binarize: config.binarize,
    batchSize: config.batchSize,
    shards: config.shards,
    samples: config.samples,
    objective: choiceOf(config, 'objective').name,
    kl: config.kl,
    likelihood: choiceOf(config, 'likelihood'),
    beta: config.beta,
    betaSchedule: { name: 'warmup', values: { warmupEpochs: config.klWarmupEpochs } },
    learningRate: config.learningRate,
    learningRateSchedule: choiceOf(config, 'learningRateSchedule'),
    optimizer: choiceOf(config, 'optimizer'),
    trainCount,
    testCount: dataset.test.count,
    stepsPerEpoch,
    epochs: config.epochs,
    backend: config.backend,
    arithmetic,
    tile,
    revectorized,
  };
}

/**
 * Number of workers: as asked, or one a core, at most one a shard.
 * @throws UsageError where more are asked for than there are shards.
 */
export function workerCount(asked: number | undefined, shards: number): number {
  if (asked === undefined) return Math.min(availableParallelism(), shards, MOST_RANKS);
  if (asked > shards || asked > MOST_RANKS) {
    throw new UsageError(
      `${asked} workers cannot share ${shards} shards: a shard belongs to one worker. Ask for at most ` +
        `${Math.min(shards, MOST_RANKS)} workers, or start the run with more shards (which changes its bits).`,
    );
  }
  return asked;
}
