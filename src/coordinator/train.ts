import { BACKENDS } from '../backends/registry.js';
import { loadDataset } from '../data/registry.js';
import type { Dataset } from '../data/source.js';
import { UsageError } from '../errors.js';
import { choosePlatform, type Platform } from '../kernels/platform.js';
import { readOptions } from '../model/optionReader.js';
import { resolveModel } from '../model/resolve.js';
import { continuedConfig } from '../runs/backendHistory.js';
import { type Checkpoint, parameterHash } from '../runs/checkpoint.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import { assertOwnCheckpoint, type RunConfig } from '../runs/runConfig.js';
import {
  createNumberedRunDirectory,
  createRunDirectory,
  openRunDirectory,
  passedOver,
  type RunDirectory,
} from '../runs/runDirectory.js';
import type { Fault } from '../worker/fault.js';
import type { FinishReason, RunEvent } from './events.js';
import { requireOwnData, splitSentence } from './ownData.js';
import { canBeDrawn } from './pictures.js';
import { RunState } from './runState.js';
import { callerSinks } from './sinks/registry.js';
import { RunSinks } from './sinks/runSinks.js';
import { Trainer } from './trainer.js';
import { requestedConfig, settingsOf, type TrainOptions, workerCount } from './trainOptions.js';
import { TRAIN_OPTIONS } from './trainOptionTable.js';
import { WorkerPool } from './workerPool.js';

/** Where new runs go. */
const RUNS = 'runs';

export interface TrainResult {
  readonly directory: string;
  readonly config: RunConfig;
  readonly reason: FinishReason;
  /** Optimiser steps taken. */
  readonly step: number;
  /** SHA-256 of the flat parameters. */
  readonly parametersSha256: string;
  /** The flat parameters. */
  readonly parameters: Float32Array;
  /** Of the last epoch that was evaluated in this process, means in nats. */
  readonly test: MeanTerms | undefined;
}

/**
 * Trains a variational autoencoder by reparameterised ELBO gradients over worker threads, and writes the
 * run's directory (config, metrics, checkpoints, pictures). The parameters' bits depend on the config alone,
 * not on the number of workers.
 *
 * @throws UsageError for options, data or directories that do not fit.
 * @throws WorkerFailure naming rank and step when a worker throws, exits or stalls.
 * @throws NotFiniteError naming the step when the loss, a parameter or a test ELBO is NaN or infinite;
 * nothing of it is saved.
 * @throws Error when `onEvent` or a hook throws, with that as its cause, after the ranks have stopped and a
 * checkpoint is written.
 */
export function train(options: TrainOptions = {}): Promise<TrainResult> {
  return trainWithFault(options, undefined);
}

/**
 * The same with something that goes wrong on purpose in a rank: for tests of the error paths, no part of the
 * library.
 */
export async function trainWithFault(given: TrainOptions, fault: Fault | undefined): Promise<TrainResult> {
  const options = readOptions(given, TRAIN_OPTIONS, 'train()');
  const sinks = new RunSinks(callerSinks(options));
  const { tell } = sinks;
  if (options.resume !== undefined && options.out !== undefined) {
    throw new UsageError(
      'A resumed run stays in its directory: give either a directory to resume or one for a new run.',
    );
  }
  const directory = options.resume === undefined ? undefined : await openRunDirectory(options.resume);
  const saved = directory?.readConfig();
  if (saved) requireOwnData(saved, options.resume!, options.data);
  const dataset = loadDataset(options.data);
  const requested = await requestedConfig(options, dataset, saved);
  const workers = workerCount(options.workers, requested.shards);
  const backend = BACKENDS[requested.backend];
  backend.prepare();
  const platform = choosePlatform({
    arithmetic: requested.arithmetic,
    revectorize: (options.revectorize ?? true) && backend.allowsRevectorization(),
    ...(options.tile ? { tile: options.tile } : {}),
  });
  if (dataset.testSplitOff) tell({ kind: 'note', message: splitSentence(dataset) });
  for (const message of platform.warnings) tell({ kind: 'warning', message });
  const found = await latestCheckpoint(directory, saved, tell);
  const pictures = options.pictures !== false && picturesPossible(dataset, tell);
  const state = createState(requested, dataset, platform, workers);
  // What computed the steps so far is known to the checkpoint; config.json may be of a resumption that made
  // none.
  const config = saved ? continuedConfig(requested, found?.config ?? saved, found?.step ?? 0) : requested;
  if (config.earlierBackends) tell({ kind: 'warning', message: backendsSentence(config) });
  if (found) state.restore(found);
  else state.initialize(dataset);
  const place = directory ?? (await createDirectory(options.out, config));
  if (directory) await prepareResume(directory, config, saved, found?.step ?? 0);
  const pool = new WorkerPool({
    state,
    workers,
    barrierTimeLimit: (options.barrierTimeout ?? 60) * 1000,
    ...(fault ? { fault } : {}),
  });
  try {
    const trainer = new Trainer({
      ...{ config, dataset, state, pool, directory: place, sinks, workers },
      options: { ...options, pictures },
    });
    const { reason, step, test } = await trainer.run(found?.step ?? 0, found?.epochSums);
    await sinks.settled();
    const parameters = Float32Array.from(state.parameters);
    return {
      directory: place.path,
      config,
      reason,
      step,
      parametersSha256: parameterHash(parameters),
      parameters,
      test,
    };
  } finally {
    await pool.close();
  }
}

function createState(config: RunConfig, dataset: Dataset, platform: Platform, workers: number): RunState {
  const model = resolveModel(config.model, { latent: config.latent });
  return new RunState(model, settingsOf(config, dataset, platform), platform, dataset, workers);
}

/** Images of two channels, or of four, train like others but have no picture. */
function picturesPossible({ train: { channels } }: Dataset, tell: (event: RunEvent) => void): boolean {
  if (canBeDrawn(channels)) return true;
  const message =
    `The images have ${channels} channels. Pictures are drawn of 1 (grey) or 3 (red, green, blue), so this run ` +
    'draws none.';
  tell({ kind: 'warning', message });
  return false;
}

/**
 * Of the run that is resumed. @throws UsageError where it is one of another run, or config.json was changed
 * since.
 */
async function latestCheckpoint(
  directory: RunDirectory | undefined,
  saved: RunConfig | undefined,
  tell: (event: RunEvent) => void,
): Promise<Checkpoint | undefined> {
  const found = await directory?.latestCheckpoint();
  if (directory === undefined || saved === undefined || found === undefined) return undefined;
  for (const message of passedOver(found)) tell({ kind: 'warning', message });
  assertOwnCheckpoint(saved, directory.configPath, found.checkpoint.config, found.path);
  return found.checkpoint;
}

async function createDirectory(out: string | undefined, config: RunConfig): Promise<RunDirectory> {
  return out === undefined ? createNumberedRunDirectory(RUNS, config) : createRunDirectory(out, config);
}

/** Leaves in the directory only what was true at `step`, and the config with the epochs asked for now. */
async function prepareResume(
  directory: RunDirectory,
  config: RunConfig,
  saved: RunConfig | undefined,
  step: number,
): Promise<void> {
  await directory.makeSubdirectories();
  await directory.removeTemporaryFiles();
  await directory.truncateMetricsAfter(step);
  const changed = saved?.epochs !== config.epochs || saved.backend !== config.backend;
  if (changed || saved.earlierBackends?.length !== config.earlierBackends?.length) {
    await directory.writeConfig(config);
  }
}

/** A run that has had several backends. */
function backendsSentence({ backend, earlierBackends = [] }: RunConfig): string {
  const earlier = earlierBackends.map((entry) => `${entry.backend} up to step ${entry.untilStep}`);
  return (
    `The backend of this run was ${earlier.join(', then ')}, and is ${backend} now: its bits differ from those of a run ` +
    'with one backend; its ELBO agrees but for rounding.'
  );
}
