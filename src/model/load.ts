import type { AbortSignalLike } from '../abortSignal.js';
import type { MapShape } from './model.js';
import { presetSpec } from './presets.js';
import type { ModelSpec } from './spec.js';
import { readModelSpecFile } from './specFile.js';

/**
 * The spec behind `--model`: a preset's name, or the path of a JSON file (known by a dot or a slash in it).
 *
 * @param signal aborting it ends the wait for a pipe in place of a file.
 * @throws UsageError where there is no such preset, or the file does not hold a model.
 * @throws the reason of `signal`, where it was aborted.
 */
export async function loadModelSpec(
  nameOrPath: string,
  input: MapShape,
  signal?: AbortSignalLike,
): Promise<ModelSpec> {
  return /[./\\]/.test(nameOrPath) ? readModelSpecFile(nameOrPath, signal) : presetSpec(nameOrPath, input);
}
