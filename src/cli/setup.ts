import { NATIVE_VARIABLE, nativeDirectory } from '../backends/tensorflow/nativeDirectory.js';
import { UsageError } from '../errors.js';
import { formatDuration } from '../report/quantity.js';
import { runtime } from '../runtime.js';
import type { NativeSetup } from '../setup/native.js';
import { defineCommand, given } from './command.js';
import { ExitCode } from './exitCode.js';
import { path, quote, switchFlag, type ValueFlag } from './flags.js';
import { Interruption } from './interruption.js';
import { printJson, printLine } from './output.js';
import { outputFlags } from './sharedFlags.js';

export const setupCommand = defineCommand({
  name: 'setup',
  summary: 'Install what a backend needs beyond this package: native is TensorFlow (docs/backends.md)',
  positionals: {
    backend: onlyNative(),
  },
  flags: {
    directory: path('the path of a directory', {
      describe:
        'Folder of the installation; where it is not the default, LOWERBOUND_NATIVE_DIR must name it in use',
      default: 'LOWERBOUND_NATIVE_DIR, else (Linux) a folder in ~/.local/share/lowerbound',
    }),
    force: switchFlag({
      describe: 'Install again where it is installed',
      default: 'off: only check it again',
    }),
    ...outputFlags,
  },
  examples: [
    [
      'lowerbound setup native',
      'TensorFlow for --backend native: about 900 MB, from npm and, if need be, PyPI',
    ],
    ['lowerbound setup native --directory /opt/lowerbound-native', 'Into a folder of your choice'],
  ],
  async execute({ directory, force, json = false }) {
    const [{ setupNative }, { StageReporter }] = await Promise.all([
      import('../setup/native.js'),
      import('../report/stageReporter.js'),
    ]);
    const reporter = new StageReporter({ stream: process.stdout });
    const interruption = new Interruption(() => {
      if (!json) reporter.note('Stopping; nothing half-done will stay. Press Ctrl-C again to leave at once.');
    });
    const { signal } = interruption;
    try {
      const options = given({ directory, force, progress: json ? undefined : reporter });
      const result = await setupNative({ ...options, signal });
      if (json) printJson(result);
      else printLine(sentence(result, nativeDirectory()));
      return ExitCode.done;
    } catch (error) {
      if (interruption.exitCode === undefined) throw error;
      return interruption.exitCode;
    } finally {
      reporter.stop();
      interruption.release();
    }
  },
});

/** The one backend that needs a set-up. */
function onlyNative(): ValueFlag<string> {
  return {
    kind: 'value',
    describe: 'The one that needs a set-up: native',
    words: ['native'],
    default: 'none: it must be given',
    parse: (given, name) => {
      if (given === 'native') return given;
      throw new UsageError(`${name} takes native, not ${quote(given)}: no other backend needs a set-up.`);
    },
  };
}

const origins = {
  script: "with the package's own download",
  wheel: "built against the library of PyPI's tensorflow-cpu",
} as const;

/** @param usual where the backend looks when it is not told. */
function sentence({ directory, made, origin, tensorflow, seconds }: NativeSetup, usual: string): string {
  const how = `TensorFlow ${tensorflow}, ${origins[origin]}`;
  const checked = `gradients are right under ${runtime()}`;
  const what = made
    ? `tfjs-node is installed in ${directory} (${how}) in ${formatDuration(seconds)}, and its ${checked}`
    : `tfjs-node is in ${directory} already (${how}), and its ${checked}`;
  const next =
    directory === usual
      ? 'use it with --backend native.'
      : `to use it, set ${NATIVE_VARIABLE}=${directory} and give --backend native.`;
  return `${what}: ${next}`;
}
