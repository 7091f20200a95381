// Work on a checkpoint by several processes, over one library each of Open MPI and MPICH, gives the figures
// and files of one process.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { WorkingMpi } from '#src/setup/mpi.js';
import { main, runProgram } from '../cli/program.js';
import { parseLines, succeed, temporaryDirectory } from '../cli/smallRun.js';
import { mpiLibraries, startMpiJob } from '../collective/mpiJobs.js';
import { smallData, smallModel } from './smallRun.js';

const directory = temporaryDirectory();
const libraries = await mpiLibraries();

before(async () => {
  await smallData(directory);
  writeFileSync(join(directory, 'small.json'), JSON.stringify(smallModel));
  // It ends with the second checkpoint: an epoch has 7 steps.
  const train = ['train', '--model', './small.json', '--data', 'data', '--workers', '1', '--no-pictures'];
  await succeed([...train, '--quiet', '--out', 'run', '--max-steps', '8'], directory);
});

const INFER = [
  ...['infer', 'run', '--data', 'data', '--examples', '3:8', '--workers', '1', '--json'],
  ...['--chains', '2', '--warmup', '6', '--draws', '20', '--leapfrog-steps', '2'],
];
const ESTIMATE = [
  ...['evaluate', 'run', '--data', 'data', '--examples', '1:10', '--workers', '1', '--json'],
  ...['--importance', '1,20', '--ais', '--chains', '2', '--temperatures', '5'],
];

type Command = readonly [processes: number, args: readonly string[]];

for (const family of ['Open MPI', 'MPICH'] as const) {
  const mpi = libraries.find((one): one is WorkingMpi => one.works && one.family === family);
  const skip =
    mpi === undefined && `No library of ${family} works here: see LOWERBOUND_MPI in CONTRIBUTING.md.`;
  /** The commands of one job: each is that of so many processes. */
  const start = async (...commands: readonly Command[]) => {
    const { library } = mpi!;
    const groups = commands.map(([processes, args]) => ({
      processes,
      args: [main, ...args, '--mpi-library', library],
    }));
    const { code, stdout, stderr } = await startMpiJob(mpi!, groups, { directory }).end;
    return { code, stdout, stderr };
  };
  /** All leave with one sentence. */
  const refused = async (sentence: RegExp, ...commands: readonly Command[]) => {
    const { code, stdout, stderr } = await start(...commands);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, stderr);
    assert.equal(stderr.split('\n').filter((line) => sentence.test(line)).length, 1, stderr);
  };

  describe(`work on a checkpoint over ${mpi?.version ?? family}`, { skip }, () => {
    // Each library has a half of the work: a process takes long to start. scripts/cluster.mjs does all.
    if (family === 'Open MPI') {
      it('infer by 3 processes prints and writes what one does', async () => {
        const files = (out: string) => [`${out}-draws.npy`, `${out}-posterior.png`] as const;
        const args = (out: string) => [...INFER, '--npy', files(out)[0], '--out', files(out)[1]];
        const outcome = (stdout: string, out: string) => ({
          lines: parseLines(stdout.replaceAll(`${out}-`, '')),
          bytes: files(out).map((file) => readFileSync(join(directory, file))),
        });
        const one = await runProgram(args('one'), directory);
        const { code, stdout, stderr } = await start([3, args('all')]);
        // Such short chains do not mix, which process 0 alone tells.
        assert.deepEqual({ code, stderr }, { code: 0, stderr: one.stderr });
        assert.deepEqual(outcome(stdout, 'all'), outcome(one.stdout, 'one'));
        // An image a line, and the two files.
        assert.equal(parseLines(stdout).length, 5 + 2);
      });

      it('refuses processes that infer by other parameters', async () => {
        const others = INFER.map((word) =>
          word === 'run' ? 'run/checkpoints/step-000000007.safetensors' : word,
        );
        const sentence =
          /^Process 1 on \S+ differs from process 0 on \S+ in the parameters \(their SHA-256\): \w{64}, not \w{64}\. Start/;
        await refused(sentence, [1, INFER], [1, others]);
      });
    } else {
      it('estimates by 2 processes are those of one', async () => {
        const stdout = await succeed([...ESTIMATE, '--per-example', 'one.jsonl'], directory);
        const job = await start([2, [...ESTIMATE, '--per-example', 'all.jsonl']]);
        assert.deepEqual(job, { code: 0, stdout, stderr: '' });
        const [one, all] = ['one.jsonl', 'all.jsonl'].map((file) =>
          readFileSync(join(directory, file), 'utf8'),
        );
        assert.equal(all, one);
      });

      // A process of MPICH that leaves before it has joined the others lets them wait for ever.
      it('refuses a run that is not there', async () => {
        const sentence = /^nowhere: there is no such file or directory\. Check the path\.$/;
        await refused(sentence, [2, ['train', '--resume', 'nowhere']]);
      });
    }
  });
}
