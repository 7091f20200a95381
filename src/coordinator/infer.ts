import type { AbortSignalLike } from '../abortSignal.js';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import type { DataOption } from '../data/registry.js';
import type { ImageSet } from '../data/source.js';
import { UsageError } from '../errors.js';
import { requireResultSize } from '../inference/arguments.js';
import type { Figures } from '../inference/estimates/estimate.js';
import {
  type MarkovDiagnostics,
  POSTERIOR_DEFAULTS,
  type PosteriorDraws,
} from '../inference/inferPosterior.js';
import type { PosteriorMethod, PosteriorOptions } from '../inference/options.js';
import { posteriorGrid, squareAround, squareWithPosterior } from '../inference/posteriorGrid.js';
import type { PosteriorRow } from '../inference/posteriorRow.js';
import { Place } from '../model/jsonReader.js';
import { type PosteriorPanel, posteriorPanels } from '../report/picture.js';
import type { RunConfig } from '../runs/runConfig.js';
import { openTogether } from './checkpointTogether.js';
import { estimateTogether } from './estimatesTogether.js';
import { testExamples } from './examples.js';
import { averageOf, type ChosenCheckpoint, type LoadedModel, type ReadOptions } from './loadModel.js';
import { type PictureSource, pictureText } from './pictureText.js';
import type { ProcessOptions } from './processOptions.js';
import { together } from './together.js';

/** What is inferred of one test image. */
export interface ImageInference {
  /** Its place in the test set. */
  readonly image: number;
  readonly class?: number;
  /** The encoder's q(z|x). */
  readonly q: PosteriorRow;
  readonly draws: PosteriorDraws;
  /** [dimensions], as the model saw it. */
  readonly x: Float32Array;
}

export interface InferOptions extends Omit<PosteriorOptions, 'positions'>, ReadOptions, ProcessOptions {
  /** A run's directory or a checkpoint file. */
  readonly path: string;
  /** Default: the full MNIST. Images of its test set are used. */
  readonly data?: DataOption;
  /** Places in the test set. */
  readonly images: readonly number[];
  /** Whether they have to fit into a picture. */
  readonly pictured?: boolean;
  /** Threads of each process. */
  readonly workers?: number;
  /** After an abort the first images that are done are given. */
  readonly signal?: AbortSignalLike;
}

export interface InferredImages extends ChosenCheckpoint {
  readonly images: readonly ImageInference[];
}

/** Most examples whose chains run side by side: memory and speed follow it, no bit does. */
const CHUNK = 8;

/**
 * Draws from the posterior of test images, binarised as the run's evaluation sees them, over worker threads,
 * and over the processes that a launcher has started. What an image gets depends on (seed, its place in the
 * test set) alone.
 * @throws UsageError where checkpoint, data and options do not fit together, for an image outside the test
 * set, and for too many draws.
 * @throws NotFiniteError where q(z|x), or log p(x|z) at a chain's start, is not finite.
 */
export async function inferImages(options: InferOptions): Promise<InferredImages> {
  return await together(options, (group) => inferIn(group, options));
}

async function inferIn(group: ProcessGroup | undefined, options: InferOptions): Promise<InferredImages> {
  const opened = await openTogether(group, options, 'inferImages()', ({ checkpoint, dataset }) => {
    return planInference(options, checkpoint.config, dataset.test);
  });
  const { path, checkpoint, warnings, dataset, plan } = opened;
  const { workers, onProgress, signal } = options;
  const { figures, count } = await estimateTogether(group, checkpoint, plan, { workers, onProgress, signal });
  const { chains, dimensions, x, positions } = plan;
  const { labels } = dataset.test;
  const images = positions.slice(0, count).map((image, i) => ({
    image,
    ...(labels ? { class: labels[image]! } : {}),
    ...imageFigures(figures, i, count, chains),
    x: x.slice(i * dimensions, (i + 1) * dimensions),
  }));
  return { path, checkpoint, ...averageOf(opened), warnings, images };
}

function planInference(options: InferOptions, config: RunConfig, test: ImageSet) {
  const { images: positions, pictured = false } = options;
  const seed = BigInt(options.seed ?? config.seed);
  const { method, chains, warmup, draws, leapfrogSteps } = { ...POSTERIOR_DEFAULTS, ...options };
  const { model, latent, binarize } = config;
  if (pictured) requirePlane({ name: model.name, latent }, positions.length);
  requireResultSize(positions.length * chains * draws, latent, new Place('infer', 'draws'));
  const x = testExamples({ binarize, seed: String(seed) }, test, positions);
  const wanted = { posterior: { method, chains, warmup, draws, leapfrogSteps } };
  const dimensions = x.length / positions.length;
  return { positions, x, wanted, seed, most: CHUNK, chains, dimensions };
}

/** The figures of image i as the library gives them. */
function imageFigures(
  figures: Figures,
  i: number,
  count: number,
  chains: number,
): Pick<ImageInference, 'q' | 'draws'> {
  const own = (name: string) => {
    const values = figures[`posterior.${name}`]!;
    const width = values.length / count;
    return values.slice(i * width, (i + 1) * width);
  };
  const moments = { z: Float32Array.from(own('z')), chains, mean: own('mean'), deviation: own('deviation') };
  const q = { mu: Float32Array.from(own('mu')), logvar: Float32Array.from(own('logvar')) };
  if (figures['posterior.acceptance'] === undefined) return { q, draws: moments };
  const [rHat, bulkEss, tailEss, meanError] = ['rHat', 'bulkEss', 'tailEss', 'meanError'].map(own);
  const markov: MarkovDiagnostics = {
    acceptance: own('acceptance')[0]!,
    stepSize: own('stepSize')[0]!,
    dimensions: Array.from(rHat!, (value, j) => ({
      rHat: value,
      bulkEss: bulkEss![j]!,
      tailEss: tailEss![j]!,
      meanError: meanError![j]!,
    })),
  };
  return { q, draws: { ...moments, markov } };
}

/** All draws, [images, chains, draws, latent]. */
export function stackDraws(inferred: readonly ImageInference[], latent: number) {
  const { chains, z } = inferred[0]!.draws;
  const values = new Float32Array(inferred.length * z.length);
  inferred.forEach(({ draws }, i) => {
    values.set(draws.z, i * z.length);
  });
  return { values, shape: [inferred.length, chains, z.length / chains / latent, latent] };
}

/** Cells along each side of the grid. */
const GRID = 64;
/** Rows of one call of the decoder. */
const GRID_ROWS = 256;
/** More panels than this have no room on a page. */
export const MOST_PANELS = 24;
/** More dots hide what is below them. */
const MOST_DOTS = 1000;

/**
 * True posterior, draws and q of each image over the latent plane; a PNG.
 * @throws UsageError where the latent space does not have two dimensions, or there are too many images.
 */
export function posteriorPicture(
  { model }: Pick<LoadedModel, 'model'>,
  source: PictureSource,
  inferred: readonly ImageInference[],
  method: PosteriorMethod,
): Promise<Uint8Array> {
  requirePlane(model.model, inferred.length);
  const panels = inferred.map(({ image, class: label, q, draws, x }): PosteriorPanel => {
    const mean = [q.mu[0]!, q.mu[1]!] as const;
    const deviation = [Math.exp(q.logvar[0]! / 2), Math.exp(q.logvar[1]! / 2)] as const;
    const samples = thinned(draws.z);
    const edges = [-2, 2].flatMap((k) => [mean[0] + k * deviation[0], mean[1] + k * deviation[1]]);
    const likelihood = model.inference.condition(x, GRID_ROWS);
    const square = squareWithPosterior(likelihood, squareAround(Float32Array.of(...samples, ...edges)));
    const density = posteriorGrid(likelihood, square, GRID);
    const heading = `test image ${image}${label === undefined ? '' : `, class ${label}`}`;
    return { heading, ...square, density, samples, gaussian: { mean, deviation } };
  });
  const what = method === 'hmc' ? 'draws by HMC' : 'draws from q(z|x)';
  return posteriorPanels(panels, {
    ...pictureText('The posterior of test images: p(z|x), its draws, and q(z|x)', source),
    samplesLabel: what,
  });
}

/** @throws UsageError where the posterior of so many images cannot be drawn. */
export function requirePlane(
  { name, latent }: { readonly name: string; readonly latent: number },
  images: number,
): void {
  if (latent !== 2) {
    throw new UsageError(
      `A posterior is drawn over two latent dimensions, but the model ${name} has ${latent}. Train with --latent 2.`,
    );
  }
  if (images > MOST_PANELS) {
    throw new UsageError(`A picture has room for the posteriors of ${MOST_PANELS} images, not of ${images}.`);
  }
}

/** At most MOST_DOTS of the points, at equal distances. */
function thinned(z: Float32Array): Float32Array {
  const stride = Math.ceil(z.length / 2 / MOST_DOTS);
  return z.filter((_, i) => Math.floor(i / 2) % stride === 0);
}

export { POSTERIOR_DEFAULTS };
