// What a run starts from besides its options: the run that goes on, or the config of another one.
import type { AbortSignalLike } from '../abortSignal.js';
import { UsageError } from '../errors.js';
import { readJsonFile } from '../model/jsonFile.js';
import type { OptionKind } from '../model/valueKind.js';
import { type PartialRunConfig, parsePartialRunConfig, type RunConfig } from '../runs/runConfig.js';
import { type TrainingPresetName, trainingPreset } from '../runs/trainingPresets.js';

export type ConfigOption = string | PartialRunConfig;

export type RunOrigin =
  /** The run in the directory `source` goes on. */
  | { readonly resumed: true; readonly config: RunConfig; readonly source: string }
  /** A new run starts from a config, which messages call `source`. */
  | { readonly resumed: false; readonly config: PartialRunConfig; readonly source: string };

/** The option `config` of `train`. */
export const CONFIG_OPTION: OptionKind<ConfigOption> = {
  option: (value, place) => {
    if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw place.expected(value, 'the path of a config.json, or a config as an object');
    }
    return parsePartialRunConfig(value, `${place.source}: ${place.path}`);
  },
  flag: { kind: 'path', what: 'the path of a config.json' },
  takes: 'the path of a JSON file, or (not as a flag) the config itself',
};

const WORDS = { name: 'config', size: 'a config is a model and some twenty numbers' };

/**
 * @param signal aborting it ends the wait for a pipe in place of a file.
 * @throws UsageError where the file cannot be read or is no config.
 */
export async function configOrigin(option: ConfigOption, signal?: AbortSignalLike): Promise<RunOrigin> {
  if (typeof option !== 'string') return { resumed: false, config: option, source: 'The config' };
  const config = parsePartialRunConfig(await readJsonFile(option, WORDS, signal), option);
  return { resumed: false, config, source: option };
}

export function presetOrigin(name: TrainingPresetName): RunOrigin {
  return { resumed: false, config: trainingPreset(name), source: `The preset ${name}` };
}

interface Origins {
  readonly resume?: string | undefined;
  readonly config?: ConfigOption | undefined;
  readonly preset?: TrainingPresetName | undefined;
}

/** @throws UsageError where more than one of a run, a config and a preset is given. */
export function requireOneOrigin({ resume, config, preset }: Origins): void {
  if (resume !== undefined && (config !== undefined || preset !== undefined)) {
    const other = config === undefined ? 'preset' : 'config';
    throw new UsageError(
      `A resumed run keeps the config that it was started with: give either a run to resume or a ${other} for a new one.`,
    );
  }
  if (config !== undefined && preset !== undefined) {
    throw new UsageError('A new run starts from one config: give either a config or a preset.');
  }
}

/** Why a run with this config, though nothing else was asked for, does not have the bits of the other run. */
export function originNotes({ config, source }: RunOrigin, requested: RunConfig): string[] {
  const notes: string[] = [];
  if (config.data !== undefined && config.data.fingerprint !== requested.data.fingerprint) {
    notes.push(
      `The training images are those of ${requested.data.source}, and not those that ${source} names ` +
        `(${config.data.source}): the bits are not those of its run.`,
    );
  }
  if (config.earlierBackends !== undefined) {
    notes.push(
      `The run of ${source} changed its backend. This one has ${requested.backend} throughout, so its bits differ.`,
    );
  }
  return notes;
}
