// What libraries and launchers say of themselves. That the constants of the ABIs are right, mpi.test.ts
// shows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { abiOf, familyOf, shortVersion } from '#src/collective/mpi/abi.js';
import type { ForeignLibrary } from '#src/collective/mpi/foreignLibrary.js';
import { launchedBy } from '#src/collective/mpi/launcher.js';
import { UsageError } from '#src/errors.js';

/** The beginnings of what MPI_Get_library_version tells. Those of MVAPICH and Intel were not seen here. */
const TEXTS = {
  openMpi: 'Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022',
  mpich: 'MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n',
  mpich5: 'MPICH Version:      5.0.2\nMPICH Release date: Fri Sep 25 20:45:26 UTC 2026\n',
  mvapich: 'MVAPICH2 Version      :\t2.3.7\nMVAPICH2 Release date : Wed March 02 22:00:00 EST 2022\n',
  intel: 'Intel(R) MPI Library 2021.11 for Linux* OS\n',
} as const;

/** A library with these symbols, that says this of its ABI. */
function library(symbols: readonly string[], abiMajor = -1): ForeignLibrary {
  return {
    address: (name) => (symbols.includes(name) ? BigInt(4096 + symbols.indexOf(name)) : undefined),
    intFunction: () => (major) => {
      (major as Int32Array)[0] = abiMajor;
      return 0;
    },
  };
}

describe('an MPI library', () => {
  it('has a name and a number out of all that it says', () => {
    assert.deepEqual(Object.values(TEXTS).map(shortVersion), [
      'Open MPI 4.1.4',
      'MPICH 4.0.2',
      'MPICH 5.0.2',
      'MVAPICH2 2.3.7',
      'Intel(R) MPI Library 2021.11',
    ]);
    assert.equal(shortVersion('Some MPI of ours\nmore'), 'Some MPI of ours');
  });

  it('is of a family', () => {
    const families = ['Open MPI', 'MPICH', 'MPICH', 'MPICH', 'MPICH'];
    assert.deepEqual(Object.values(TEXTS).map(familyOf), families);
    assert.equal(familyOf('Some MPI'), undefined);
  });

  it("has Open MPI's ABI where it has its variables, whose addresses are the handles", () => {
    const own = library(['ompi_mpi_comm_world', 'ompi_mpi_byte', 'ompi_mpi_errors_return']);
    const { name, world, byte, errorsReturn } = abiOf(own, 'lib', TEXTS.openMpi);
    assert.deepEqual([name, world, byte, errorsReturn], ['Open MPI', 4096n, 4097n, 4098n]);
  });

  it('has the ABI of MPI 5 only where it says so', () => {
    assert.equal(abiOf(library(['MPI_Abi_get_version'], 1), 'lib', TEXTS.mpich5).name, 'MPI 5');
    assert.equal(abiOf(library(['MPI_Abi_get_version'], -1), 'lib', TEXTS.mpich5).name, 'MPICH');
    assert.equal(abiOf(library([]), 'lib', TEXTS.intel).name, 'MPICH');
  });

  it('is refused where it has none that we know', () => {
    assert.throws(
      () => abiOf(library([]), '/lib/libmpi.so', 'Some MPI v1.2, of somebody'),
      new UsageError(
        '/lib/libmpi.so is an MPI library ("Some MPI 1.2"), but its ABI is none of these: ' +
          "Open MPI's, MPICH's, MPI 5's.",
      ),
    );
  });
});

describe('a launcher', () => {
  it('is known by what it tells its processes', () => {
    const openMpi = { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '3' };
    const slurm = { SLURM_STEP_NUM_TASKS: '8', SLURM_PROCID: '2', PMIX_RANK: '2' };
    assert.deepEqual(launchedBy(openMpi), {
      ...{ size: 4, rank: 3, by: "Open MPI's mpirun", family: 'Open MPI', isTolerant: false },
      variable: 'OMPI_COMM_WORLD_SIZE',
    });
    assert.equal(launchedBy({ ...openMpi, OMPI_MCA_mpi_ft_enable: '1' })!.isTolerant, true);
    assert.deepEqual(launchedBy({ PMI_SIZE: '2', PMI_RANK: '0' }), {
      ...{ size: 2, rank: 0, by: "MPICH's mpirun", family: 'MPICH', isTolerant: false },
      variable: 'PMI_SIZE',
    });
    assert.deepEqual(launchedBy(slurm), {
      ...{ size: 8, rank: 2, by: "Slurm's srun", family: undefined, isTolerant: false },
      variable: 'SLURM_STEP_NUM_TASKS',
    });
    // mpirun inside a job of Slurm's.
    assert.equal(launchedBy({ ...slurm, ...openMpi })!.size, 4);
  });

  it('is not there for a process that was started by itself, nor in the batch script of a Slurm job', () => {
    assert.equal(launchedBy({}), undefined);
    assert.equal(launchedBy({ SLURM_JOB_ID: '1', SLURM_NTASKS: '8', SLURM_PROCID: '0' }), undefined);
    assert.equal(launchedBy({ PMI_SIZE: 'many', PMI_RANK: '0' }), undefined);
  });
});
