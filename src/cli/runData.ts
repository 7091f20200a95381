import { type LoadedModel, loadModel } from '../coordinator/loadModel.js';
import { requireImageSize, requireOwnData } from '../coordinator/ownData.js';
import { loadTestData } from '../data/registry.js';
import type { RunData } from '../data/source.js';
import { printWarnings } from './output.js';

/** The model of a run or a checkpoint; the user is told where it is not of the newest checkpoint. */
export async function loadForUser(run: string, ema = true): Promise<LoadedModel> {
  const loaded = await loadModel(run, { ema });
  printWarnings(loaded.warnings);
  return loaded;
}

/** A trained model with the test set that --data names. */
export async function loadForTestSet(
  run: string,
  data: string | undefined,
  ema = true,
): Promise<{ readonly loaded: LoadedModel; readonly dataset: RunData }> {
  const loaded = await loadForUser(run, ema);
  requireOwnData(loaded.config, loaded.path, data);
  const dataset = loadTestData(data);
  requireImageSize(loaded.config, dataset, loaded.path);
  return { loaded, dataset };
}
