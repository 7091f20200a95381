import { UsageError } from '../errors.js';
import { defineCommand } from './command.js';
import { ExitCode } from './exitCode.js';
import { switchFlag, wholeNumber } from './flags.js';
import { announceImages, outFlag, writePicture } from './pictureFile.js';
import { emaFlag, outputFlags, runArgument } from './sharedFlags.js';

/** Images along each side. */
const SIDE = 20;
const STRIP_SIDE = 5;

export const manifoldCommand = defineCommand({
  name: 'manifold',
  summary: 'Draw a two-dimensional latent space: a decoded grid in steps of equal prior probability',
  positionals: runArgument,
  flags: {
    side: wholeNumber(1, {
      most: 100,
      describe: 'Images along each side, up to 100',
      default: `${SIDE}; ${STRIP_SIDE} with --over-epochs`,
    }),
    'over-epochs': switchFlag({
      describe:
        'A grid for each of up to five checkpoints of the run, side by side (train --keep-checkpoints)',
      default: 'off: one checkpoint',
    }),
    out: outFlag('manifold'),
    ...emaFlag,
    ...outputFlags,
  },
  examples: [
    ['lowerbound manifold runs/cvae-1', '20 × 20 images in a PNG'],
    ['lowerbound manifold runs/cvae-1 --side 30 --out latent-space.png', 'A finer grid'],
    [
      'lowerbound manifold runs/cvae-1 --over-epochs',
      'How it came about, from the checkpoints that the run kept',
    ],
  ],
  async execute({ run, json, out, ema = true, side, 'over-epochs': overEpochs = false }) {
    if (overEpochs) {
      const { loaded, png } = await strip(run, ema, side ?? STRIP_SIDE);
      await writePicture(png, { run, loaded, name: 'manifold-over-epochs', out, json });
      return ExitCode.done;
    }
    const [{ loadForUser }, { manifoldPicture }] = await Promise.all([
      import('./runData.js'),
      import('../coordinator/pictures.js'),
    ]);
    const loaded = await loadForUser(run, ema);
    const images = side ?? SIDE;
    announceImages(images * images, json);
    const png = await manifoldPicture(loaded.model, loaded, images);
    await writePicture(png, { run, loaded, name: 'manifold', out, json });
    return ExitCode.done;
  },
});

async function strip(run: string, ema: boolean, side: number) {
  const [{ momentsOf }, { manifoldStripPicture }] = await Promise.all([
    import('../coordinator/moments.js'),
    import('../coordinator/pictures.js'),
  ]);
  const moments = await momentsOf(run, { ema });
  const last = moments.at(-1);
  if (last === undefined || moments.length < 2) {
    throw new UsageError(
      `${run} has kept too few checkpoints to show what changed: two or more are needed. ` +
        'Train with --keep-checkpoints N; one is written after each epoch.',
    );
  }
  return { loaded: last.loaded, png: await manifoldStripPicture(moments, last.loaded, side) };
}
