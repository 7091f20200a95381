// Run by the set-up in a process of its own, with a library's path as its argument: a library that is loaded
// stays in its process. Prints whose library it is.
import { familyOf, shortVersion } from '../collective/mpi/abi.js';
import { loadMpi } from '../collective/mpi/mpiWorld.js';
import type { ProbeAnswer } from './mpi.js';

function probe(path: string): ProbeAnswer {
  try {
    const { abi, version } = loadMpi(path);
    // A library of MPI 5's ABI that is neither is tried with either launcher.
    return { kind: 'mpi', abi: abi.name, family: familyOf(version), version: shortVersion(version) };
  } catch (error) {
    return { kind: 'refused', reason: (error as Error).message };
  }
}

process.stdout.write(`${JSON.stringify(probe(process.argv[2]!))}\n`);
