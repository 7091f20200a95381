import type { MapShape } from './model.js';
import { readModelSpecFile } from './parse.js';
import { presetSpec } from './presets.js';
import type { ModelSpec } from './spec.js';

/**
 * The spec behind `--model`: a preset's name, or the path of a JSON file (known by a dot or a slash in it).
 *
 * @throws UsageError where there is no such preset, or the file does not hold a model.
 */
export async function loadModelSpec(nameOrPath: string, input: MapShape): Promise<ModelSpec> {
  return /[./\\]/.test(nameOrPath) ? readModelSpecFile(nameOrPath) : presetSpec(nameOrPath, input);
}
