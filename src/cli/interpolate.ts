import { UsageError } from '../errors.js';
import { defineCommand } from './command.js';
import { ExitCode } from './exitCode.js';
import { indexList, wholeNumber } from './flags.js';
import { outFlag, writePicture } from './pictureFile.js';
import { dataFlag, emaFlag, outputFlags, runArgument } from './sharedFlags.js';

export const interpolateCommand = defineCommand({
  name: 'interpolate',
  summary: 'Draw the way from one test image to another, on a straight line through the latent space',
  positionals: runArgument,
  flags: {
    from: indexList({
      describe: 'Test images to start from, by their places in the test set',
      default: '0,1,2,3',
    }),
    to: indexList({ describe: 'Test images to end at, as many', default: '1,2,3,0' }),
    steps: wholeNumber(2, { most: 100, describe: 'Images in a row, ends included', default: '12' }),
    data: dataFlag('images of its test set are the ends'),
    out: outFlag('interpolation'),
    ...emaFlag,
    ...outputFlags,
  },
  examples: [
    ['lowerbound interpolate runs/cvae-1', 'Four rows between the first four test images'],
    ['lowerbound interpolate runs/cvae-1 --from 4 --to 9 --steps 20', 'From test image 4 to test image 9'],
    ['lowerbound interpolate runs/cvae-1 --from 4,7 --to 9,0', 'Two rows: from 4 to 9, and from 7 to 0'],
  ],
  async execute({ run, json, data, out, ema, from, to, steps = 12 }) {
    const pairs = pairsOf(from, to);
    const [{ loadForTestSet }, { interpolationPicture }] = await Promise.all([
      import('./runData.js'),
      import('../coordinator/pictures.js'),
    ]);
    const { loaded, dataset } = await loadForTestSet(run, data, ema);
    const options = { ...pairs, steps };
    const png = await interpolationPicture(loaded.model, loaded, dataset.test, options);
    await writePicture(png, { run, loaded, name: 'interpolation', out, json });
    return ExitCode.done;
  },
});

function pairsOf(from: readonly number[] | undefined, to: readonly number[] | undefined) {
  if (from === undefined && to === undefined) return { from: [0, 1, 2, 3], to: [1, 2, 3, 0] };
  if (from === undefined || to === undefined) {
    const [present, absent] = from === undefined ? ['to', 'from'] : ['from', 'to'];
    throw new UsageError(
      `--${present} is given without --${absent}: each row goes from one image to another.`,
    );
  }
  if (from.length !== to.length) {
    throw new UsageError(
      `--from names ${from.length} test images, but --to names ${to.length}: each row needs one of each.`,
    );
  }
  return { from, to };
}
