import { statSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { LatentModel } from '../inference/latentModel.js';
import { Place } from '../model/jsonReader.js';
import { type OptionTable, pathOf, readOptions, trueOrFalse } from '../model/optionReader.js';
import { AVERAGE } from '../optimizer/averaging.js';
import { type Checkpoint, loadCheckpoint, parameterHash } from '../runs/checkpoint.js';
import { modelOfConfig } from '../runs/configModel.js';
import { assertOwnCheckpoint, type RunConfig } from '../runs/runConfig.js';
import {
  type FoundCheckpoint,
  openRunDirectory,
  passedOver,
  type RunDirectory,
} from '../runs/runDirectory.js';
import { choiceOf } from '../runs/seams.js';

/** Which parameters of a checkpoint are read. */
export interface ReadOptions {
  /**
   * Whether the moving average of the parameters is, where the run has one; otherwise what the last update
   * left. Default true.
   */
  readonly ema?: boolean;
}

/** A trained model and where it comes from. */
export interface LoadedModel {
  readonly model: LatentModel;
  readonly config: RunConfig;
  /** Optimizer steps taken. */
  readonly step: number;
  /** SHA-256 of the model's flat parameters, hex. */
  readonly parametersSha256: string;
  /** The decay of the average that the model's parameters are; absent: they are those of the last update. */
  readonly emaDecay?: number;
  /** The checkpoint's file. */
  readonly path: string;
  /**
   * Sentences for the user: where newer checkpoints are damaged, or config.json is not the checkpoint's.
   * Usually none.
   */
  readonly warnings: readonly string[];
}

/** A checkpoint, where it is, and what the user should know about the choice of it. */
export interface ChosenCheckpoint {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  /** The decay of the average that its parameters are: see readCheckpoint. */
  readonly emaDecay?: number;
  readonly warnings: readonly string[];
}

export const READ_OPTIONS: OptionTable<ReadOptions> = { ema: trueOrFalse };

const PATH = "the path of a run's directory or of a checkpoint file";

export const checkpointPath = pathOf(PATH);

/** @throws UsageError where the call has no path. */
export function requirePath(path: string | undefined, call: string): string {
  if (path === undefined) throw new Place(call, 'path').error(`is missing, expected ${PATH}`);
  return path;
}

/**
 * The checkpoint at a path: a file, or a run's directory (the newest one that loads; a warning names newer
 * ones).
 * @throws UsageError where there is none, or it is damaged.
 */
export async function findCheckpoint(path: string): Promise<ChosenCheckpoint> {
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDirectory) return { path, checkpoint: loadCheckpoint(path), warnings: [] };
  const directory = await openRunDirectory(path);
  const found = await directory.latestCheckpoint();
  if (found === undefined) {
    throw new UsageError(
      `${path} has no checkpoint yet: a run writes one after each epoch, and when it is stopped.`,
    );
  }
  const warnings = [...passedOver(found), ...configWarning(directory, found)];
  return { path: found.path, checkpoint: found.checkpoint, warnings };
}

/**
 * The checkpoint at a path as a model that is trained: its parameters are the moving average, where the run
 * has one, unless the options say otherwise.
 * @throws UsageError as findCheckpoint does.
 */
export async function readCheckpoint(path: string, { ema = true }: ReadOptions): Promise<ChosenCheckpoint> {
  const found = await findCheckpoint(path);
  const { checkpoint } = found;
  const { emaDecay } = checkpoint.config;
  const parameters = checkpoint.optimizerState.get(AVERAGE);
  if (!ema || emaDecay === undefined || parameters === undefined) return found;
  return { ...found, checkpoint: { ...checkpoint, parameters }, emaDecay };
}

/** The decay of the average that was read, as a field that is absent where none was. */
export function averageOf({ emaDecay }: { readonly emaDecay?: number }): { readonly emaDecay?: number } {
  return emaDecay === undefined ? {} : { emaDecay };
}

/** A checkpoint brings its own config, so one of another run is no reason to refuse it here. */
function configWarning(directory: RunDirectory, { path, checkpoint }: FoundCheckpoint): string[] {
  try {
    assertOwnCheckpoint(directory.readConfig(), directory.configPath, checkpoint.config, path);
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [`${error.message} Here the checkpoint's own config counts.`];
  }
}

/**
 * Loads a trained model for inference.
 * @param path a run's directory, or a checkpoint file.
 * @throws UsageError where there is no checkpoint, or it is damaged, or an option is wrong.
 */
export async function loadModel(path: string, given: ReadOptions = {}): Promise<LoadedModel> {
  checkpointPath(path, new Place('loadModel()', 'path'));
  return loadedModel(await readCheckpoint(path, readOptions(given, READ_OPTIONS, 'loadModel()')));
}

export function loadedModel(chosen: ChosenCheckpoint): LoadedModel {
  const { path, checkpoint, warnings } = chosen;
  const { config, step, parameters } = checkpoint;
  const model = new LatentModel(modelOfConfig(config), parameters, {
    arithmetic: config.arithmetic,
    likelihood: choiceOf(config, 'likelihood'),
  });
  const parametersSha256 = parameterHash(parameters);
  return { model, config, step, parametersSha256, ...averageOf(chosen), path, warnings };
}
