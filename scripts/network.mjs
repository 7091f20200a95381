// The model of the network (bench/networkModel.ts) against training on two hosts, with a link that tc shapes.
// Usage:
//   npm run test:network -- [MODEL…] [--rounds N] [--real-time]
// Two hosts are network namespaces on this machine, which need root and an Open MPI, with one worker each.
// The machine must be idle, for whatever else runs on a core holds up both hosts. With --real-time the
// benchmark and the steps of the training have both cores to themselves; everything else nearly stops for a
// minute.

import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { setupMpi } from '../dist/setup/mpi.js';
import { firstLines, Job, jobLine, trainCommand } from './cluster/jobs.mjs';
import { withFolder } from './cluster/runs.mjs';
import { INTERFACE, makeHosts } from './cluster/twoHosts.mjs';

const HOSTS = 2;
/** Images of a host in a step, one shard. */
const HOST_BATCH = 128;
/** The model may be off by so much of a step. */
const BAR = 0.15;
/** Microseconds of the veth itself, one way, programs and all. */
const LATENCY = 20;

/**
 * The bucket holds a packet of 64 KiB with the headers of all its frames: a smaller one makes tc cut packets,
 * and the queue behind the veth overflows.
 */
const LINKS = [
  { gbits: 1, burst: '72kb' },
  { gbits: 10, burst: '200kb' },
];

/** Share of the steps behind which nothing is measured. */
const LAST = 0.85;

/** Steps that take some fifteen seconds. */
const STEPS = { cvae: 140, mlp: 440, iwae: 600 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '1' }, 'real-time': { type: 'boolean' } },
});
const models = positionals.length > 0 ? positionals : Object.keys(STEPS);
const unknown = models.find((model) => !(model in STEPS));
if (unknown !== undefined)
  refuse(`There is no model ${unknown}. Models are ${Object.keys(STEPS).join(', ')}.`);

const libraries = await setupMpi().catch((error) => refuse(error.message));
const mpi = libraries.find(({ works, family }) => works && family === 'Open MPI');
if (mpi === undefined) refuse('No Open MPI works here: npx lowerbound setup mpi says why.');
const hosts = makeHosts();
if (hosts.missing !== undefined) refuse(`There are no two hosts: ${hosts.missing}.`);
process.on('exit', () => hosts.close());
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const cores = availableParallelism();
console.log(
  `${mpi.version}, Node ${process.versions.node}, ${cores} cores, ${loadavg()[0].toFixed(1)} busy\n`,
);
console.log(
  '| model | link | compute, ms | network, ms | step by the model, ms | measured, ms | model / measured |',
);
console.log('|---|---|---|---|---|---|---|');
for (let round = 0; round < Number(values.rounds); round++) for (const model of models) await check(model);

function refuse(sentence) {
  console.error(sentence);
  process.exit(2);
}

/** A row for each link. */
async function check(model) {
  await withFolder(async (folder) => {
    const projections = await project(model, join(folder, 'model.json'));
    for (const link of LINKS) {
      shape(link);
      const { compute, network, step } = projections.find(({ gbits }) => gbits === link.gbits);
      const measured = await train(model, join(folder, `run-${link.gbits}`));
      const ratio = step / measured;
      if (Math.abs(ratio - 1) > BAR) process.exitCode = 1;
      const cells = [compute, network, step, measured, ratio].map((value) => value.toFixed(2));
      console.log(`| ${model} | ${link.gbits} Gbit/s | ${cells.join(' | ')} |`);
    }
  });
}

/** The model's rows for two hosts of one worker, with what this machine computes now. */
async function project(model, file) {
  const links = LINKS.map(({ gbits }) => gbits).join();
  const flags = [
    '--model',
    model,
    '--threads',
    1,
    '--hosts',
    HOSTS,
    '--gbits',
    links,
    '--latency-us',
    LATENCY,
  ];
  const batch = ['--batch-size', HOST_BATCH, '--global-batch', HOSTS * HOST_BATCH];
  const words = [
    'build/bench/main.js',
    'scaling',
    '--model-of-the-network',
    ...flags,
    ...batch,
    '--json',
    file,
  ];
  const [program, ...args] = [
    ...(values['real-time'] ? ['chrt', '-f', '1'] : []),
    process.execPath,
    ...words,
  ];
  await promisify(execFile)(program, args.map(String));
  const { tables } = JSON.parse(readFileSync(file, 'utf8'));
  return tables.flatMap(({ rows }) => rows).filter(({ scaling }) => scaling === 'weak');
}

function shape({ gbits, burst }) {
  for (const name of hosts.names) {
    const bucket = ['tbf', 'rate', `${gbits}gbit`, 'burst', burst, 'limit', '8mb'];
    const args = ['-n', name, 'qdisc', 'replace', 'dev', INTERFACE, 'root', ...bucket];
    const { status, stderr, error } = spawnSync('tc', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`tc ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  }
}

/**
 * Gives the steps of a job real-time priority. Not its start and its end: there the processes wait for their
 * launcher without a pause, which would never get a core.
 */
async function runSteps(job, model) {
  const isOver = job.ended.then(() => true);
  const until = async (step) => {
    while (!(job.events.findLast(({ kind }) => kind === 'progress')?.step >= step)) {
      if (await Promise.race([isOver, sleep(50)])) return;
    }
  };
  const schedule = (...policy) => {
    for (const pid of job.ranks()) spawnSync('chrt', ['-a', '-p', ...policy, String(pid)]);
  };
  await until(1);
  schedule('-f', '1');
  await until(LAST * STEPS[model]);
  schedule('-o', '0');
}

/** Milliseconds a step: the median over stretches of about a second each. */
async function train(model, out) {
  const size = [
    '--batch-size',
    HOSTS * HOST_BATCH,
    '--shards',
    HOSTS,
    '--epochs',
    4,
    '--max-steps',
    STEPS[model],
  ];
  const rest = ['--workers', 1, '--world-size', HOSTS, '--json', '--no-pictures', '--out', out];
  const groups = [[HOSTS, trainCommand(mpi.library, ['--model', model, ...size, ...rest])]];
  const job = new Job({ line: jobLine({ mpi, hosts, groups }), hosts });
  if (values['real-time']) await runSteps(job, model);
  const { code, events, stderr } = await job.ended;
  if (code !== 0) throw new Error(`the job ended with ${code}: ${firstLines(stderr)}`);
  // The first stretch has V8's compilers in it.
  const steps = events.filter(({ kind, step }) => kind === 'progress' && step <= LAST * STEPS[model]);
  const progress = steps.slice(1);
  const stretches = progress.slice(1).flatMap((now, i) => {
    const before = progress[i];
    if (now.epoch !== before.epoch || now.step === before.step) return [];
    return [(1000 * (now.seconds - before.seconds)) / (now.step - before.step)];
  });
  return stretches.sort((a, b) => a - b)[Math.floor(stretches.length / 2)];
}
