import { defineCommand } from './command.js';
import { ExitCode } from './exitCode.js';
import { wholeNumber } from './flags.js';
import { announceImages, outFlag, writePicture } from './pictureFile.js';
import { dataFlag, emaFlag, outputFlags, runArgument } from './sharedFlags.js';

export const reconstructCommand = defineCommand({
  name: 'reconstruct',
  summary: 'Draw test images above what the model makes of them, with their ELBO',
  positionals: runArgument,
  flags: {
    count: wholeNumber(1, { most: 10_000, describe: 'The first so many test images', default: '20' }),
    data: dataFlag('images of its test set are reconstructed'),
    out: outFlag('reconstructions'),
    ...emaFlag,
    ...outputFlags,
  },
  examples: [
    ['lowerbound reconstruct runs/cvae-1', 'The first 20 test images in a PNG'],
    [
      'lowerbound reconstruct runs/fashion --data /data/fashion-mnist --count 40',
      '40 images of data of your own',
    ],
  ],
  async execute({ run, json, data, out, ema, count = 20 }) {
    const [{ loadForTestSet }, { reconstructionPicture }] = await Promise.all([
      import('./runData.js'),
      import('../coordinator/pictures.js'),
    ]);
    const { loaded, dataset } = await loadForTestSet(run, data, ema);
    announceImages(Math.min(count, dataset.test.count), json);
    const png = await reconstructionPicture(loaded.model, loaded, dataset.test, count);
    await writePicture(png, { run, loaded, name: 'reconstructions', out, json });
    return ExitCode.done;
  },
});
