// Runs by several processes, and what is compared of them: the parameters, and the files that they write.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { metricsOf } from '../bits/runs.mjs';
import { firstLines, Job, jobLine, MAIN, trainCommand } from './jobs.mjs';

/** What every run here is told. */
const USUAL = ['--json', '--no-pictures', '--keep-checkpoints', 100, '--log-every', 1];

/** Runs `use` with a folder for runs, which is removed afterwards. */
export async function withFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'lowerbound-cluster-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Trains in one process without MPI; returns what process 0 of a job would tell. */
export async function trainAlone(args, { workers = 1 } = {}) {
  const words = [MAIN, 'train', ...args, ...USUAL, '--workers', workers].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 1 << 28 });
  return eventsIn(stdout);
}

/** Trains in a job, which must end well and leave nothing; returns what process 0 has told. */
export async function trainTogether(place, args, { processes, workers = 1 }) {
  const { code, stderr, stdout, left } = await startTogether(place, args, { processes, workers }).ended;
  if (code !== 0) throw new Error(`the job ended with ${code}: ${firstLines(stderr)}`);
  if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}`);
  return eventsIn(stdout);
}

/** The same, under way. @param place `mpi`, `hosts` (absent: this machine), `options` of the launcher. */
export function startTogether({ mpi, hosts, options }, args, { processes, workers = 1 }) {
  const rest = [...args, ...USUAL, '--workers', workers, '--world-size', processes];
  const groups = [[processes, trainCommand(mpi.library, rest)]];
  return new Job({ line: jobLine({ mpi, hosts, groups, options }), hosts });
}

/** What must be equal: the parameters that were told last, and every file of the run but for its times. */
export function outcomeOf(events, out) {
  const { parametersSha256, step } = events.findLast(({ kind }) => kind === 'result');
  return { step: String(step), parameters: parametersSha256, ...filesOf(out) };
}

function filesOf(out) {
  const folder = join(out, 'checkpoints');
  const checkpoints = readdirSync(folder).map((name) => [name, sha256(readFileSync(join(folder, name)))]);
  const config = readFileSync(join(out, 'config.json'));
  return {
    ...Object.fromEntries(checkpoints),
    'config.json': sha256(config),
    ...(existsSync(join(out, 'metrics.jsonl')) && {
      'metrics.jsonl, without times': sha256(metricsOf(out).join('\n')),
    }),
  };
}

/** What differs, by name. */
export function differences(found, expected) {
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...names]
    .filter((name) => found[name] !== expected[name])
    .map((name) => `${name}: ${found[name] ?? 'missing'} in place of ${expected[name] ?? 'nothing'}`);
}

function eventsIn(stdout) {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
