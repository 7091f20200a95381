// A checkpoint and the images that it meets, read by each of the processes that share the work on them.
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { type DataOption, loadTestData } from '../data/registry.js';
import type { RunData } from '../data/source.js';
import { checkpointTraits, introduce } from './handshake.js';
import { type ChosenCheckpoint, type ReadOptions, readCheckpoint, requirePath } from './loadModel.js';
import { requireImageSize, requireOwnData } from './ownData.js';

export interface CheckpointAndData extends ChosenCheckpoint {
  readonly dataset: RunData;
}

interface Named extends ReadOptions {
  readonly path?: string | undefined;
  readonly data?: DataOption | undefined;
}

/**
 * Reads a checkpoint and its test images, and plans the work on them. Processes compare what they have read
 * and their options.
 * @param call for messages.
 * @param plan its UsageErrors refuse the work for all processes.
 * @throws UsageError in one process, ToldElsewhere in all others, where one of them refuses or differs.
 */
export async function openTogether<T>(
  group: ProcessGroup | undefined,
  options: Named,
  call: string,
  plan: (opened: CheckpointAndData) => T,
): Promise<CheckpointAndData & { readonly plan: T }> {
  const prepare = async () => {
    const found = await readCheckpoint(requirePath(options.path, call), options);
    const { config } = found.checkpoint;
    requireOwnData(config, found.path, options.data);
    const opened = { ...found, dataset: loadTestData(options.data) };
    requireImageSize(config, opened.dataset, found.path);
    return { ...opened, plan: plan(opened) };
  };
  if (group === undefined) return await prepare();
  const { prepared, warnings } = await introduce(group, async () => {
    const opened = await prepare();
    return { ...opened, traits: checkpointTraits(options, opened.checkpoint.parameters, opened.dataset) };
  });
  return { ...prepared, warnings: [...prepared.warnings, ...warnings] };
}
