// The MPI libraries of this machine, and jobs that their launchers start.
import { spawn } from 'node:child_process';
import { UsageError } from '#src/errors.js';
import { launchLine, type MpiReport, setupMpi, tolerantOptions, type WorkingMpi } from '#src/setup/mpi.js';

/** Milliseconds after which a job is ended: it hangs. */
const HANGS = 60_000;

/** LOWERBOUND_MPI names installations beside the usual places: .ci/run makes some. */
export async function mpiLibraries(): Promise<readonly MpiReport[]> {
  try {
    return await setupMpi();
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}

/** How a job ended, and what its processes have said. */
export interface MpiJobEnd {
  /** null where a signal ended the launcher. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface MpiJob {
  readonly end: Promise<MpiJobEnd>;
  /** Resolves when a process has printed this text; rejects when the job ends without. */
  printed(text: string): Promise<void>;
}

/** What some of the processes of a job run. */
export interface MpiGroup {
  readonly processes: number;
  /** The arguments of Node. */
  readonly args: readonly string[];
}

/** Whether processes can go on where one of them has died. */
export function canHeal(mpi: WorkingMpi): boolean {
  return tolerantOptions(mpi) !== undefined;
}

/**
 * Starts the processes of all groups as one job.
 * @param isTolerant of the death of one of them: see canHeal.
 */
export function startMpiJob(
  mpi: WorkingMpi,
  groups: readonly MpiGroup[],
  { directory, isTolerant = false }: { readonly directory?: string; readonly isTolerant?: boolean } = {},
): MpiJob {
  const { launcher, family } = mpi;
  const all = groups.reduce((sum, { processes }) => sum + processes, 0);
  const [program, , , ...options] = launchLine({ program: launcher, family }, all) as [string, ...string[]];
  if (isTolerant) options.push(...tolerantOptions(mpi)!);
  const commands = groups.flatMap(({ processes, args }, index) => [
    ...(index === 0 ? [] : [':']),
    ...['-n', String(processes), process.execPath, ...args],
  ]);
  const start = performance.now();
  const child = spawn(program, [...options, ...commands], {
    ...{ cwd: directory, timeout: HANGS, killSignal: 'SIGKILL' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const end = new Promise<MpiJobEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout, stderr, seconds: (performance.now() - start) / 1000 });
    });
  });
  const printed = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (stdout.includes(text)) resolve();
      };
      child.stdout.on('data', look);
      child.on('close', () => reject(new Error(`The job never printed ${text}:\n${stdout}${stderr}`)));
      look();
    });
  return { end, printed };
}
