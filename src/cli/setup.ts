import { NATIVE_VARIABLE, nativeDirectory } from '../backends/tensorflow/nativeDirectory.js';
import { UsageError } from '../errors.js';
import { formatDuration } from '../report/quantity.js';
import type { StageReporter } from '../report/stageReporter.js';
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
  summary:
    'Install TensorFlow for the backend native (docs/backends.md), or find and check MPI (docs/cluster.md)',
  positionals: {
    what: onlyThese(),
  },
  flags: {
    directory: path('the path of a directory', {
      describe:
        'native: folder of the installation; where it is not the default, LOWERBOUND_NATIVE_DIR must name it in use',
      default: 'LOWERBOUND_NATIVE_DIR, else (Linux) a folder in ~/.local/share/lowerbound',
    }),
    force: switchFlag({
      describe: 'native: install again where it is installed',
      default: 'off: only check it again',
    }),
    'mpi-library': path('the path of a library or of a folder', {
      describe: 'mpi: the library, or the folder of an installation, e.g. a virtual environment',
      default: 'all that are found: LOWERBOUND_MPI, the PATH, the usual places',
    }),
    ...outputFlags,
  },
  examples: [
    [
      'lowerbound setup native',
      'TensorFlow for --backend native: about 900 MB, from npm and, if need be, PyPI',
    ],
    ['lowerbound setup native --directory /opt/lowerbound-native', 'Into a folder of your choice'],
    ['lowerbound setup mpi', 'Which MPI libraries are there, and whether they work; installs nothing'],
  ],
  async execute({ what, directory, force, 'mpi-library': mpiLibrary, json = false }) {
    if (what === 'mpi') {
      refuseFlags('mpi', { '--directory': directory, '--force': force });
      return findMpi(mpiLibrary, json);
    }
    refuseFlags('native', { '--mpi-library': mpiLibrary });
    return installNative(given({ directory, force }), json);
  },
});

/** @throws UsageError for a flag of the other set-up. */
function refuseFlags(what: string, flags: Readonly<Record<string, unknown>>): void {
  for (const [flag, value] of Object.entries(flags)) {
    if (value !== undefined)
      throw new UsageError(`setup ${what} takes no ${flag}. See "lowerbound setup --help".`);
  }
}

async function installNative(
  options: { readonly directory?: string; readonly force?: boolean },
  json: boolean,
): Promise<number> {
  const { setupNative } = await import('../setup/native.js');
  return stoppable(json, 'Stopping; nothing half-done will stay.', async (reporter, signal) => {
    const result = await setupNative({ ...options, ...given({ progress: reporter }), signal });
    if (json) printJson(result);
    else printLine(sentence(result, nativeDirectory()));
    return ExitCode.done;
  });
}

async function findMpi(mpiLibrary: string | undefined, json: boolean): Promise<number> {
  const { setupMpi } = await import('../setup/mpi.js');
  return stoppable(json, 'Stopping.', async (reporter, signal) => {
    const begin = (work: string) => reporter?.begin(work);
    const reports = await setupMpi({ ...given({ mpiLibrary }), begin, signal });
    const { describeMpi, mpiJson } = await import('./mpiWords.js');
    if (json) printJson(mpiJson(reports));
    else printLine(describeMpi(reports).join('\n'));
    return reports.some(({ works }) => works) ? ExitCode.done : ExitCode.failed;
  });
}

/** Work that Ctrl-C stops. @param stopping what is then said first. */
async function stoppable(
  json: boolean,
  stopping: string,
  work: (reporter: StageReporter | undefined, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const { StageReporter } = await import('../report/stageReporter.js');
  const reporter = json ? undefined : new StageReporter({ stream: process.stdout });
  const interruption = new Interruption(() => {
    reporter?.note(`${stopping} Press Ctrl-C again to leave at once.`);
  });
  try {
    return await work(reporter, interruption.signal);
  } catch (error) {
    if (interruption.exitCode === undefined) throw error;
    return interruption.exitCode;
  } finally {
    reporter?.stop();
    interruption.release();
  }
}

/** What has a set-up. */
function onlyThese(): ValueFlag<string> {
  return {
    kind: 'value',
    describe: 'What is set up: native or mpi',
    words: ['native', 'mpi'],
    default: 'none: it must be given',
    parse: (given, name) => {
      if (given === 'native' || given === 'mpi') return given;
      throw new UsageError(`${name} takes native or mpi, not ${quote(given)}: nothing else needs a set-up.`);
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
