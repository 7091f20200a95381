// Whether a run is trained by several processes, and how this one joins the others.
import {
  type FoundLibrary,
  familyByName,
  findLibraries,
  librariesAt,
} from '../collective/mpi/findLibraries.js';
import { type Launched, launchedBy } from '../collective/mpi/launcher.js';
import { ProcessGroup } from '../collective/processes/processGroup.js';
import { ToldElsewhere, UsageError } from '../errors.js';
import { launchedTogether } from './launched.js';
import type { ProcessOptions } from './processOptions.js';
import { BARRIER_TIMEOUT } from './runOptions.js';
import type { TrainOptions } from './trainOptions.js';

/** Seconds that the others may take for their part of an exchange beyond what a stalled worker may take. */
const PATIENCE = 30;

/**
 * Joins the processes that a launcher has started with this one.
 * @returns undefined where this process trains alone.
 * @throws UsageError where there are no others and `mpi` insists on them, their number is not `worldSize`, or
 * no library can be used.
 */
export async function joinProcesses(
  options: ProcessOptions & Pick<TrainOptions, 'barrierTimeout'>,
): Promise<ProcessGroup | undefined> {
  const { mpi, mpiLibrary, worldSize, barrierTimeout = BARRIER_TIMEOUT } = options;
  if (mpi === false && (mpiLibrary !== undefined || worldSize !== undefined)) {
    throw new UsageError(
      'Without MPI there is no library and no world: leave --mpi-library and --world-size out.',
    );
  }
  const launched = launchedTogether(options);
  if (launched === undefined) {
    requireAlone(options);
    return undefined;
  }
  const library = libraryFor(launched, mpiLibrary);
  const timeLimit = (barrierTimeout + PATIENCE) * 1000;
  const group = await ProcessGroup.join({ library: library.path, timeLimit, launched });
  const { processes, process: number } = group.place;
  if (worldSize === undefined || worldSize === processes) return group;
  await group.leave();
  const message = `${processes} processes have come together, but ${worldSize} are asked for (--world-size).`;
  throw number === 0 ? new UsageError(message) : new ToldElsewhere(message);
}

/** @throws UsageError where one process is not what was asked for. */
function requireAlone({ mpi, worldSize }: ProcessOptions): void {
  if (worldSize !== undefined && worldSize !== 1) {
    throw new UsageError(
      `This process is alone, but ${worldSize} are asked for (--world-size): start them with mpirun or srun.`,
    );
  }
  if (mpi === true && launchedBy(process.env) === undefined) {
    throw new UsageError(
      'MPI is insisted on (--mpi), but no launcher has started this process: mpirun -n 2 lowerbound train, for example. ' +
        'The command lowerbound setup mpi says which launcher belongs to which library.',
    );
  }
}

/** @throws UsageError where there is none. */
function libraryFor({ by, family }: Launched, path: string | undefined): FoundLibrary {
  const libraries = path === undefined ? findLibraries() : librariesAt(path);
  const fitting = libraries.find((library) => family === undefined || familyByName(library.path) === family);
  // A file that is named is taken at its word.
  const chosen = fitting ?? (path === undefined ? undefined : libraries[0]);
  if (chosen !== undefined) return chosen;
  throw new UsageError(
    `${by} has started several processes, but no MPI library of its family was found. Name one with --mpi-library, ` +
      'or have each process train for itself with --no-mpi. The command lowerbound setup mpi says where it looks.',
  );
}
