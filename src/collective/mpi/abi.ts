// How MPI libraries of different families name their constants: there are three ways (ABIs), and one API.
import { UsageError } from '../../errors.js';
import type { ForeignLibrary } from './foreignLibrary.js';

/** A communicator, a type of data and the like: an int or an address. */
export type Handle = number | bigint;

/** The families of libraries; a process must be started by a launcher of its library's family. */
export type Family = 'Open MPI' | 'MPICH';

export type AbiName = 'Open MPI' | 'MPICH' | 'MPI 5';

/** The constants of a library's mpi.h. */
export interface Abi {
  readonly name: AbiName;
  /** C's type of a handle. */
  readonly handle: 'int' | 'intptr_t';
  /** MPI_COMM_WORLD. */
  readonly world: Handle;
  /** MPI_BYTE. */
  readonly byte: Handle;
  /** MPI_ERRORS_RETURN. */
  readonly errorsReturn: Handle;
  /** MPI_IN_PLACE, a pointer. */
  readonly inPlace: bigint;
  /** MPI_THREAD_FUNNELED. */
  readonly funneled: number;
  /**
   * Classes of the errors which say that a process has died: it has failed, also where others may still come,
   * or the processes are revoked. Empty where no library of the ABI lets the others go on.
   */
  readonly losses: readonly number[];
}

/** Handles are the addresses of variables of the library (Open MPI 4 and 5, mpi.h). */
const OPEN_MPI = {
  name: 'Open MPI',
  handle: 'intptr_t',
  inPlace: 1n,
  funneled: 1,
  // mpi-ext.h; MPI 5.0 has none of it.
  losses: [75, 76, 77],
} as const satisfies Partial<Abi>;

/** Handles are numbers: MPICH's ABI initiative, which Intel MPI and MVAPICH share (MPICH 4 and 5, mpi.h). */
const MPICH: Abi = {
  name: 'MPICH',
  handle: 'int',
  world: 0x44000000,
  byte: 0x4c00010d,
  errorsReturn: 0x54000001,
  inPlace: -1n,
  funneled: 1,
  losses: [],
};

/** MPI 5.0, chapter 20: handles are small numbers of the size of a pointer (mpi_abi.h of MPICH 5). */
const STANDARD: Abi = {
  name: 'MPI 5',
  handle: 'intptr_t',
  world: 0x101,
  byte: 0x247,
  errorsReturn: 0x143,
  inPlace: 1n,
  funneled: 1024,
  losses: [],
};

/**
 * The ABI of a library.
 * @param path for the message.
 * @param version as MPI_Get_library_version tells it.
 * @throws UsageError where it has none of the three.
 */
export function abiOf(library: ForeignLibrary, path: string, version: string): Abi {
  const address = (name: string) => library.address(name);
  const world = address('ompi_mpi_comm_world');
  const byte = address('ompi_mpi_byte');
  const errorsReturn = address('ompi_mpi_errors_return');
  if (world !== undefined && byte !== undefined && errorsReturn !== undefined) {
    return { ...OPEN_MPI, world, byte, errorsReturn };
  }
  if (isStandard(library)) return STANDARD;
  if (familyOf(version) === 'MPICH') return MPICH;
  throw new UsageError(
    `${path} is an MPI library ("${shortVersion(version)}"), but its ABI is none of these: Open MPI's, MPICH's, MPI 5's.`,
  );
}

/** A library of MPI 5 may have another ABI of its own, and says then that its version is -1. */
function isStandard(library: ForeignLibrary): boolean {
  if (library.address('MPI_Abi_get_version') === undefined) return false;
  const major = new Int32Array(1);
  const minor = new Int32Array(1);
  library.intFunction('MPI_Abi_get_version', ['void *', 'void *'])(major, minor);
  return major[0]! > 0;
}

/** @param version as MPI_Get_library_version tells it. */
export function familyOf(version: string): Family | undefined {
  if (/\bOpen MPI\b/.test(version)) return 'Open MPI';
  if (/MPICH|MVAPICH|Intel\(R\) MPI/.test(version)) return 'MPICH';
  return undefined;
}

/** Name and number alone: libraries add dates, compilers and options. */
export function shortVersion(version: string): string {
  const [line = ''] = version.split('\n');
  const found = /^(.*?)(?:\s+Version)?\s*:?\s+v?(\d+(?:\.\w+)+)/.exec(line);
  return found ? `${found[1]} ${found[2]}` : line.trim();
}
