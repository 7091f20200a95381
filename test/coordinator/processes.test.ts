// Runs by several processes, over one library each of Open MPI and MPICH: the bits and the files of a run in
// one process, whatever the processes and threads. scripts/cluster.mjs is the long form.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TrainOptions } from '#src/index.js';
import type { WorkingMpi } from '#src/setup/mpi.js';
import type { Fault } from '#src/worker/fault.js';
import { main } from '../cli/program.js';
import { parseLines, succeed, temporaryDirectory } from '../cli/smallRun.js';
import { canHeal, type MpiGroup, mpiLibraries, startMpiJob } from '../collective/mpiJobs.js';
import { denseModel, smallData, smallModel } from './smallRun.js';
import { withoutTimes } from './temporaryRun.js';

/** Seconds in which a job must end when one of its processes has died. */
const SOON = 15;

const directory = temporaryDirectory();
const libraries = await mpiLibraries();

before(async () => {
  await smallData(directory);
  const other = join(directory, 'other');
  mkdirSync(other);
  await smallData(other);
  // The last pixel of the training images.
  const path = join(other, 'data', 'train-images-idx3-ubyte');
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  for (const model of [smallModel, denseModel]) {
    writeFileSync(join(directory, `${model.name}.json`), JSON.stringify(model));
  }
});

/** Steps between two lines of metrics.jsonl. */
const LOG_EVERY = 5;
const output = (logEvery = LOG_EVERY) => ['--no-pictures', '--log-every', String(logEvery), '--json'];

/** Two epochs and a half of 7 steps. */
const begin = (model: string, out: string, steps = 17, logEvery = LOG_EVERY) => [
  ...['train', '--model', `./${model}.json`, '--batch-size', '16', '--data', 'data', '--out', out],
  ...['--max-steps', String(steps), ...output(logEvery)],
];

const resume = (out: string, steps: number) => [
  ...['train', '--resume', out, '--data', 'data', '--max-steps', String(steps), ...output()],
];

/** What must not depend on the processes: hashes of the parameters and of every file, but for times. */
function outcomeOf(stdout: string, out: string) {
  const result = parseLines(stdout).at(-1)!;
  assert.equal(result.kind, 'result');
  const run = join(directory, out);
  const folder = join(run, 'checkpoints');
  const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  const metrics = readFileSync(join(run, 'metrics.jsonl'), 'utf8');
  return {
    parameters: result.parametersSha256,
    step: result.step,
    test: result.test,
    config: hash(join(run, 'config.json')),
    checkpoints: readdirSync(folder)
      .sort()
      .map((name) => [name, hash(join(folder, name))]),
    metrics: parseLines(metrics).map(withoutTimes),
  };
}

type Outcome = ReturnType<typeof outcomeOf>;

async function alone(args: readonly string[], out: string): Promise<Outcome> {
  return outcomeOf(await succeed([...args, '--workers', '1'], directory), out);
}

for (const family of ['Open MPI', 'MPICH'] as const) {
  const mpi = libraries.find((one): one is WorkingMpi => one.works && one.family === family);
  const skip =
    mpi === undefined && `No library of ${family} works here: see LOWERBOUND_MPI in CONTRIBUTING.md.`;
  describe(`training over ${mpi?.version ?? family}`, { skip }, () => {
    const name = family.replace(' ', '');
    const group = (processes: number, args: readonly string[]): MpiGroup => ({
      processes,
      args: [main, ...args, '--mpi-library', mpi!.library],
    });
    const start = (groups: readonly MpiGroup[]) => startMpiJob(mpi!, groups, { directory });
    /** A job that must end well. */
    const together = async (args: readonly string[], out: string, processes: number, workers: number) => {
      const { code, stdout, stderr } = await start([
        group(processes, [...args, '--workers', String(workers)]),
      ]).end;
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      return outcomeOf(stdout, out);
    };
    /** What two processes find of the test set. */
    const evaluated = async (out: string) => {
      const args = ['evaluate', out, '--data', 'data', '--workers', '1', '--json'];
      const { code, stdout, stderr } = await start([group(2, args)]).end;
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      return parseLines(stdout).at(-1)!.test;
    };
    /** All leave with one sentence and without a run. */
    const refused = async (groups: readonly MpiGroup[], sentence: RegExp) => {
      const { code, stdout, stderr } = await start(groups).end;
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      const said = stderr.split('\n').filter((line) => sentence.test(line));
      assert.equal(said.length, 1, stderr);
      assert.ok(!existsSync(join(directory, 'refused')));
    };

    for (const { name: model } of [smallModel, denseModel]) {
      it(`${model}: 2 processes × 2 threads and 3 × 1 have the bits and files of one process`, async () => {
        const expected = await alone(begin(model, `${name}-${model}-1`), `${name}-${model}-1`);
        for (const [processes, workers] of [
          [2, 2],
          [3, 1],
        ] as const) {
          const out = `${name}-${model}-${processes}`;
          assert.deepEqual(await together(begin(model, out), out, processes, workers), expected);
        }
      });
    }

    it('a run goes on with other numbers of processes, and without MPI', async () => {
      const [whole, parts] = [`${name}-whole`, `${name}-parts`];
      await alone(begin('small', whole, 5), whole);
      await alone(resume(whole, 9), whole);
      const expected = await alone(resume(whole, 16), whole);
      await together(begin('small', parts, 5), parts, 3, 1);
      await alone(resume(parts, 9), parts);
      assert.deepEqual(await together(resume(parts, 16), parts, 2, 1), expected);
    });

    it('clipped gradients: 2 and 3 processes have the bits and files of one', async () => {
      for (const { name: model } of [smallModel, denseModel]) {
        const args = (out: string) => [...begin(model, out), '--clip-norm', '3'];
        const whole = `${name}-${model}-clipped-1`;
        const expected = await alone(args(whole), whole);
        for (const [processes, workers] of [
          [2, 2],
          [3, 1],
        ] as const) {
          const out = `${name}-${model}-clipped-${processes}`;
          assert.deepEqual(await together(args(out), out, processes, workers), expected);
        }
      }
    });

    it('an average of the parameters: 2 and 3 processes have the bits and files of one', async () => {
      for (const model of ['small', 'dense']) {
        const args = (out: string) => [...begin(model, out), '--ema-decay', '0.8'];
        const whole = `${name}-${model}-average-1`;
        const expected = await alone(args(whole), whole);
        const { test } = JSON.parse(
          await succeed(['evaluate', whole, '--data', 'data', '--json'], directory),
        ) as { test: object };
        for (const processes of [2, 3]) {
          const out = `${name}-${model}-average-${processes}`;
          assert.deepEqual(await together(args(out), out, processes, 1), expected);
        }
        const ofTwo = await evaluated(`${name}-${model}-average-2`);
        assert.deepEqual(ofTwo, test);
      }
    });

    it('processes that hold the images of their own shards alone have the bits and files of one', async () => {
      const [whole, parts] = [`${name}-held`, `${name}-sharded`];
      const args = (out: string) => [...begin('small', out), '--binarize', 'dynamic'];
      const expected = await alone(args(whole), whole);
      assert.deepEqual(await together([...args(parts), '--shard-data'], parts, 3, 1), expected);
    });

    it('a file that one process can no longer trust ends the run in all', async () => {
      const out = `${name}-changed`;
      const copy = join(directory, out);
      mkdirSync(copy);
      await smallData(copy);
      const args = [...begin('small', `${name}-never`, 100_000), '--epochs', '100000', '--shard-data'];
      const others = args.map((word) => (word === 'data' ? `${out}/data` : word));
      const job = start([group(1, args), group(1, others)]);
      await job.printed('"kind":"checkpoint"');
      utimesSync(join(copy, 'data', 'train-images-idx3-ubyte'), 1, 1);
      const { code, stderr } = await job.end;
      assert.equal(code, 2, stderr);
      const sentence =
        /Process 1 of 2: \S+: found a file that has changed since the run has begun, expected/g;
      assert.equal(stderr.match(sentence)?.length, 1, stderr);
    });

    it('refuses another number of processes than was asked for', async () => {
      const sentence = /^2 processes have come together, but 3 are asked for \(--world-size\)\.$/;
      await refused([group(2, [...begin('small', 'refused'), '--world-size', '3'])], sentence);
    });

    it('refuses processes that differ in their options', async () => {
      const args = begin('small', 'refused');
      const sentence =
        /^Process 1 on \S+ differs from process 0 on \S+ in the options: .*"learningRate":0\.5.*\. Start all processes alike\.$/;
      await refused([group(1, args), group(1, [...args, '--learning-rate', '0.5'])], sentence);
    });

    it('refuses processes that have other data', async () => {
      const args = begin('small', 'refused');
      const sentence =
        /^Process 1 on \S+ differs from process 0 on \S+ in the training images \(their SHA-256\): \w{64}, not \w{64}\. Start/;
      const others = args.map((word) => (word === 'data' ? 'other/data' : word));
      await refused([group(1, args), group(1, others)], sentence);
    });

    const lacks = !existsSync('/proc') && 'It looks for processes in /proc.';
    it('a process that is killed ends the job, and the run goes on exactly', { skip: lacks }, async () => {
      const out = `${name}-killed`;
      const job = start([group(3, [...begin('small', out, 100_000), '--epochs', '100000'])]);
      await job.printed('"kind":"checkpoint"');
      const [, victim] = processesOf(out);
      const killed = performance.now();
      process.kill(victim!, 'SIGKILL');
      const { code } = await job.end;
      assert.notEqual(code, 0);
      const seconds = (performance.now() - killed) / 1000;
      assert.ok(seconds < SOON, `${seconds} s`);
      assert.deepEqual(processesOf(out), []);

      const newest = readdirSync(join(directory, out, 'checkpoints'))
        .sort()
        .at(-1)!;
      const steps = Number(/\d+/.exec(newest)![0]) + 3;
      const { parameters } = await together(resume(out, steps), out, 2, 1);
      const undisturbed = [...begin('small', `${out}-not`, steps), '--epochs', '100000'];
      assert.equal(parameters, (await alone(undisturbed, `${out}-not`)).parameters);
    });
  });
}

const healing = libraries.find((one): one is WorkingMpi => one.works && canHeal(one));
const cannotHeal = healing === undefined && 'No library with fault tolerance (Open MPI 5) works here.';

/** A process of a job in which things go wrong on purpose. */
const faultyProcess = fileURLToPath(new URL('faultyProcess.js', import.meta.url));

describe('where processes can heal', { skip: cannotHeal }, () => {
  /** The outcome of a job of 3 processes in which these faults happen, and how often how many were lost. */
  const together = async (given: TrainOptions, faults: readonly Fault[]) => {
    const options: TrainOptions = {
      ...{ model: './small.json', batchSize: 16, data: 'data', pictures: false, workers: 1 },
      ...{ mpiLibrary: healing!.library, ...given },
    };
    const args = [faultyProcess, JSON.stringify(options), JSON.stringify(faults)];
    const job = startMpiJob(healing!, [{ processes: 3, args }], { directory, isTolerant: true });
    const { code, stdout, stderr } = await job.end;
    assert.equal(code, 0, stderr);
    const healed = parseLines(stdout)
      .filter(({ kind }) => kind === 'healed')
      .map(({ lost, processes }) => ({ lost, processes }));
    return { outcome: outcomeOf(stdout, given.out!), healed, stderr };
  };
  const oneByOne = [
    { lost: 1, processes: 2 },
    { lost: 1, processes: 1 },
  ];

  it('they die one after the other, and the last one ends the run', async () => {
    const expected = await alone(begin('small', 'undisturbed'), 'undisturbed');
    const { outcome, healed } = await together({ out: 'healed', maxSteps: 17, logEvery: LOG_EVERY }, [
      { kind: 'kill', process: 1, rank: 0, step: 4, point: 5 },
      { kind: 'kill', process: 0, rank: 0, step: 9, point: 8 },
    ]);
    assert.deepEqual({ outcome, healed }, { outcome: expected, healed: oneByOne });
  });

  it('they die between the norm of the gradient and the update that waits for it', async () => {
    const args = [...begin('small', 'undisturbed-clipped'), '--clip-norm', '3', '--ema-decay', '0.8'];
    const expected = await alone(args, 'undisturbed-clipped');
    const options = { out: 'clipped', clipNorm: 3, emaDecay: 0.8, maxSteps: 17, logEvery: LOG_EVERY };
    const { outcome, healed } = await together(options, [
      { kind: 'kill', process: 1, rank: 0, step: 4, point: 9 },
      { kind: 'kill', process: 0, rank: 0, step: 9, point: 10 },
    ]);
    assert.deepEqual({ outcome, healed }, { outcome: expected, healed: oneByOne });
  });

  it('one that fails is lost to the others as one that is killed', async () => {
    const expected = await alone(begin('small', 'whole', 9), 'whole');
    const { outcome, healed, stderr } = await together({ out: 'failed', maxSteps: 9, logEvery: LOG_EVERY }, [
      { kind: 'throw', process: 1, rank: 0, step: 4, point: 5 },
    ]);
    assert.deepEqual({ outcome, healed }, { outcome: expected, healed: oneByOne.slice(0, 1) });
    assert.match(stderr, /^Error: Fault on purpose in rank 0, step 4\./m);
  });

  it('a death before the first step ends all of them, with a sentence', async () => {
    const script = fileURLToPath(new URL('../collective/mpiProcess.js', import.meta.url));
    const { library } = healing!;
    const trains = [main, ...begin('small', 'never'), '--workers', '1', '--mpi-library', library];
    const groups = [
      { processes: 2, args: trains },
      { processes: 1, args: [script, library, '20000', directory, 'gone'] },
    ];
    const { code, stderr } = await startMpiJob(healing!, groups, { directory, isTolerant: true }).end;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^Another process has died, and the work of all has ended: only training goes on/m);
    // They ask for the end one after the other, and the launcher may be gone before the last of them.
    for (let look = 0; look < 100 && processesOf('never').length > 0; look++) await sleep(100);
    assert.deepEqual(processesOf('never'), []);
  });

  it('an average of the parameters: one dies in an evaluation and one in an update', async () => {
    const out = 'averaged';
    const expected = await alone([...begin('small', `${out}-not`), '--ema-decay', '0.8'], `${out}-not`);
    const { outcome, healed } = await together({ out, emaDecay: 0.8, maxSteps: 17, logEvery: LOG_EVERY }, [
      { kind: 'kill', process: 1, rank: 0, step: 7, point: 'evaluation' },
      { kind: 'kill', process: 0, rank: 0, step: 10, point: 9 },
    ]);
    assert.deepEqual({ outcome, healed }, { outcome: expected, healed: oneByOne });
  });

  it('what the first process had not yet written is written by the next one', async () => {
    const out = 'unwritten';
    const expected = await alone(begin('small', `${out}-not`, 21, 1), `${out}-not`);
    const { outcome, healed } = await together({ out, logEvery: 1 }, [
      // All have a copy of the state before step 4 then, and process 0 has not yet told of step 3.
      { kind: 'late', process: 2, rank: 0, step: 3, times: 1 },
      { kind: 'kill', process: 0, rank: 0, step: 4, point: 5 },
      // The last checkpoint is written beside the last evaluation.
      { kind: 'kill', process: 1, rank: 0, step: 21, point: 'evaluation' },
    ]);
    assert.deepEqual({ outcome, healed }, { outcome: expected, healed: oneByOne });
  });
});

/** The process ids of those that train into a folder, by rank. */
function processesOf(out: string): number[] {
  const found: number[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const words = textOf(pid, 'cmdline').split('\0');
    if (words[1] !== main || !words.includes(out)) continue;
    const rank = /(?:^|\0)(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)/.exec(textOf(pid, 'environ'));
    if (rank !== null) found[Number(rank[1])] = Number(pid);
  }
  return found;
}

/** Empty where the process is gone. */
function textOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
