// Jobs: what a launcher starts. Each has a mark in its environment, by which all of its processes are found,
// those that the launcher starts for itself as well.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { launchLine } from '../../dist/setup/mpi.js';
import { SUBNET } from './twoHosts.mjs';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The program of processes in which things go wrong on purpose. */
export const FAULTY = fileURLToPath(
  new URL('../../build/test/coordinator/faultyProcess.js', import.meta.url),
);

/** A job that takes longer hangs: milliseconds. */
const TIME_LIMIT = 240_000;

/** How long processes may take to be gone when their launcher is: milliseconds. */
const LINGERING = 5000;

const MARK = 'LOWERBOUND_CLUSTER_JOB';

/** The variables with the number of a process, of Open MPI and of MPICH. */
const RANKS = ['OMPI_COMM_WORLD_RANK', 'PMI_RANK'];

/** The command of a process that trains. @param node the program and its arguments. */
export function trainCommand(library, args, node) {
  return sharedCommand(library, ['train', ...args], node);
}

/** The same of any command that processes share. */
export function sharedCommand(library, args, node = [process.execPath]) {
  return [...node, MAIN, ...args.map(String), '--mpi', '--mpi-library', library];
}

/**
 * The command line of a job on this machine, or on two hosts.
 * @param mpi a working library of setupMpi(); @param groups numbers of processes and their commands.
 * @param options more of the launcher's options.
 */
export function jobLine({ mpi, hosts, groups, options = [] }) {
  const processes = groups.reduce((sum, [count]) => sum + count, 0);
  const [program, , , ...usual] = launchLine({ program: mpi.launcher, family: mpi.family }, processes);
  const own = groups.flatMap(([count, command], index) => [
    ...(index === 0 ? [] : [':']),
    ...['-n', String(count), ...command],
  ]);
  if (!hosts) return [program, ...usual, ...options, ...own];
  // The hosts have as many places as are needed; with more, Open MPI would fill the first one alone.
  const exact = usual.filter((option) => option !== '--oversubscribe');
  return hosts.onFirst([program, ...exact, ...acrossHosts(mpi, hosts, processes), ...options, ...own]);
}

/** Processes are dealt out to both hosts, one more to the first where they are odd, and talk by TCP alone. */
function acrossHosts({ family, version }, { names: [first, second], agent }, processes) {
  const here = Math.ceil(processes / 2);
  if (family === 'MPICH') {
    const start = ['-launcher', 'ssh', '-launcher-exec', agent];
    return ['-hosts', `${first},${second}`, '-ppn', String(here), ...start];
  }
  const tcp = ['--mca', 'pml', 'ob1', '--mca', 'btl', 'tcp,self', '--mca', 'btl_tcp_if_include', SUBNET];
  const start = /^Open MPI [1-4]\./.test(version)
    ? ['--mca', 'plm_rsh_agent', agent, '--mca', 'oob_tcp_if_include', SUBNET]
    : ['--prtemca', 'plm_ssh_agent', agent, '--prtemca', 'prte_if_include', SUBNET];
  return ['-H', `${first}:${here},${second}:${processes - here}`, ...start, ...tcp];
}

/** The environment of MPICH's transport: without it processes of one machine share memory. */
const TCP = { UCX_TLS: 'tcp,self' };

/** A job that runs. */
export class Job {
  /** Everything that process 0 has told so far. */
  events = [];
  /** Resolves to `{ code, seconds, stdout, stderr, events, left }`; `left` are processes that stay. */
  ended;
  #mark = randomUUID();
  #child;
  #waiting = [];
  #stdout = '';
  #rest = '';
  #stderr = '';
  #onEvent;

  /** @param timeLimit milliseconds. @param onEvent told of each event. */
  constructor({ line: [program, ...args], hosts, directory, timeLimit = TIME_LIMIT, onEvent = () => {} }) {
    this.#onEvent = onEvent;
    const start = performance.now();
    const env = { ...process.env, ...(hosts ? TCP : {}), [MARK]: this.#mark };
    const options = { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeLimit };
    this.#child = spawn(program, args, options);
    this.#child.stdout.setEncoding('utf8').on('data', (text) => this.#take(text));
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      // Not 'close': a process that stays keeps the pipes open.
      this.#child.on('exit', (code, signal) => {
        const seconds = (performance.now() - start) / 1000;
        this.#leave({ code: code ?? signal, seconds }).then(resolve, reject);
      });
    });
  }

  /** Resolves when an event of this kind has come; rejects when the job ends without. */
  async event(kind) {
    const seen = this.events.find((event) => event.kind === kind);
    if (seen !== undefined) return seen;
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ kind, resolve });
      this.ended.then(({ code, stdout, stderr }) => {
        const said = firstLines(`${stderr}\n${stdout}`);
        reject(new Error(`the job ended with ${code} before it told of "${kind}": ${said}`));
      }, reject);
    });
  }

  /** The process ids of those that train, by rank. */
  ranks() {
    const found = [];
    for (const { pid, env } of this.#marked()) {
      const text = RANKS.map((name) => env.get(name)).find((value) => value !== undefined);
      if (text !== undefined && isTraining(pid)) found[Number(text)] = pid;
    }
    return found;
  }

  /** Ends everything that is left. */
  end() {
    for (const { pid } of this.#marked()) killQuietly(pid);
  }

  async #leave(end) {
    const until = performance.now() + LINGERING;
    while (this.#marked().length > 0 && performance.now() < until) await sleep(50);
    const left = this.#marked().map(({ pid }) => `${pid} (${commandOf(pid)})`);
    this.end();
    // What was in the pipes.
    await sleep(20);
    return { ...end, left, stdout: this.#stdout, stderr: this.#stderr, events: this.events };
  }

  #take(text) {
    this.#stdout += text;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const event = JSON.parse(line);
      this.events.push(event);
      this.#onEvent(event);
      for (const { kind, resolve } of this.#waiting) if (kind === event.kind) resolve(event);
    }
  }

  #marked() {
    const found = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
      const env = environmentOf(name);
      if (env.get(MARK) === this.#mark && !isZombie(name)) found.push({ pid: Number(name), env });
    }
    return found;
  }
}

/** The environment of a process; empty where it is gone or another user's. */
function environmentOf(pid) {
  const words = readProc(pid, 'environ').split('\0');
  return new Map(words.map((word) => [word.split('=', 1)[0], word.slice(word.indexOf('=') + 1)]));
}

function commandOf(pid) {
  return readProc(pid, 'cmdline').replaceAll('\0', ' ').trim().slice(0, 80);
}

function isTraining(pid) {
  const words = readProc(pid, 'cmdline').split('\0');
  return (words.includes(MAIN) || words.includes(FAULTY)) && !words.includes('sh');
}

function isZombie(pid) {
  return /\) Z/.test(readProc(pid, 'stat'));
}

function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function killQuietly(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** What is worth a cell of a table. */
export function firstLines(text) {
  const lines = text.split('\n').filter((line) => /[\w]/.test(line));
  return lines.slice(0, 3).join(' / ').slice(0, 400);
}
