// What a launcher (mpirun, srun) tells the processes that it starts.
import type { Family } from './abi.js';

export interface Launched {
  /** Processes that were started together. */
  readonly size: number;
  readonly rank: number;
  /** The launcher, for messages. */
  readonly by: string;
  /** The environment variable that tells the number of processes, for messages. */
  readonly variable: string;
  /** The family of libraries that understands this launcher; undefined where both may. */
  readonly family: Family | undefined;
  /** Whether it lets processes go on when another one has died (ULFM). */
  readonly isTolerant: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Launcher extends Pick<Launched, 'by' | 'family'> {
  /** The variables with the numbers of processes and of this one. */
  readonly size: string;
  readonly rank: string;
}

/** The first one that fits counts: a launcher inside a Slurm job sets its own variables beside Slurm's. */
const LAUNCHERS: readonly Launcher[] = [
  { by: "Open MPI's mpirun", family: 'Open MPI', size: 'OMPI_COMM_WORLD_SIZE', rank: 'OMPI_COMM_WORLD_RANK' },
  { by: "MPICH's mpirun", family: 'MPICH', size: 'PMI_SIZE', rank: 'PMI_RANK' },
  { by: "Slurm's srun", family: undefined, size: 'SLURM_STEP_NUM_TASKS', rank: 'SLURM_PROCID' },
];

/** What the environment says of a launcher; undefined where this process was started by itself. */
export function launchedBy(env: Environment): Launched | undefined {
  for (const { by, family, size, rank } of LAUNCHERS) {
    const values = [env[size], env[rank]].map((text) =>
      /^\d+$/.test(text ?? '') ? Number(text) : undefined,
    );
    const [processes, own] = values;
    if (processes === undefined || own === undefined) continue;
    const isTolerant = env.OMPI_MCA_mpi_ft_enable === '1';
    return { size: processes, rank: own, by, variable: size, family, isTolerant };
  }
  return undefined;
}

/** Variables with the number of processes on this machine, of the launchers that tell it. */
const ON_THIS_MACHINE = ['OMPI_COMM_WORLD_LOCAL_SIZE', 'MPI_LOCALNRANKS'];

/** Processes that a launcher has started on this machine, this one among them; 1 where nobody tells. */
export function neighbours(env: Environment): number {
  for (const name of ON_THIS_MACHINE) {
    if (/^[1-9]\d*$/.test(env[name] ?? '')) return Number(env[name]);
  }
  // Slurm's: 2, or a list such as 2(x3),1 where nodes differ; the largest share is a safe one.
  const tasks = (env.SLURM_STEP_TASKS_PER_NODE ?? '').match(/\d+(?=\(|,|$)/g) ?? [];
  return Math.max(1, ...tasks.map(Number));
}
