import type { ImageSet } from '../data/source.js';
import { UsageError } from '../errors.js';
import type { PosteriorDraws } from '../inference/inferPosterior.js';
import type { PosteriorOptions } from '../inference/options.js';
import type { Posterior } from '../inference/posterior.js';
import { posteriorGrid, squareAround } from '../inference/posteriorGrid.js';
import { type PosteriorPanel, posteriorPanels } from '../report/picture.js';
import { testExamples } from './examples.js';
import type { LoadedModel } from './loadModel.js';
import { type PictureSource, pictureText } from './pictureText.js';

/** Of one test image. */
export interface ImageInference {
  /** Its place in the test set. */
  readonly image: number;
  readonly class?: number;
  /** The encoder's q(z|x), [latent] each. */
  readonly q: { readonly mu: Float32Array; readonly logvar: Float32Array };
  readonly draws: PosteriorDraws;
  /** [dimensions], as the model saw it. */
  readonly x: Float32Array;
}

export interface InferOptions extends Omit<PosteriorOptions, 'positions'> {
  /** Places in the test set. */
  readonly images: readonly number[];
}

/** Examples whose chains run side by side: progress and memory follow it, no bit does. */
const CHUNK = 8;

/**
 * Draws from the posterior of test images, binarised as the run's evaluation sees them. What an image gets
 * depends on (seed, its place in the test set) alone.
 * @throws UsageError for an image outside the test set.
 */
export function inferImages(
  { model, config }: Pick<LoadedModel, 'model' | 'config'>,
  test: ImageSet,
  { images, seed = BigInt(config.seed), onProgress, ...options }: InferOptions,
): ImageInference[] {
  const { dimensions, latent } = model.model;
  const x = testExamples({ binarize: config.binarize, seed: String(seed) }, test, images);
  return images.flatMap((_, first) => {
    if (first % CHUNK > 0) return [];
    const positions = images.slice(first, first + CHUNK);
    const own = x.slice(first * dimensions, (first + positions.length) * dimensions);
    const q = model.encode(own);
    const drawn = model.posterior(own, {
      ...options,
      seed,
      positions,
      onProgress: (done, count) =>
        onProgress?.(first * count + done * positions.length, images.length * count),
    });
    return drawn.map((draws, i) => ({
      image: positions[i]!,
      ...(test.labels ? { class: test.labels[positions[i]!]! } : {}),
      q: rowOf(q, i, latent),
      draws,
      x: own.slice(i * dimensions, (i + 1) * dimensions),
    }));
  });
}

function rowOf({ mu, logvar }: Posterior, row: number, latent: number): Posterior {
  const of = (values: Float32Array) => values.slice(row * latent, (row + 1) * latent);
  return { mu: of(mu), logvar: of(logvar) };
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
  method: NonNullable<PosteriorOptions['method']>,
): Promise<Uint8Array> {
  requirePlane(model.model, inferred.length);
  const panels = inferred.map(({ image, class: label, q, draws, x }): PosteriorPanel => {
    const mean = [q.mu[0]!, q.mu[1]!] as const;
    const deviation = [Math.exp(q.logvar[0]! / 2), Math.exp(q.logvar[1]! / 2)] as const;
    const samples = thinned(draws.z);
    const edges = [-2, 2].flatMap((k) => [mean[0] + k * deviation[0], mean[1] + k * deviation[1]]);
    const square = squareAround(Float32Array.of(...samples, ...edges));
    const density = posteriorGrid(model.inference.condition(x, GRID_ROWS), square, GRID);
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

export { POSTERIOR_DEFAULTS } from '../inference/inferPosterior.js';
