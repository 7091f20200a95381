// The contract of message passing, over each MPI library of this machine, in processes that its launcher
// starts. LOWERBOUND_MPI names installations beside the usual places: .ci/run makes some.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { WorkingMpi } from '#src/setup/mpi.js';
import { temporaryDirectory } from '../runs/temporaryDirectory.js';
import type { Ended } from './collectiveContract.js';
import { canHeal, mpiLibraries, startMpiJob } from './mpiJobs.js';
import { type JobEnd, worldContract } from './worldContract.js';
import type { WorldScenario } from './worldScenarios.js';

const script = fileURLToPath(new URL('./mpiProcess.js', import.meta.url));
const parent = temporaryDirectory();

/** Milliseconds after which a job is ended: it hangs. */
const HANGS = 60_000;

interface Job extends JobEnd {
  readonly stderr: string;
}

/** Starts jobs with a launcher and a library. */
function starter(mpi: WorkingMpi) {
  const run = async (
    processes: number,
    scenarios: readonly WorldScenario[],
    timeLimit: number,
    isTolerant = false,
  ): Promise<Job> => {
    const folder = mkdtempSync(join(parent, 'job-'));
    const args = [script, mpi.library, String(timeLimit), folder, ...scenarios];
    const { code, seconds, stderr } = await startMpiJob(mpi, [{ processes, args }], { isTolerant }).end;
    const endOf = (scenario: WorldScenario, rank: number): Ended | undefined => {
      const path = join(folder, `${scenario}-${rank}.json`);
      return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Ended) : undefined;
    };
    const endsOf = (scenario: WorldScenario) =>
      Array.from({ length: processes }, (_, rank) => endOf(scenario, rank));
    return { code, seconds, stderr, endsOf };
  };
  return { run };
}

const found = await mpiLibraries();
for (const mpi of found) {
  if (mpi.works) {
    const title = `${mpi.version} by the ABI of ${mpi.abi}, ${mpi.library}`;
    worldContract({ title, library: mpi.version, heals: canHeal(mpi), ...starter(mpi) });
  } else {
    // A library that is no good here is nobody's fault; two processes that do not come together may be ours.
    it(mpi.library, { skip: mpi.failed !== 'check' && mpi.reason }, () => assert.fail(mpi.reason));
  }
}

/** What is to be tested wherever it is. */
const KINDS: readonly [string, (mpi: WorkingMpi) => boolean][] = [
  ['Open MPI 4', ({ version }) => version.startsWith('Open MPI 4')],
  ['Open MPI 5', ({ version }) => version.startsWith('Open MPI 5')],
  ['MPICH by its own ABI', ({ abi }) => abi === 'MPICH'],
  ['one of the ABI of MPI 5', ({ abi }) => abi === 'MPI 5'],
];
for (const [kind, isOfKind] of KINDS) {
  if (found.some((mpi) => mpi.works && isOfKind(mpi))) continue;
  it(kind, {
    skip: `No library of this machine is ${kind}: see LOWERBOUND_MPI in CONTRIBUTING.md.`,
  }, () => {});
}

const families = (['Open MPI', 'MPICH'] as const).map((family) =>
  found.find((mpi): mpi is WorkingMpi => mpi.works && mpi.family === family),
);
const [openMpi, mpich] = families;
const lacking = openMpi && mpich ? false : 'It needs Open MPI and MPICH, and one of them is not here.';

it('refuses a library of another MPI than the launcher', { skip: lacking }, async () => {
  for (const [own, other] of [
    [openMpi!, mpich!],
    [mpich!, openMpi!],
  ] as const) {
    const { run } = starter({ ...own, library: other.library });
    const { code, stderr } = await run(2, [], 20_000);
    assert.notEqual(code, 0);
    const sentence =
      `UsageError: ${own.family}'s mpirun has started this process, but the library is ${other.version} in ` +
      `${other.library}. Name the library that belongs to the launcher with --mpi-library.\n`;
    assert.ok(stderr.includes(sentence), stderr);
  }
});

it('refuses a library that sees other processes than the launcher has started', { skip: lacking }, () => {
  const { library, version } = openMpi!;
  // As it is where the library does not understand the launcher: it believes that it is alone.
  const env = { ...process.env, OMPI_COMM_WORLD_SIZE: '3', OMPI_COMM_WORLD_RANK: '2' };
  const { status, stderr } = spawnSync(process.execPath, [script, library, '20000', parent], {
    ...{ env, encoding: 'utf8', timeout: HANGS },
  });
  assert.notEqual(status, 0);
  const sentence =
    `UsageError: Open MPI's mpirun has started this process as number 2 of 3, but for ${version} in ${library} it is ` +
    'number 0 of 1: the library does not understand this launcher. ' +
    'Name the library that belongs to the launcher with --mpi-library.\n';
  assert.ok(stderr.includes(sentence), stderr);
});

const healing = found.find((mpi): mpi is WorkingMpi => mpi.works && canHeal(mpi));
const cannotHeal = healing === undefined && 'No library with fault tolerance (Open MPI 5) works here.';

it('processes that go on without others do not wait for one that dies before it has joined', {
  skip: cannotHeal,
}, async () => {
  const { library } = healing!;
  const joining = `
    import { ProcessGroup } from '${import.meta.resolve('#src/collective/processes/processGroup.js')}';
    import { launchedBy } from '${import.meta.resolve('#src/collective/mpi/launcher.js')}';
    const launched = launchedBy(process.env);
    await ProcessGroup.join({ library: '${library}', timeLimit: 3000, launched });`;
  const groups = [joining, "process.kill(process.pid, 'SIGKILL')"].map((text, number) => {
    const script = join(parent, `${number}.mjs`);
    writeFileSync(script, text);
    return { processes: 1, args: [script] };
  });
  const { code, stderr } = await startMpiJob(healing!, groups, { isTolerant: true }).end;
  assert.match(stderr, /This process has waited 3 s for the others to begin: one of them has died/);
  assert.equal(code, 1, stderr);
});
