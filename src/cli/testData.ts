import { requireImageSize } from '../coordinator/evaluate.js';
import { findCheckpoint, type LoadedModel, loadModel } from '../coordinator/loadModel.js';
import type { RunConfig } from '../coordinator/runConfig.js';
import { type Dataset, loadDataset } from '../data/dataset.js';
import { UsageError } from '../errors.js';

/** A trained model with the test set that --data names. */
export async function loadForTestSet(
  run: string,
  data: string | undefined,
): Promise<{ readonly loaded: LoadedModel; readonly dataset: Dataset }> {
  const loaded = await loadModel(run);
  requireOwnData(loaded.config, loaded.path, data);
  const dataset = loadDataset(data);
  requireImageSize(loaded.config, dataset, loaded.path);
  return { loaded, dataset };
}

/** @throws UsageError where --data is absent and the run was not trained on MNIST. */
export async function requireDataOf(run: string, data: string | undefined): Promise<void> {
  const { path, checkpoint } = await findCheckpoint(run);
  requireOwnData(checkpoint.config, path, data);
}

/** Without --data everything uses MNIST, whose figures mean nothing for a model that was trained on other images. */
function requireOwnData({ data: { source } }: RunConfig, path: string, data: string | undefined): void {
  if (data === undefined && source !== 'mnist') {
    throw new UsageError(
      `${path} was trained on ${source}, not on MNIST: name the directory of its data with --data.`,
    );
  }
}
