import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  findLibraries,
  launchersOf,
  librariesAt,
  type SearchedMachine,
} from '#src/collective/mpi/findLibraries.js';
import { UsageError } from '#src/errors.js';

/** A machine with these files; a link has a target. */
function machine(
  files: readonly (string | readonly [link: string, target: string])[],
  env: SearchedMachine['env'] = {},
): SearchedMachine {
  const links = new Map(files.filter((file) => typeof file !== 'string'));
  const paths = files.map((file) => (typeof file === 'string' ? file : file[0]));
  const isDirectory = (path: string) => paths.some((file) => file.startsWith(`${path}/`));
  return {
    env,
    arch: 'x64',
    exists: (path) => paths.includes(path) || isDirectory(path),
    isDirectory,
    realPath: (path) => links.get(path) ?? path,
  };
}

function pathsOf(libraries: readonly { readonly path: string }[]): string[] {
  return libraries.map(({ path }) => path);
}

const DEBIAN = [
  ['/usr/lib/x86_64-linux-gnu/libmpi.so.40', '/usr/lib/x86_64-linux-gnu/libmpi.so.40.30.4'],
  ['/usr/lib/x86_64-linux-gnu/libmpich.so.12', '/usr/lib/x86_64-linux-gnu/libmpich.so.12.2.2'],
  '/usr/bin/mpirun',
  '/usr/bin/mpirun.openmpi',
  '/usr/bin/mpirun.mpich',
] as const;

describe('findLibraries', () => {
  it("finds Debian's packages, and the launcher of each", () => {
    const debian = machine(DEBIAN);
    const libraries = findLibraries(debian);
    assert.deepEqual(pathsOf(libraries), [
      '/usr/lib/x86_64-linux-gnu/libmpi.so.40',
      '/usr/lib/x86_64-linux-gnu/libmpich.so.12',
    ]);
    assert.deepEqual(launchersOf(libraries[0]!, 'Open MPI', debian), [
      '/usr/bin/mpirun.openmpi',
      '/usr/bin/mpirun',
    ]);
    assert.deepEqual(launchersOf(libraries[1]!, 'MPICH', debian), [
      '/usr/bin/mpirun.mpich',
      '/usr/bin/mpirun',
    ]);
  });

  it("finds Red Hat's packages, whose launchers are on no PATH", () => {
    const fedora = machine(
      [
        '/usr/lib64/openmpi/lib/libmpi.so.40',
        '/usr/lib64/openmpi/bin/mpirun',
        '/usr/lib64/mpich/lib/libmpi.so.12',
      ],
      { PATH: '/usr/bin' },
    );
    const libraries = findLibraries(fedora);
    assert.deepEqual(pathsOf(libraries), [
      '/usr/lib64/openmpi/lib/libmpi.so.40',
      '/usr/lib64/mpich/lib/libmpi.so.12',
    ]);
    assert.deepEqual(launchersOf(libraries[0]!, 'Open MPI', fedora), ['/usr/lib64/openmpi/bin/mpirun']);
    assert.deepEqual(launchersOf(libraries[1]!, 'MPICH', fedora), []);
  });

  it('puts first what was asked for, then the launcher of this job, then the PATH, then the system', () => {
    const files = [
      ...DEBIAN,
      '/here/lib/libmpi.so.12',
      '/here/lib/libmpi_abi.so.1',
      '/prefix/lib/libmpi.so.40',
      '/venv/lib/libmpi.so.40',
      '/venv/bin/mpirun',
      '/modules/libmpi.so.40',
    ];
    const env = {
      LOWERBOUND_MPI: '/here:/nowhere',
      OPAL_PREFIX: '/prefix',
      PATH: '/usr/bin:/venv/bin',
      LD_LIBRARY_PATH: '/modules',
    };
    // The PATH has the system's launcher before that of the virtual environment.
    assert.deepEqual(pathsOf(findLibraries(machine(files, env))), [
      '/here/lib/libmpi.so.12',
      '/here/lib/libmpi_abi.so.1',
      '/prefix/lib/libmpi.so.40',
      '/usr/lib/x86_64-linux-gnu/libmpi.so.40',
      '/usr/lib/x86_64-linux-gnu/libmpich.so.12',
      '/venv/lib/libmpi.so.40',
      '/modules/libmpi.so.40',
    ]);
  });

  it('names a library once, whatever leads to it', () => {
    const twice = machine([
      ['/usr/local/lib/libmpi.so.40', '/opt/openmpi/lib/libmpi.so.40'],
      '/opt/openmpi/lib/libmpi.so.40',
    ]);
    assert.deepEqual(pathsOf(findLibraries(twice)), ['/opt/openmpi/lib/libmpi.so.40']);
  });

  it('finds nothing where nothing is', () => {
    assert.deepEqual(findLibraries(machine([])), []);
  });
});

describe('librariesAt', () => {
  const files = ['/venv/lib/libmpi.so.40', '/venv/bin/mpirun', '/empty/file', '/odd/libmine.so'];

  it('takes a file of any name, a folder with libraries, and one with lib/', () => {
    const own = machine(files);
    assert.deepEqual(pathsOf(librariesAt('/odd/libmine.so', own)), ['/odd/libmine.so']);
    assert.deepEqual(pathsOf(librariesAt('/venv/lib', own)), ['/venv/lib/libmpi.so.40']);
    const [library] = librariesAt('/venv', own);
    assert.equal(library!.path, '/venv/lib/libmpi.so.40');
    assert.deepEqual(launchersOf(library!, 'Open MPI', own), ['/venv/bin/mpirun']);
  });

  it('refuses a folder without one', () => {
    assert.throws(
      () => librariesAt('/empty', machine(files)),
      new UsageError(
        'The folder /empty, which --mpi-library names, has no MPI library, nor has its lib: ' +
          'libmpi.so.40, libmpich.so.12, libmpi.so.12, libmpi_abi.so.1.',
      ),
    );
  });
});
