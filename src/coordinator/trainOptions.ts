import { availableParallelism } from 'node:os';
import { MOST_RANKS } from '../collective/collective.js';
import { neighbours } from '../collective/mpi/launcher.js';
import { ALONE, type ProcessPlace, processRange } from '../collective/processPlace.js';
import { datasetFingerprint } from '../data/fingerprint.js';
import type { RunData } from '../data/source.js';
import { isStored } from '../data/storedImages.js';
import { UsageError } from '../errors.js';
import { canFuse, type Platform } from '../kernels/platform.js';
import { randomKey } from '../kernels/stream.js';
import { requireDecoderEnd } from '../model/likelihoods/decoderEnd.js';
import { likelihoodOf } from '../model/likelihoods/registry.js';
import { loadModelSpec } from '../model/load.js';
import type { MapShape } from '../model/model.js';
import type { OptionTable } from '../model/optionReader.js';
import { requireInput } from '../model/resolve.js';
import type { ModelSpec } from '../model/spec.js';
import { modelOfConfig } from '../runs/configModel.js';
import { HYPERPARAMETER_ROWS, type HyperparameterName } from '../runs/hyperparameters.js';
import { assertSameRun, type PartialRunConfig, parseRunConfig, type RunConfig } from '../runs/runConfig.js';
import { choiceOf, possibleKl, requestedSeams, SEAM_ROWS, type SeamConfig } from '../runs/seams.js';
import { scheduleOf } from '../schedule/registry.js';
import type { Settings } from '../worker/settings.js';
import type { RunOrigin } from './originOption.js';
import { TRAIN_FIELDS } from './runOptions.js';
import type { TrainOptions } from './trainOptionFields.js';

export type { TrainOptions } from './trainOptionFields.js';

/** A reader for each option. */
export const TRAIN_OPTIONS = Object.fromEntries(
  TRAIN_FIELDS.map(([name, { kind }]) => [name, kind.option]),
) as OptionTable<TrainOptions>;

/**
 * The config that the options ask for; what they leave open comes from `origin`, the model, or the defaults.
 */
export async function requestedConfig(
  options: TrainOptions,
  dataset: RunData,
  origin: RunOrigin | undefined,
): Promise<RunConfig> {
  const { height, width, channels } = dataset.train;
  const input: MapShape = [height, width, channels];
  const spec = await requestedSpec(options, input, origin);
  const seams = requestedSeams(options, origin?.config);
  const recommended: Fields = recommendations(spec, seams);
  const base: Fields = origin?.resumed === false ? possible(origin.config, seams) : (origin?.config ?? {});
  const settled: Fields = {
    ...seams,
    model: { ...spec, input },
    data: { source: dataset.name, fingerprint: datasetFingerprint(dataset) },
  };
  const fields = HYPERPARAMETER_ROWS.map(([name, { kind, initial, absent }]) => {
    if (isSettled(name)) return [name, settled[name]];
    const asked = name === 'epochs' ? requestedEpochs(options, seams) : (options as Fields)[name];
    const told = asked !== undefined && kind.toJson ? kind.toJson(asked) : asked;
    const value = told ?? base[name] ?? recommended[name] ?? initial;
    return [name, value === absent ? undefined : value];
  });
  const config = { formatVersion: 1, ...Object.fromEntries(fields) };
  const checked = parseRunConfig(config, 'The options of this run');
  if (origin?.resumed) assertSameRun(origin.config, checked, origin.source);
  requireDecoderEnd(modelOfConfig(checked), choiceOf(checked, 'likelihood'));
  return checked;
}

/**
 * The epochs that options ask for, or the stages.
 * @throws UsageError where stages are not epochs of this run.
 */
function requestedEpochs({ epochs, stages }: TrainOptions, seams: SeamConfig): number | undefined {
  if (stages === undefined) return epochs;
  if (epochs !== undefined) {
    throw new UsageError('Stages are a number of epochs: give either stages or epochs.');
  }
  const choice = choiceOf(seams, 'learningRateSchedule');
  const schedule = scheduleOf(choice);
  if (schedule.stages === undefined) {
    throw new UsageError(
      `The learning-rate schedule of this run, ${choice.name}, has no stages: ask for epochs, or for the ` +
        'learning-rate schedule stages.',
    );
  }
  if (stages > schedule.stages.most) {
    throw new UsageError(
      `The learning-rate schedule ${choice.name} has ${schedule.stages.most} stages, but ${stages} are asked for.`,
    );
  }
  return schedule.stages.epochs(stages);
}

type Fields = Readonly<Record<string, unknown>>;

/** Whether a field is made of more than its option. */
function isSettled(name: HyperparameterName): boolean {
  return name === 'model' || name === 'data' || Object.hasOwn(SEAM_ROWS, name);
}

/** What the model, the objective, the likelihood and the machine recommend. */
function recommendations({ latent, training }: ModelSpec, seams: SeamConfig): Partial<RunConfig> {
  const kl = possibleKl(seams)[0]!;
  const { binarize } = likelihoodOf(choiceOf(seams, 'likelihood'));
  const arithmetic = canFuse() ? 'fused' : 'portable';
  return { latent, kl, arithmetic, ...training, ...(binarize === undefined ? {} : { binarize }) };
}

/** A config without its estimate of the KL, where the objective that is asked for cannot have it. */
function possible(config: PartialRunConfig, seams: SeamConfig): PartialRunConfig {
  const { kl, ...rest } = config;
  return kl === undefined || possibleKl(seams).includes(kl) ? config : rest;
}

async function requestedSpec(
  { model, signal }: Pick<TrainOptions, 'model' | 'signal'>,
  input: MapShape,
  origin: RunOrigin | undefined,
): Promise<ModelSpec> {
  // Whether the data are the run's own is told by their fingerprint.
  if (model === undefined && origin?.resumed) return origin.config.model;
  const told = model ?? origin?.config.model;
  const spec = typeof told === 'object' ? told : await loadModelSpec(told ?? 'cvae', input, signal);
  requireInput(spec, input);
  return spec;
}

/** The part of the config that ranks need. */
export function settingsOf(
  config: RunConfig,
  dataset: RunData,
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
    estimator: choiceOf(config, 'estimator').name,
    inference: choiceOf(config, 'inference'),
    kl: config.kl,
    likelihood: choiceOf(config, 'likelihood'),
    beta: config.beta,
    betaSchedule: { name: 'warmup', values: { warmupEpochs: config.klWarmupEpochs } },
    learningRate: config.learningRate,
    learningRateSchedule: choiceOf(config, 'learningRateSchedule'),
    optimizer: choiceOf(config, 'optimizer'),
    clipNorm: config.clipNorm ?? 0,
    emaDecay: config.emaDecay ?? 0,
    trainCount,
    shardData: isStored(dataset.train),
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
 * Number of workers of a process: as asked, or one a core that is its own, at most one a shard.
 * @throws UsageError where more are asked for than a process has shards, or there are more processes than
 * shards.
 */
export function workerCount(asked: number | undefined, shards: number, place = ALONE): number {
  if (place.processes > 1) return workersOfProcess(asked, shards, place);
  if (asked === undefined) return Math.min(availableParallelism(), shards, MOST_RANKS);
  if (asked > shards || asked > MOST_RANKS) {
    throw new UsageError(
      `${asked} workers cannot share ${shards} shards: a shard belongs to one worker. Ask for at most ` +
        `${Math.min(shards, MOST_RANKS)} workers, or start the run with more shards (which changes its bits).`,
    );
  }
  return asked;
}

/** The cores of this machine, shared out among the processes that a launcher has started on it. */
export function ownCores(): number {
  return Math.max(1, Math.floor(availableParallelism() / neighbours(process.env)));
}

function workersOfProcess(asked: number | undefined, shards: number, place: ProcessPlace): number {
  const { processes } = place;
  if (processes > shards) {
    throw new UsageError(
      `${processes} processes cannot share ${shards} shards: a shard belongs to one process. Start at most ${shards} ` +
        'processes, or the run with more shards (which changes its bits).',
    );
  }
  const most = Math.ceil(shards / processes);
  if (asked !== undefined && asked > Math.min(most, MOST_RANKS)) {
    throw new UsageError(
      `${asked} workers a process are more than the ${most} shards that each of the ${processes} processes has at most. ` +
        `Ask for at most ${Math.min(most, MOST_RANKS)} workers.`,
    );
  }
  const { first, end } = processRange(shards, place);
  return Math.min(asked ?? ownCores(), end - first, MOST_RANKS);
}
