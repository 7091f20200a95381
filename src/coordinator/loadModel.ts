import { statSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { LatentModel } from '../inference/latentModel.js';
import { resolveModel } from '../model/resolve.js';
import { choiceOf } from '../runs/seams.js';
import { type Checkpoint, loadCheckpoint, parameterHash } from './checkpoint.js';
import type { RunConfig } from './runConfig.js';
import { openRunDirectory } from './runDirectory.js';

/** A trained model and where it comes from. */
export interface LoadedModel {
  readonly model: LatentModel;
  readonly config: RunConfig;
  /** Optimiser steps taken. */
  readonly step: number;
  /** SHA-256 of the flat parameters, hex. */
  readonly parametersSha256: string;
  /** The checkpoint's file. */
  readonly path: string;
}

/**
 * The checkpoint at a path: a file, or a run's directory (its newest one).
 * @throws UsageError where there is none, or it is damaged.
 */
export async function findCheckpoint(path: string): Promise<{ path: string; checkpoint: Checkpoint }> {
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDirectory) return { path, checkpoint: loadCheckpoint(path) };
  const directory = await openRunDirectory(path);
  const found = await directory.latestCheckpoint();
  if (found === undefined) {
    throw new UsageError(
      `${path} has no checkpoint yet: a run writes one after each epoch, and when it is stopped.`,
    );
  }
  return found;
}

/**
 * Loads a trained model for inference.
 * @param path a run's directory, or a checkpoint file.
 * @throws UsageError where there is no checkpoint, or it is damaged.
 */
export async function loadModel(path: string): Promise<LoadedModel> {
  const { path: file, checkpoint } = await findCheckpoint(path);
  const { config, step, parameters } = checkpoint;
  const model = new LatentModel(resolveModel(config.model, { latent: config.latent }), parameters, {
    arithmetic: config.arithmetic,
    likelihood: choiceOf(config, 'likelihood'),
  });
  return { model, config, step, parametersSha256: parameterHash(parameters), path: file };
}
