import { defineCommand } from './command.js';
import { ExitCode } from './exitCode.js';
import { wholeNumber } from './flags.js';
import { announceImages, outFlag, writePicture } from './pictureFile.js';
import { outputFlags, runArgument } from './sharedFlags.js';

export const manifoldCommand = defineCommand({
  name: 'manifold',
  summary: 'Draw a two-dimensional latent space: a decoded grid in steps of equal prior probability',
  positionals: runArgument,
  flags: {
    side: wholeNumber(1, { most: 100, describe: 'Images along each side, up to 100', default: '20' }),
    out: outFlag('manifold'),
    ...outputFlags,
  },
  examples: [
    ['lowerbound manifold runs/cvae-1', '20 × 20 images in a PNG'],
    ['lowerbound manifold runs/cvae-1 --side 30 --out latent-space.png', 'A finer grid'],
  ],
  async execute({ run, json, out, side = 20 }) {
    const [{ loadModel }, { manifoldPicture }] = await Promise.all([
      import('../coordinator/loadModel.js'),
      import('../coordinator/pictures.js'),
    ]);
    const loaded = await loadModel(run);
    announceImages(side * side, json);
    const title = `${loaded.config.model.name}, step ${loaded.step}: the latent space`;
    const png = await manifoldPicture(loaded.model, { side, title });
    await writePicture(png, { run, loaded, name: 'manifold', out, json });
    return ExitCode.done;
  },
});
