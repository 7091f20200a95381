// What `setup mpi` has found, in lines and as JSON.
import { availableParallelism } from 'node:os';
import { launchLine, type MpiReport, tolerantOptions, type WorkingMpi } from '../setup/mpi.js';
import { shellWord } from './shellWord.js';

/** The processes of the line that is shown. */
const PROCESSES = 2;

/** Lines: what works, what does not and why, and how processes are started with the first one that works. */
export function describeMpi(reports: readonly MpiReport[]): string[] {
  const [first] = reports.filter((report) => report.works);
  const lines = reports.map(describe);
  if (first === undefined) return [...lines, 'No MPI library of this machine can be used.'];
  return [
    ...lines,
    ...pinned(first),
    `Start processes with: ${lineOf(first).map(shellWord).join(' ')} COMMAND`,
    ...tolerance(first),
  ];
}

/** The same for machines. */
export function mpiJson(reports: readonly MpiReport[]): object {
  return {
    libraries: reports.map((report) => (report.works ? { ...report, launch: lineOf(report) } : report)),
  };
}

function describe(report: MpiReport): string {
  const what = report.version === undefined ? report.library : `${report.version} in ${report.library}`;
  if (!report.works) return `${what} cannot be used: ${report.reason}`;
  return `${what} works: two processes started by ${report.launcher} had each other's bytes.`;
}

/** A process that may use one core alone, though there are more, has all its threads there. */
function pinned({ cores, launcher }: WorkingMpi): string[] {
  const all = availableParallelism();
  if (cores >= all) return [];
  return [
    `Warning: ${launcher} lets a process use ${cores} of ${all} cores, in spite of --bind-to none. Its threads share them.`,
  ];
}

function tolerance(mpi: WorkingMpi): string[] {
  const options = tolerantOptions(mpi);
  return options ? [`With ${options.join(' ')} before COMMAND, training goes on where a process dies.`] : [];
}

function lineOf({ launcher, family }: WorkingMpi): string[] {
  return launchLine({ program: launcher, family }, PROCESSES);
}
