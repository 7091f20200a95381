import { requireImageSize } from '../coordinator/evaluate.js';
import { findCheckpoint, type LoadedModel, loadModel } from '../coordinator/loadModel.js';
import { needsData } from '../coordinator/ownData.js';
import { loadTestData } from '../data/registry.js';
import type { RunData } from '../data/source.js';
import { UsageError } from '../errors.js';
import type { RunConfig } from '../runs/runConfig.js';
import { openRunDirectory } from '../runs/runDirectory.js';
import { printWarnings } from './output.js';

/** The model of a run or a checkpoint; the user is told where it is not of the newest checkpoint. */
export async function loadForUser(run: string): Promise<LoadedModel> {
  const loaded = await loadModel(run);
  printWarnings(loaded.warnings);
  return loaded;
}

/** A trained model with the test set that --data names. */
export async function loadForTestSet(
  run: string,
  data: string | undefined,
): Promise<{ readonly loaded: LoadedModel; readonly dataset: RunData }> {
  const loaded = await loadForUser(run);
  requireOwnData(loaded.config, loaded.path, data);
  const dataset = loadTestData(data);
  requireImageSize(loaded.config, dataset, loaded.path);
  return { loaded, dataset };
}

/**
 * Tells, too, where the newest checkpoint is not the one that is used.
 * @throws UsageError where --data is absent and the run was not trained on MNIST.
 */
export async function requireDataOf(run: string, data: string | undefined): Promise<void> {
  const { path, checkpoint, warnings } = await findCheckpoint(run);
  printWarnings(warnings);
  requireOwnData(checkpoint.config, path, data);
}

/** The same for a run that may have no checkpoint yet. */
export async function requireDataOfResumed(directory: string, data: string | undefined): Promise<void> {
  requireOwnData((await openRunDirectory(directory)).readConfig(), directory, data);
}

/** @throws UsageError in the words of the command line. */
function requireOwnData({ data: { source } }: RunConfig, path: string, data: string | undefined): void {
  if (needsData(source, data)) {
    throw new UsageError(
      `${path} was started with the data of ${source}, not with MNIST: name their directory with --data.`,
    );
  }
}
