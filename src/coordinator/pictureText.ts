// What stands above pictures. The title says what is to be seen, the note below it whose it is, in the same
// words everywhere.
import type { PageText } from '../report/picture.js';
import { formatCount } from '../report/quantity.js';
import type { RunConfig } from '../runs/runConfig.js';

/** The state of a model that a picture is of. */
export interface PictureSource {
  readonly config: RunConfig;
  /** Optimizer steps taken. */
  readonly step: number;
  /** From 1; given where the step is the last one of an epoch. */
  readonly epoch?: number;
  /** The decay of the average that the model's parameters are; absent: they are those of the last update. */
  readonly emaDecay?: number | undefined;
}

/** E.g. `cvae, d = 2 · step 1,875 (epoch 1) · data mnist · seed 0`. */
export function pictureText(title: string, { config, step, epoch, emaDecay }: PictureSource): PageText {
  const when = `step ${formatCount(step)}${epoch === undefined ? '' : ` (epoch ${epoch})`}`;
  const parts = [
    `${config.model.name}, d = ${config.latent}`,
    when,
    `data ${config.data.source}`,
    `seed ${config.seed}`,
    ...(emaDecay === undefined ? [] : [`average with decay ${emaDecay}`]),
  ];
  return { title, note: parts.join(' · ') };
}

export function samplesTitle(count: number, draw: boolean, seed: number | bigint): string {
  const [what, means] =
    count === 1 ? ['1 sample', 'mean of p(x|z)'] : [`${formatCount(count)} samples`, 'means of p(x|z)'];
  return `${what}: ${draw ? 'pixels drawn from p(x|z)' : means}, z from the prior with seed ${seed}`;
}

export function reconstructionsTitle(count: number): string {
  if (count === 1) return 'The first test image and its reconstruction';
  return `The first ${formatCount(count)} test images and their reconstructions`;
}
