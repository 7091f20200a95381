// A model's JSON file.
import type { AbortSignalLike } from '../abortSignal.js';
import { readJsonFile } from './jsonFile.js';
import { parseModelSpec } from './parse.js';
import type { ModelSpec } from './spec.js';

const WORDS = { name: 'model', size: 'a model is a short list of layers' };

/**
 * Reads a model from a file, or from a pipe to its end.
 *
 * @param signal aborting it ends the wait for a pipe that nobody writes to.
 * @throws UsageError where readJsonFile refuses the file, or it is no model.
 * @throws the reason of `signal`, where it was aborted.
 */
export async function readModelSpecFile(path: string, signal?: AbortSignalLike): Promise<ModelSpec> {
  return parseModelSpec(await readJsonFile(path, WORDS, signal), path);
}
