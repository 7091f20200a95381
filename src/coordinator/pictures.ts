import { join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { LatentModel } from '../inference/latentModel.js';
import { manifold } from '../inference/traversal.js';
import { manifoldGrid, reconstructionGrid, sampleGrid } from '../report/picture.js';
import { writeFileAtomic } from './atomicFile.js';
import { testExamples } from './examples.js';
import type { RunConfig } from './runConfig.js';
import type { RunDirectory } from './runDirectory.js';
import type { RunState } from './runState.js';

const SAMPLES = 100;
const RECONSTRUCTIONS = 20;
const MANIFOLD_SIDE = 20;

export interface EpochPictures {
  readonly state: RunState;
  readonly dataset: Dataset;
  readonly config: RunConfig;
  readonly directory: RunDirectory;
  readonly epoch: number;
}

/** What the model makes after an epoch: samples, reconstructions, and the manifold of a plane. Returns the files. */
export async function writeEpochPictures(options: EpochPictures): Promise<string[]> {
  const { state, directory, epoch } = options;
  const model = new LatentModel(state.model, state.parameters, {
    platform: state.platform,
    likelihood: state.settings.likelihood,
  });
  const pictures: [string, Uint8Array][] = [
    ['samples', await samplePicture(model, { count: SAMPLES, title: `Samples after epoch ${epoch}` })],
    ['reconstructions', await reconstructions(model, options)],
  ];
  if (state.model.latent === 2) {
    const title = `Manifold after epoch ${epoch}`;
    pictures.push(['manifold', await manifoldPicture(model, { side: MANIFOLD_SIDE, title })]);
  }
  const paths: string[] = [];
  for (const [name, png] of pictures) {
    const path = join(directory.picturesPath, `${name}-epoch-${String(epoch).padStart(4, '0')}.png`);
    await writeFileAtomic(path, png);
    paths.push(path);
  }
  return paths;
}

function reconstructions(model: LatentModel, { config, dataset, epoch }: EpochPictures): Promise<Uint8Array> {
  const indices = Array.from({ length: Math.min(RECONSTRUCTIONS, dataset.test.count) }, (_, i) => i);
  const x = testExamples(config, dataset.test, indices);
  return reconstructionPicture(model, x, { title: `Reconstructions of test examples after epoch ${epoch}` });
}

/** A grid of means of p(x|z), z from the prior; a PNG. */
export function samplePicture(
  model: LatentModel,
  options: {
    readonly count: number;
    readonly seed?: number | bigint;
    readonly draw?: boolean;
    readonly title: string;
  },
): Promise<Uint8Array> {
  return sampleGrid(model.sample(options), { ...imageShape(model), title: options.title });
}

/** Examples above their reconstructions, with each one's ELBO; a PNG. */
export function reconstructionPicture(
  model: LatentModel,
  x: Float32Array,
  options: { readonly title: string },
): Promise<Uint8Array> {
  const { elbo } = model.elbo(x);
  return reconstructionGrid(x, model.reconstruct(x), {
    ...imageShape(model),
    title: options.title,
    captions: Array.from(elbo, (nats) => nats.toFixed(0)),
    captionLabel: 'ELBO (nats)',
  });
}

/** The decoded plane, side × side; a PNG. */
export function manifoldPicture(
  model: LatentModel,
  options: { readonly side: number; readonly title: string },
): Promise<Uint8Array> {
  const { axis, means } = manifold(model, options.side);
  return manifoldGrid(means, { ...imageShape(model), zAt: axis, title: options.title });
}

function imageShape({ model }: LatentModel): { height: number; width: number; channels: number } {
  const [height, width, channels] = model.input;
  return { height, width, channels };
}
