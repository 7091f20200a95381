import { defineCommand } from './command.js';
import { ExitCode } from './exitCode.js';
import { wholeNumber } from './flags.js';
import { announceImages, outFlag, writePicture } from './pictureFile.js';
import { dataFlag, outputFlags, runArgument } from './sharedFlags.js';

export const reconstructCommand = defineCommand({
  name: 'reconstruct',
  summary: 'Draw test images above what the model makes of them, with their ELBO',
  positionals: runArgument,
  flags: {
    count: wholeNumber(1, { most: 10_000, describe: 'The first so many test images', default: '20' }),
    data: dataFlag('images of its test set are reconstructed'),
    out: outFlag('reconstructions'),
    ...outputFlags,
  },
  examples: [
    ['lowerbound reconstruct runs/cvae-1', 'The first 20 test images in a PNG'],
    [
      'lowerbound reconstruct runs/fashion --data /data/fashion-mnist --count 40',
      '40 images of data of your own',
    ],
  ],
  async execute({ run, json, data, out, count = 20 }) {
    const [{ loadForTestSet }, { testExamples }, { reconstructionPicture }] = await Promise.all([
      import('./runData.js'),
      import('../coordinator/examples.js'),
      import('../coordinator/pictures.js'),
    ]);
    const { loaded, dataset } = await loadForTestSet(run, data);
    const { config, model, step } = loaded;
    const shown = Math.min(count, dataset.test.count);
    announceImages(shown, json);
    const x = testExamples(
      config,
      dataset.test,
      Array.from({ length: shown }, (_, i) => i),
    );
    const title = `${config.model.name}, step ${step}: reconstructions of ${dataset.name}'s first ${shown} test images`;
    const png = await reconstructionPicture(model, x, { title });
    await writePicture(png, { run, loaded, name: 'reconstructions', out, json });
    return ExitCode.done;
  },
});
