// examples/cluster: the scripts parse, their flags are there, and the batch script does what docs/cluster.md
// says, with programs in place of Slurm's.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { succeed, temporaryDirectory } from './smallRun.js';

const examples = fileURLToPath(new URL('../../../examples/cluster/', import.meta.url));
const script = join(examples, 'train.sbatch');
const read = (name: string) => readFileSync(join(examples, name), 'utf8');
const directory = temporaryDirectory();
const lacksBash = spawnSync('bash', ['--version']).status !== 0 && 'There is no bash.';

/** The shell script inside of a YAML file: the block behind `- |`, without its indentation. */
function blockScript(yaml: string): string {
  const [, indentation, block] = /\n( +)- \|\n((?:\1 .*\n)+)/.exec(yaml)!;
  return block!.replaceAll(new RegExp(`^${indentation} +?(?=\\S|  )`, 'gm'), '');
}

it('the scripts parse', { skip: lacksBash }, () => {
  for (const text of [read('train.sbatch'), blockScript(read('mpijob.yaml'))]) {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  }
});

it('every flag that they give to lowerbound is there', async () => {
  const help = await succeed(['train', '--help'], directory);
  // Those of the launchers stand before `train`.
  for (const [text, first] of [
    [read('train.sbatch'), 'new_run='],
    [blockScript(read('mpijob.yaml')), 'origin='],
  ] as const) {
    const lines = text.slice(text.indexOf(first)).replaceAll('\\\n', '').split('\n');
    const words = lines
      .filter((line) => /^ *(new_run|origin)=|\btrain\b/.test(line))
      .map((line) => line.replace(/^.*\btrain\b/, ''))
      .join(' ');
    const flags = [...words.matchAll(/--([a-z-]+)/g)].map(([, flag]) => flag!);
    assert.ok(flags.length > 8, String(flags));
    for (const flag of flags) assert.match(help, new RegExp(`^ +(?:-\\w, )*--${flag} `, 'm'));
  }
});

it('mpijob.yaml: keys, items and text alone, indented by twos', () => {
  const yaml = read('mpijob.yaml');
  const keys = new Set<string>();
  let block = Number.POSITIVE_INFINITY;
  for (const line of yaml.split('\n').filter((text) => text.trim() !== '' && !text.startsWith('#'))) {
    const indentation = line.search(/\S/);
    if (indentation > block) continue;
    block = line.endsWith('|') ? indentation : Number.POSITIVE_INFINITY;
    assert.equal(indentation % 2, 0, line);
    assert.match(line, /^ *(?:- )*(?:\w+:(?: \S.*)?|[-\w|]+)$/);
    const key = /(\w+):/.exec(line)?.[1];
    if (key !== undefined) keys.add(key);
  }
  for (const key of [
    'apiVersion',
    'mpiReplicaSpecs',
    'Launcher',
    'Worker',
    'backoffLimit',
    'sshAuthMountPath',
  ]) {
    assert.ok(keys.has(key), key);
  }
});

interface Start {
  /** The exit code of srun. */
  readonly code: number;
  readonly restarts?: number;
  readonly begun?: boolean;
}

/** Runs the batch script as Slurm would; returns its exit code, and what srun and scontrol were given. */
function start({ code, restarts, begun = false }: Start) {
  const folder = mkdtempSync(join(directory, 'job-'));
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  const program = (name: string, line: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  program('srun', `echo "$@" > srun.txt; exit ${code}`);
  program('scontrol', 'echo "$@" > scontrol.txt');
  const run = join(folder, 'runs', 'lowerbound-7');
  if (begun) {
    mkdirSync(run, { recursive: true });
    for (const name of ['config.json', 'lock', 'lock.1']) writeFileSync(join(run, name), '{}');
  }
  const { status, stderr } = spawnSync('bash', [script], {
    ...{ cwd: folder, encoding: 'utf8' },
    env: {
      PATH: `${programs}:${process.env.PATH}`,
      ...{ SLURM_JOB_NAME: 'lowerbound', SLURM_JOB_ID: '7', SLURM_NTASKS: '4', SLURM_CPUS_PER_TASK: '16' },
      ...(restarts !== undefined && { SLURM_RESTART_COUNT: String(restarts) }),
    },
  });
  const said = (name: string) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : undefined;
  const locked = existsSync(join(run, 'lock')) || existsSync(join(run, 'lock.1'));
  return { status, stderr, srun: said('srun.txt')!, asked: said('scontrol.txt'), locked };
}

it('train.sbatch: a new run, then the same one again, without the lock of a dead process', {
  skip: lacksBash,
}, () => {
  const first = start({ code: 0 });
  assert.deepEqual([first.status, first.stderr, first.asked], [0, '', undefined]);
  assert.match(
    first.srun,
    /node node_modules\/lowerbound\/dist\/cli\/main\.js train --out runs\/lowerbound-7 --model \w+ .*--world-size 4 /,
  );
  const second = start({ code: 0, begun: true });
  assert.match(second.srun, /main\.js train --resume runs\/lowerbound-7 --mpi --world-size 4 /);
  assert.ok(!second.srun.includes('--model'));
  assert.equal(second.locked, false);
});

it('train.sbatch: asks for another start where one may help, and not for ever', { skip: lacksBash }, () => {
  const outcome = (options: Start) => {
    const { status, asked } = start(options);
    return [status, asked];
  };
  assert.deepEqual(outcome({ code: 143 }), [143, 'requeue 7\n']);
  assert.deepEqual(outcome({ code: 1, restarts: 19 }), [1, 'requeue 7\n']);
  assert.deepEqual(outcome({ code: 1, restarts: 20 }), [1, undefined]);
  assert.deepEqual(outcome({ code: 2 }), [2, undefined]);
});
