import { defineCommand, given } from './command.js';
import { ExitCode } from './exitCode.js';
import { switchFlag, wholeNumber } from './flags.js';
import { optionFlag } from './optionFlags.js';
import { announceImages, outFlag, writePicture } from './pictureFile.js';
import { emaFlag, outputFlags, runArgument } from './sharedFlags.js';

export const sampleCommand = defineCommand({
  name: 'sample',
  summary: 'Draw new images: z from the prior, then x from the decoder',
  positionals: runArgument,
  flags: {
    count: wholeNumber(1, { most: 10_000, describe: 'How many images, up to 10,000', default: '100' }),
    seed: optionFlag('seed', {
      describe: 'Seed of the draws; image i depends on the seed and i alone: unsigned, 64 bits',
      default: '0',
    }),
    draw: switchFlag({
      describe: 'Bernoulli draws of the pixels, black or white, instead of their means',
      default: 'off: means',
    }),
    out: outFlag('samples'),
    ...emaFlag,
    ...outputFlags,
  },
  examples: [
    ['lowerbound sample runs/cvae-1', '100 images in a PNG'],
    ['lowerbound sample runs/cvae-1 --count 16 --seed 7 --draw --out draws.png', '16 others, pixels drawn'],
  ],
  async execute({ run, json, out, ema, count = 100, seed, draw = false }) {
    const [{ loadForUser }, { samplePicture }] = await Promise.all([
      import('./runData.js'),
      import('../coordinator/pictures.js'),
    ]);
    const loaded = await loadForUser(run, ema);
    announceImages(count, json);
    const png = await samplePicture(loaded.model, loaded, { count, draw, ...given({ seed }) });
    await writePicture(png, { run, loaded, name: draw ? 'draws' : 'samples', out, json });
    return ExitCode.done;
  },
});
