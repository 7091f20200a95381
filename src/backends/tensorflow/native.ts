// Finds and loads @tensorflow/tfjs-node, which is no dependency: it has to be compiled or downloaded for the
// machine.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import { UsageError } from '../../errors.js';
import { nameAttributes } from './nativeAttributes.js';
import { chosenDirectory, NATIVE_VARIABLE, nativeDirectory } from './nativeDirectory.js';
import type { Tfjs } from './runtime.js';

/** Where tfjs-node may be. */
export interface NativePlaces {
  /**
   * Folders of projects: a package is looked for in their node_modules and in those of the folders above
   * them.
   */
  readonly projects: readonly string[];
  /** Folder of the set-up. */
  readonly directory: string;
  /** Whether the user named the folder of the set-up, so that no other place counts. */
  readonly chosen: boolean;
}

/** Threads of TensorFlow, and what it prints: 1 leaves out what is only for information. */
const ENVIRONMENT = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '1' };

/** The working directory's project, the one that this package is part of, and the folder of the set-up. */
export function theseNativePlaces(): NativePlaces {
  return {
    projects: [process.cwd(), dirname(fileURLToPath(import.meta.url))],
    directory: nativeDirectory(),
    chosen: chosenDirectory() !== undefined,
  };
}

/**
 * The folder of a package @tensorflow/tfjs-node that has its binding; undefined where there is none. A folder
 * named by LOWERBOUND_NATIVE_DIR comes alone; else the user's project comes before that of this package and
 * the set-up's folder.
 */
export function findNative(places: NativePlaces = theseNativePlaces()): string | undefined {
  const { projects, directory, chosen } = places;
  const folders = chosen ? [directory] : [...projects, directory];
  return folders.map(packageAbove).find((found) => found !== undefined);
}

/**
 * For the main thread, before workers are started: sets the environment, which is the process's and not a
 * worker's; loads tfjs-node once, so that TensorFlow stays loaded when a worker ends; and fills what its
 * threads share.
 * @throws UsageError where tfjs-node is absent or does not load.
 */
export function prepareNative(): void {
  setNativeEnvironment();
  nameAttributes(loadNative());
}

/**
 * One thread for each of TensorFlow's pools, as every worker computes by itself, and fewer words; what the
 * user has set stays. TensorFlow reads it when it is loaded, and only the main thread's `process.env` is the
 * process's.
 */
export function setNativeEnvironment(): void {
  for (const [name, value] of Object.entries(ENVIRONMENT)) process.env[name] ??= value;
}

/**
 * tfjs-node with its backend `tensorflow` set. In a worker, `prepareNative` must have been called on the main
 * thread.
 * @throws UsageError where tfjs-node is absent or does not load.
 */
export function loadNative(): Tfjs {
  const folder = findNative();
  if (folder === undefined) throw absent();
  return loadNativeFrom(folder);
}

/**
 * @param folder of the package @tensorflow/tfjs-node
 * @throws UsageError where it does not load.
 */
export function loadNativeFrom(folder: string): Tfjs {
  restoreUtil();
  const require = createRequire(join(folder, 'package.json'));
  try {
    return require(folder) as Tfjs;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The native backend's @tensorflow/tfjs-node in ${folder} does not load: ${reason.trim()} ` +
        'Build it again with "npx lowerbound setup native --force", or take another backend.',
      { cause: error },
    );
  }
}

function absent(): UsageError {
  const variable = chosenDirectory();
  const where = variable === undefined ? '' : ` in ${variable}, which ${NATIVE_VARIABLE} names`;
  return new UsageError(
    `The native backend needs @tensorflow/tfjs-node, and there is none with its binding${where}. ` +
      'Install it with "npx lowerbound setup native", or take the backend simd, wasm or cpu.',
  );
}

/** In node_modules of the folder or of one above it, as Node itself looks. */
function packageAbove(folder: string): string | undefined {
  for (let above = folder; ; above = dirname(above)) {
    const candidate = join(above, 'node_modules', '@tensorflow', 'tfjs-node');
    if (hasBinding(candidate)) return candidate;
    if (above === dirname(above)) return undefined;
  }
}

/** Without one the install script has failed, or was not run. */
function hasBinding(folder: string): boolean {
  const lib = join(folder, 'lib');
  if (!existsSync(lib)) return false;
  return readdirSync(lib).some((name) => existsSync(join(lib, name, 'tfjs_binding.node')));
}

/**
 * tfjs-node 4.22 calls what newer Nodes warn of or no longer have. A worker has a `util` of its own.
 */
function restoreUtil(): void {
  const old: { isNullOrUndefined?: (value: unknown) => boolean; isArray?: (value: unknown) => boolean } =
    util;
  old.isNullOrUndefined = (value) => value === null || value === undefined;
  old.isArray = Array.isArray;
}
