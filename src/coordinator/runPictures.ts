// The pictures that a run writes while it trains.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunData } from '../data/source.js';
import { LatentModel } from '../inference/latentModel.js';
import { writeFileAtomic } from '../runs/atomicFile.js';
import type { RunConfig } from '../runs/runConfig.js';
import type { RunDirectory } from '../runs/runDirectory.js';
import {
  curvesPicture,
  latentPicture,
  manifoldPicture,
  reconstructionPicture,
  samplePicture,
} from './pictures.js';
import type { PictureSource } from './pictureText.js';
import type { RunState } from './runState.js';

/** A new run draws its first picture after so many steps, if its first epoch is longer. */
export const FIRST_PICTURE_STEP = 100;

const firstPictureName = `samples-step-${String(FIRST_PICTURE_STEP).padStart(9, '0')}`;

const SAMPLES = 100;
const RECONSTRUCTIONS = 20;
const MANIFOLD_SIDE = 20;

export interface RunPictures {
  readonly state: RunState;
  readonly dataset: RunData;
  readonly config: RunConfig;
  readonly directory: RunDirectory;
  readonly step: number;
}

/**
 * Samples in the middle of the first epoch. Reads the parameters: no step may be under way. Returns the file.
 */
export async function writeFirstPicture({ state, config, directory, step }: RunPictures): Promise<string> {
  const source: PictureSource = { config, step, emaDecay: config.emaDecay };
  const png = await samplePicture(modelOf(state), source, { count: SAMPLES });
  return write(directory, firstPictureName, png);
}

/** Where the first picture of a run is, once it is drawn. */
export function firstPicturePath(directory: RunDirectory): string {
  return picturePath(directory, firstPictureName);
}

/**
 * What the model makes after an epoch: samples, reconstructions and the manifold of a plane, each in a file
 * of the epoch; the curves so far, and the posterior means of test images, which replace those of the epoch
 * before. Returns the files.
 */
export async function writeEpochPictures(
  options: RunPictures & { readonly epoch: number },
): Promise<string[]> {
  const { state, directory, epoch, config, step, dataset } = options;
  const { test } = dataset;
  const model = modelOf(state);
  const source: PictureSource = { config, step, epoch, emaDecay: config.emaDecay };
  const suffix = epochSuffix(epoch);
  const pictures: [string, Uint8Array | undefined][] = [
    [`samples-${suffix}`, await samplePicture(model, source, { count: SAMPLES })],
    [`reconstructions-${suffix}`, await reconstructionPicture(model, source, test, RECONSTRUCTIONS)],
  ];
  if (state.model.latent === 2) {
    pictures.push([`manifold-${suffix}`, await manifoldPicture(model, source, MANIFOLD_SIDE)]);
  }
  pictures.push(['curves', await curvesPicture(directory.epochTerms(), source)]);
  pictures.push(['latent', await latentPicture(model, source, test)]);
  // The first one comes last: once it is there, so are the others, and those that replace earlier ones.
  const drawn = pictures.filter((picture): picture is [string, Uint8Array] => picture[1] !== undefined);
  for (const [name, png] of [...drawn].reverse()) await write(directory, name, png);
  return drawn.map(([name]) => picturePath(directory, name));
}

/** Whether all pictures of an epoch are there, which a kill may have come before. */
export function hasEpochPictures(directory: RunDirectory, epoch: number): boolean {
  return existsSync(picturePath(directory, `samples-${epochSuffix(epoch)}`));
}

function epochSuffix(epoch: number): string {
  return `epoch-${String(epoch).padStart(4, '0')}`;
}

/** With a copy of the parameters, or of their average, as they are now. */
function modelOf({ model, modelParameters, platform, settings }: RunState): LatentModel {
  return new LatentModel(model, modelParameters, { platform, likelihood: settings.likelihood });
}

async function write(directory: RunDirectory, name: string, png: Uint8Array): Promise<string> {
  const path = picturePath(directory, name);
  await writeFileAtomic(path, png);
  return path;
}

function picturePath(directory: RunDirectory, name: string): string {
  return join(directory.picturesPath, `${name}.png`);
}
