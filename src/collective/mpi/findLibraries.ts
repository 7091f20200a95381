// Where MPI libraries are: in the usual places, beside the launchers on the PATH, in virtual environments.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { UsageError } from '../../errors.js';
import type { Family } from './abi.js';

/** The machine, as far as the search looks at it. */
export interface SearchedMachine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly arch: NodeJS.Architecture;
  /** Whether there is such a file or folder. */
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Behind all symbolic links. */
  realPath(path: string): string;
}

export function thisMachine(): SearchedMachine {
  return {
    env: process.env,
    arch: process.arch,
    exists: existsSync,
    isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
    realPath: realpathSync,
  };
}

/** A file that may be an MPI library. */
export interface FoundLibrary {
  readonly path: string;
  /** Folders in which its launcher may be, the likeliest first. */
  readonly launcherFolders: readonly string[];
}

/** The file names of Open MPI 4 and 5, MPICH, and MPI 5's ABI, on Linux and macOS. */
const FILES = [
  ...['libmpi.so.40', 'libmpich.so.12', 'libmpi.so.12', 'libmpi_abi.so.1'],
  ...['libmpi.40.dylib', 'libmpi.12.dylib', 'libmpi_abi.1.dylib'],
];

/** Folders of MPI installations that are looked at first, separated as in PATH. */
export const MPI_VARIABLE = 'LOWERBOUND_MPI';

/**
 * Variables that name a folder with bin/ and lib/: of the launchers, virtual environments, modules, conda.
 */
const PREFIXES = [
  'OPAL_PREFIX',
  'VIRTUAL_ENV',
  'MPI_HOME',
  'MPI_ROOT',
  'MPI_DIR',
  'CONDA_PREFIX',
  'I_MPI_ROOT',
];

/** Where compilers of the architecture put libraries on Debian and its kin. */
const TRIPLETS: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  ppc64: 'powerpc64le-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
};

const LAUNCHERS = ['mpirun', 'mpiexec'];

/**
 * The libraries of this machine, in the order in which they are tried: those of the launcher that has started
 * this process or that the PATH names before those of the system.
 */
export function findLibraries(machine: SearchedMachine = thisMachine()): FoundLibrary[] {
  const { env, arch } = machine;
  const paths = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const triplet = TRIPLETS[arch];
  const prefixes = [
    ...given((env[MPI_VARIABLE] ?? '').split(delimiter)),
    ...given(PREFIXES.map((name) => env[name])),
    ...paths.filter((folder) => LAUNCHERS.some((name) => machine.exists(join(folder, name)))).map(dirname),
    ...['/opt/openmpi', '/opt/mpich', '/opt/homebrew', '/usr/local', '/usr'],
  ];
  const folders = [
    ...prefixes.flatMap((prefix) => libraryFolders(prefix, triplet)),
    ...given((env.LD_LIBRARY_PATH ?? '').split(delimiter)),
  ];
  return librariesIn(folders, machine);
}

/**
 * The libraries of a path: of a file, or of a folder such as a virtual environment.
 * @throws UsageError where there is none.
 */
export function librariesAt(path: string, machine: SearchedMachine = thisMachine()): FoundLibrary[] {
  const full = resolve(path);
  if (!machine.exists(full)) throw new UsageError(`There is no ${path}, which --mpi-library names.`);
  if (!machine.isDirectory(full)) return [found(full, machine)];
  const libraries = librariesIn([full, ...libraryFolders(full, TRIPLETS[machine.arch])], machine);
  if (libraries.length > 0) return libraries;
  throw new UsageError(
    `The folder ${path}, which --mpi-library names, has no MPI library, nor has its lib: ${FILES.slice(0, 4).join(', ')}.`,
  );
}

/** Families have libraries of their own names; a name decides only which one is tried. */
export function familyByName(path: string): Family {
  return /libmpi\.(so\.)?40\b/.test(path) ? 'Open MPI' : 'MPICH';
}

/** Names of launchers, the likeliest first: where several families share a folder, they have endings. */
const LAUNCHER_NAMES: Record<Family, readonly string[]> = {
  'Open MPI': ['mpirun.openmpi', 'mpirun', 'mpiexec'],
  MPICH: ['mpirun.mpich', 'mpiexec.hydra', 'mpirun', 'mpiexec'],
};

/** Programs that may be the launcher of a library; its answer to --version tells. */
export function launchersOf(
  { launcherFolders }: FoundLibrary,
  family: Family,
  machine: SearchedMachine = thisMachine(),
): string[] {
  return launcherFolders
    .flatMap((folder) => LAUNCHER_NAMES[family].map((name) => join(folder, name)))
    .filter((program) => machine.exists(program));
}

/** Where the libraries of a prefix may be; Red Hat's and Debian's packages have folders of their own. */
function libraryFolders(prefix: string, triplet: string | undefined): string[] {
  const plain = ['lib', 'lib64', 'lib/release', ...(triplet === undefined ? [] : [join('lib', triplet)])];
  const own = [
    'lib64/openmpi/lib',
    'lib64/mpich/lib',
    ...(triplet === undefined ? [] : [`lib/${triplet}/openmpi/lib`]),
  ];
  return [...plain, ...own].map((folder) => join(prefix, folder));
}

function librariesIn(folders: readonly string[], machine: SearchedMachine): FoundLibrary[] {
  const libraries = new Map<string, FoundLibrary>();
  for (const folder of folders) {
    for (const name of FILES) {
      const path = join(folder, name);
      if (!machine.exists(path)) continue;
      const real = machine.realPath(path);
      if (!libraries.has(real)) libraries.set(real, found(path, machine));
    }
  }
  return [...libraries.values()];
}

function found(path: string, machine: SearchedMachine): FoundLibrary {
  // lib, lib64 and lib/<triplet>, as the path has it and behind links; then where the PATH leads.
  const folders = [path, machine.realPath(path)]
    .map(dirname)
    .flatMap((lib) => [dirname(lib), dirname(dirname(lib))]);
  const paths = (machine.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const own = folders.map((folder) => join(folder, 'bin'));
  return { path, launcherFolders: [...new Set([...own, ...paths])] };
}

function given(values: readonly (string | undefined)[]): string[] {
  return values.filter((value) => value !== undefined && value !== '') as string[];
}
