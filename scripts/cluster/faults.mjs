// Rows of what must fail, clearly and soon: worlds that are not what was asked for, processes that differ,
// processes that are killed, and a link that is cut. A run that was killed goes on to the bits of an
// undisturbed one.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tolerantOptions } from '../../dist/setup/mpi.js';
import { findNode } from '../bits/machines.mjs';
import { firstLines, Job, jobLine, trainCommand } from './jobs.mjs';
import { MODELS } from './rows.mjs';
import { outcomeOf, startTogether, trainTogether, withFolder } from './runs.mjs';

/** Seconds in which a job must be over when a process has died. */
const SOON = 15;

/** Seconds from the start of a job to its refusal: processes load their data before they compare them. */
const REFUSAL = 60;

/** The run that is killed: on all of MNIST, with a checkpoint every few steps. */
const KILLED = [...MODELS.mlp, '--checkpoint-every', 10];
const KILLED_STEPS = 400;
const KILLS = 3;
/** A kill comes so many milliseconds after the start at the latest. */
const LATEST_KILL = 2000;

/** What ends a job on a dead link: TCP's resends, and Open MPI's questions whether the others are alive. */
const RETRIES = 4;
const KEEPALIVE = { time: '2', intvl: '1', probes: '3' };
/** Where the launcher asks nobody, the processes' own limit ends the job. */
const PATIENCE = ['--barrier-timeout', 5];
/** Seconds: processes wait 30 s longer than that for each other. */
const LATER = 35 + SOON;

/** Rows of refusals on one machine. @param data the folder of the excerpt; @param other another one. */
export function refusalRows(place, data, other) {
  const usual = [...MODELS.mlp, '--data', data, '--max-steps', 4];
  const row = (what, run) => ({ kind: 'REF', model: 'mlp', what, attempts: [['job', run]] });
  const two = (first, second, sentence, nodes = []) =>
    refused(place, [first, second], sentence, (args, index) =>
      trainCommand(place.mpi.library, ['--json', '--no-pictures', '--workers', 1, ...args], nodes[index]),
    );
  return [
    row('--world-size 3, and two processes', () => {
      const three = [...usual, '--world-size', 3];
      return two(three, three, /^2 processes have come together, but 3 are asked for \(--world-size\)\.$/);
    }),
    row('two processes with different options', () =>
      two(usual, [...usual, '--learning-rate', 0.002], differing('the options', '"learningRate":0.002')),
    ),
    row('two processes with different data', () =>
      two(usual, [...MODELS.mlp, '--data', other, '--max-steps', 4], differing('the training images')),
    ),
    row('two processes on different Nodes', () => {
      const { command, version, missing } = otherNode();
      if (missing) return { skipped: missing };
      return two(usual, usual, differing('the version of Node', `v${version}`), [undefined, command]);
    }),
  ];
}

function differing(what, value = '') {
  const text = value.replaceAll(/\W/g, '\\$&');
  return new RegExp(`^Process 1 on .* differs from process 0 on .* in ${what}.*${text}.*\\.$`);
}

/** A Node of another major than this one. */
function otherNode() {
  const own = Number.parseInt(process.versions.node, 10);
  return findNode(own === 24 ? 22 : 24);
}

/** All processes end with one sentence, exit code 2, and no run. */
function refused(place, groups, sentence, commandOf) {
  return withFolder(async (folder) => {
    const out = join(folder, 'run');
    const commands = groups.map((args, index) => [1, commandOf([...args, '--out', out], index)]);
    const line = jobLine({ mpi: place.mpi, groups: commands });
    const { code, seconds, stderr, left } = await new Job({ line, directory: folder }).ended;
    const problems = [
      [code !== 2, `exit code ${code} in place of 2: ${firstLines(stderr)}`],
      [seconds > REFUSAL, `it took ${seconds.toFixed(1)} s`],
      [left.length > 0, `processes are left: ${left.join(', ')}`],
      [existsSync(out), 'there is a run'],
    ].flatMap(([isOne, text]) => (isOne ? [text] : []));
    const sentences = stderr.split('\n').filter((text) => sentence.test(text));
    if (sentences.length !== 1) {
      problems.push(`${sentences.length} sentences in place of one: ${firstLines(stderr)}`);
    }
    if (problems.length > 0) throw new Error(problems.join('; '));
    return { found: {}, expected: {}, note: `"${sentences[0]}"` };
  });
}

/** The row of kills. @param random draws a whole number below another. */
export function killRow(place, references, random) {
  const run = () => killed(place, references, random);
  return {
    kind: 'KIL',
    model: 'mlp',
    what: `SIGKILL of one of 3 processes, ${KILLS} times in ${KILLED_STEPS} steps`,
    attempts: [['kills', run]],
  };
}

/** Killed on 3 processes each time; goes on to the end on 2. */
async function killed(place, references, random) {
  const expected = await references.of(KILLED, [KILLED_STEPS]);
  return await withFolder(async (folder) => {
    const out = join(folder, 'run');
    const times = [];
    const ranks = [];
    for (let kill = 0; kill < KILLS; kill++) {
      // Process 0 is one of them: the launcher itself survives.
      const rank = kill === 0 ? 0 : random(3);
      const args = [...origin(out), '--max-steps', KILLED_STEPS];
      const job = startTogether(place, args, { processes: 3 });
      await job.event('started');
      await sleep(random(LATEST_KILL));
      const pid = job.ranks()[rank];
      if (pid === undefined) throw new Error(`there is no process ${rank} that could be killed`);
      process.kill(pid, 'SIGKILL');
      times.push(await endsSoon(job));
      ranks.push(rank);
    }
    const events = await trainTogether(place, [...origin(out), '--max-steps', KILLED_STEPS], {
      processes: 2,
    });
    const note = `processes ${ranks.join(', ')}; over after ${times.map((time) => `${time.toFixed(1)} s`).join(', ')}`;
    return { found: outcomeOf(events, out), expected, note };
  });
}

/** A job that was killed before it wrote a checkpoint begins anew where it was. */
function origin(out) {
  return existsSync(join(out, 'config.json'))
    ? ['--resume', out, '--checkpoint-every', 10]
    : [...KILLED, '--out', out];
}

/**
 * Seconds until no process trains any more. MPICH's launcher does not ask whether the other host is there,
 * and stays; it is ended here.
 */
async function trainingEnds(job) {
  const start = performance.now();
  while (job.ranks().length > 0) {
    if (performance.now() - start > LATER * 1000) throw new Error(`processes train on after ${LATER} s`);
    await sleep(200);
  }
  const seconds = (performance.now() - start) / 1000;
  job.end();
  const { events } = await job.ended;
  if (events.some(({ kind }) => kind === 'result')) throw new Error('the run was over before');
  return seconds;
}

/** Seconds until a job that has lost a process is over. */
async function endsSoon(job, { limit = SOON, mayBeZero = false } = {}) {
  const start = performance.now();
  const { code, left, events } = await job.ended;
  const seconds = (performance.now() - start) / 1000;
  if (events.some(({ kind }) => kind === 'result')) throw new Error('the run was over before');
  // Open MPI 5.0's mpirun says 0 where it has lost a host.
  if (code === 0 && !mayBeZero) throw new Error('the exit code is 0');
  if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}`);
  if (seconds > limit) throw new Error(`the job was over only after ${seconds.toFixed(1)} s`);
  return seconds;
}

/** The row of a process that is stopped, and never goes on. */
export function stopRow(place, references) {
  const attempts = [['stop', () => stopped(place, references)]];
  // Such a launcher does not end a process that no longer answers.
  const options = tolerantOptions(place.mpi);
  if (options) attempts.push([options.join(' '), () => stopped({ ...place, options }, references)]);
  return {
    kind: 'STP',
    model: 'mlp',
    what: 'SIGSTOP of one of 3 processes for good',
    attempts,
  };
}

async function stopped(place, references) {
  const expected = await references.of(KILLED, [KILLED_STEPS]);
  return await withFolder(async (folder) => {
    const out = join(folder, 'run');
    const args = [...origin(out), '--max-steps', KILLED_STEPS, ...PATIENCE];
    const job = startTogether(place, args, { processes: 3 });
    await job.event('checkpoint');
    process.kill(job.ranks()[1], 'SIGSTOP');
    const seconds = await endsSoon(job, { limit: LATER });
    const rest = [...origin(out), '--max-steps', KILLED_STEPS];
    const found = outcomeOf(await trainTogether(place, rest, { processes: 2 }), out);
    return { found, expected, note: `over after ${seconds.toFixed(1)} s` };
  });
}

/** A link that is cut for good, with the settings of docs/cluster.md; between two hosts. */
export function linkRow(place, references) {
  return {
    kind: 'LNK',
    model: 'mlp',
    what: 'the link cut for good, with keepalive settings',
    attempts: [['cut', () => cut(place, references)]],
  };
}

/** Cut in the middle of a run; goes on to the end on one machine. */
async function cut({ mpi, hosts }, references) {
  const expected = await references.of(KILLED, [KILLED_STEPS]);
  return await withFolder(async (folder) => {
    const out = join(folder, 'run');
    const args = [...origin(out), '--max-steps', KILLED_STEPS, ...PATIENCE];
    hosts.setRetries(RETRIES);
    const job = startTogether({ mpi, hosts, options: keepalive(mpi) }, args, { processes: 2 });
    try {
      await job.event('checkpoint');
      hosts.setLink(false);
      const seconds =
        mpi.family === 'Open MPI' ? await endsSoon(job, { mayBeZero: true }) : await trainingEnds(job);
      const rest = [...origin(out), '--max-steps', KILLED_STEPS];
      const found = outcomeOf(await trainTogether({ mpi }, rest, { processes: 2 }), out);
      const launcher = mpi.family === 'Open MPI' ? '' : '; the launcher stayed';
      return { found, expected, note: `over after ${seconds.toFixed(1)} s${launcher}` };
    } finally {
      job.end();
      hosts.setLink(true);
      // Routes and neighbours come back.
      await sleep(1000);
    }
  });
}

/** The launcher's question whether the other host is there, every second after two quiet ones. */
function keepalive({ family, version }) {
  if (family !== 'Open MPI') return [];
  const flag = /^Open MPI [1-4]\./.test(version) ? '--mca' : '--prtemca';
  return Object.entries(KEEPALIVE).flatMap(([name, value]) => [flag, `oob_tcp_keepalive_${name}`, value]);
}
