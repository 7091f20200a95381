import type { ImageSet } from '../data/source.js';
import { UsageError } from '../errors.js';
import type { LatentModel } from '../inference/latentModel.js';
import { projectToPlane } from '../inference/principalComponents.js';
import { interpolate, manifold } from '../inference/traversal.js';
import { priorOf } from '../model/priors/registry.js';
import {
  type CaptionLine,
  type ImageShape,
  interpolationGrid,
  lineChart,
  manifoldGrid,
  manifoldStrip,
  reconstructionGrid,
  sampleGrid,
  scatterChart,
} from '../report/picture.js';
import { formatCount } from '../report/quantity.js';
import type { EpochTerms } from '../runs/runDirectory.js';
import { testExamples } from './examples.js';
import { type PictureSource, pictureText, reconstructionsTitle, samplesTitle } from './pictureText.js';

/** Test images whose posterior means are drawn. */
const MOST_MEANS = 2000;

/** A grid of means of p(x|z), or of draws from it, z from the prior; a PNG. */
export function samplePicture(
  model: LatentModel,
  source: PictureSource,
  options: { readonly count: number; readonly seed?: number | bigint; readonly draw?: boolean },
): Promise<Uint8Array> {
  const { count, seed = 0, draw = false } = options;
  const images = model.sample({ count, seed, draw });
  return sampleGrid(images, {
    ...imageShape(model),
    ...pictureText(samplesTitle(count, draw, seed), source),
  });
}

/**
 * The first `count` test images above their reconstructions, with class (where there are labels) and ELBO; a
 * PNG.
 */
export function reconstructionPicture(
  model: LatentModel,
  source: PictureSource,
  test: ImageSet,
  count: number,
): Promise<Uint8Array> {
  const indices = firstIndices(test, count);
  const x = testExamples(source.config, test, indices);
  const labels = labelsOf(test);
  const captions: CaptionLine[] = [];
  if (labels) captions.push({ label: 'class', texts: indices.map((index) => String(labels[index])) });
  const nats = Array.from(model.elbo(x).elbo, (elbo) => elbo.toFixed(0));
  captions.push({ label: 'ELBO (nats)', texts: nats });
  return reconstructionGrid(x, model.reconstruct(x), {
    ...imageShape(model),
    ...pictureText(reconstructionsTitle(indices.length), source),
    captions,
  });
}

/**
 * One row for each pair of test images (places in the test set), decoded on the way from one to the other; a
 * PNG.
 */
export function interpolationPicture(
  model: LatentModel,
  source: PictureSource,
  test: ImageSet,
  options: { readonly from: readonly number[]; readonly to: readonly number[]; readonly steps: number },
): Promise<Uint8Array> {
  const { from, to, steps } = options;
  const ends = {
    from: testExamples(source.config, test, from),
    to: testExamples(source.config, test, to),
  };
  const z = interpolate(model.encode(ends.from).mu, model.encode(ends.to).mu, model.model.latent, steps);
  return interpolationGrid(model.decode(z, { as: 'means' }), {
    ...imageShape(model),
    ...pictureText(
      'From one test image to another, on a straight line between their posterior means',
      source,
    ),
    steps,
    ends,
    rowLabels: from.map((index, row) => ({ from: `#${index}`, to: `#${to[row]}` })),
  });
}

/** The decoded plane, side × side; a PNG. */
export function manifoldPicture(
  model: LatentModel,
  source: PictureSource,
  side: number,
): Promise<Uint8Array> {
  const { axis, means } = manifold(model, side);
  const text = pictureText(
    `Manifold: what the decoder makes of z, in steps of equal ${priorOf(model.model.prior.choice.name).inKernels ? 'prior probability' : 'probability under N(0, I)'}`,
    source,
  );
  return manifoldGrid(means, { ...imageShape(model), ...text, zAt: axis });
}

/** The decoded plane at several times of a run, each with its heading; a PNG. @param source of the last. */
export function manifoldStripPicture(
  moments: readonly { readonly model: LatentModel; readonly heading: string }[],
  source: PictureSource,
  side: number,
): Promise<Uint8Array> {
  return manifoldStrip(
    moments.map(({ model }) => manifold(model, side).means),
    {
      ...imageShape(moments[0]!.model),
      ...pictureText('Manifold in the course of training', source),
      side,
      headings: moments.map(({ heading }) => heading),
    },
  );
}

/**
 * Posterior means of the first 2,000 test images, coloured by class where there are labels: in two dimensions
 * as they are, in more by their first two principal components. A PNG; undefined where the latent space has
 * one dimension.
 */
export async function latentPicture(
  model: LatentModel,
  source: PictureSource,
  test: ImageSet,
): Promise<Uint8Array | undefined> {
  const { latent } = model.model;
  if (latent < 2) return undefined;
  const indices = firstIndices(test, MOST_MEANS);
  const { mu } = model.encode(testExamples(source.config, test, indices));
  const labels = labelsOf(test);
  const { points, xLabel, yLabel } = planeOf(mu, latent);
  return scatterChart(points, {
    ...pictureText(`Posterior means of the first ${formatCount(indices.length)} test images`, source),
    xLabel,
    yLabel,
    ...(labels ? { classes: labels.subarray(0, indices.length) } : {}),
  });
}

function planeOf(mu: Float32Array, latent: number) {
  if (latent === 2) return { points: mu, xLabel: 'z1', yLabel: 'z2' };
  const { points, shares } = projectToPlane(mu, latent);
  const label = (component: 0 | 1) =>
    `principal component ${component + 1} (${(100 * shares[component]).toFixed(0)} % of the variance)`;
  return { points, xLabel: label(0), yLabel: label(1) };
}

const TERMS = [
  ['elbo', 'ELBO (nats)'],
  ['logLikelihood', 'reconstruction (nats)'],
  ['kl', 'KL (nats)'],
] as const;

/** ELBO, reconstruction term and KL of training and test set over the epochs; a PNG. */
export function curvesPicture(epochs: readonly EpochTerms[], source: PictureSource): Promise<Uint8Array> {
  const sets = [
    ['train', 'training set, mean over the epoch'],
    ['test', 'test set, after the epoch'],
  ] as const;
  const panels = TERMS.map(([term, yLabel]) => ({
    yLabel,
    series: sets.map(([set, label]) => ({
      label,
      points: epochs.map((epoch): [number, number] => [epoch.epoch, epoch[set][term]]),
    })),
  }));
  return lineChart(panels, { ...pictureText('ELBO and its two terms by epoch', source), xLabel: 'epoch' });
}

function firstIndices(test: ImageSet, most: number): number[] {
  return Array.from({ length: Math.min(most, test.count) }, (_, i) => i);
}

function labelsOf(test: ImageSet): Uint8Array | undefined {
  return test.labels;
}

/**
 * The shape of what the model decodes to, for a grid.
 * @throws UsageError where it is neither grey nor of three colours.
 */
export function imageShape({ model }: LatentModel): ImageShape {
  const [height, width, channels] = model.input;
  if (!canBeDrawn(channels)) {
    throw new UsageError(
      `The model ${model.name} has images of ${channels} channels. Pictures are drawn of 1 (grey) or 3 (red, green, blue).`,
    );
  }
  return { height, width, channels };
}

export function canBeDrawn(channels: number): boolean {
  return channels === 1 || channels === 3;
}
