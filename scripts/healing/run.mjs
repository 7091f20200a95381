// A run whose processes are killed, and what is compared of it.

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isTemporaryFile } from '../../dist/runs/atomicFile.js';
import { FAULTY, firstLines, Job, jobLine } from '../cluster/jobs.mjs';
import { outcomeOf, withFolder } from '../cluster/runs.mjs';
import { Deaths, now } from './deaths.mjs';

/** A job that takes longer, or tells nothing for so long, hangs: milliseconds. */
const TIME_LIMIT = 400_000;
const SILENCE = 60_000;

/** Milliseconds between two looks at the diary of the dead. */
const LOOK = 2;

const USUAL = { pictures: false, keepCheckpoints: 100, logEvery: 1, epochs: 1000 };

/** The outcome of the run in one process on one thread, and the steps of an epoch. */
export function undisturbed(options) {
  return withFolder(async (folder) => {
    const out = join(folder, 'run');
    const words = [FAULTY, JSON.stringify({ ...USUAL, ...options, workers: 1, out }), '[]'];
    const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 1 << 28 });
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { stepsPerEpoch } = events.find(({ kind }) => kind === 'started');
    return { expected: outcomeOf(events, out), stepsPerEpoch };
  });
}

/** The line of a job that goes on where processes die. */
export function healingLine({ mpi, options, processes, faults }) {
  const all = { ...USUAL, ...options, mpiLibrary: mpi.library, worldSize: processes };
  const command = [process.execPath, FAULTY, JSON.stringify(all), JSON.stringify(faults)];
  return jobLine({ mpi, groups: [[processes, command]], options: ['--with-ft', 'ulfm'] });
}

/**
 * Trains in a job in which these kills happen.
 * @param kills see drawKills.
 * @returns what is compared, the deaths, and how many came in the middle of a checkpoint's writing and how
 * many before the others had got over the death before.
 */
export function killedRun({ mpi, options, processes, kills }) {
  return withFolder(async (folder) => {
    const out = join(folder, 'run');
    const diary = join(folder, 'diary');
    const faults = kills.flatMap(({ fault }) => (fault ? [{ ...fault, diary }] : []));
    const line = healingLine({ mpi, options: { ...options, out }, processes, faults });
    const harness = new Harness({ kills, processes, diary, out });
    const job = new Job({ line, timeLimit: TIME_LIMIT, onEvent: (event) => harness.tell(event, job) });
    const looking = setInterval(() => {
      harness.look();
      if (harness.silence > SILENCE) job.end();
    }, LOOK);
    try {
      const { code, seconds, events, stderr, left } = await job.ended;
      harness.look();
      if (code !== 0 || !events.some(({ kind }) => kind === 'result')) {
        const hangs = harness.silence > SILENCE ? ', having told nothing for long' : '';
        throw new Error(
          `the job ended with ${code} after ${seconds.toFixed(0)} s${hangs}: ${firstLines(stderr)}`,
        );
      }
      if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}`);
      harness.end();
      const { deaths, inWriting, inRecovery } = harness;
      return { found: outcomeOf(events, out), deaths, inWriting, inRecovery };
    } finally {
      clearInterval(looking);
    }
  });
}

/** Watches the job, and kills what does not kill itself. */
class Harness {
  deaths;
  inWriting = 0;
  inRecovery = 0;
  #kills;
  #diary;
  #checkpoints;
  #read = 0;
  /** Process ids, by the numbers that processes have at the start. */
  #pids = [];
  #dead = new Set();
  #heard = now();

  constructor({ kills, processes, diary, out }) {
    this.deaths = new Deaths(processes);
    this.#kills = kills;
    this.#diary = diary;
    this.#checkpoints = join(out, 'checkpoints');
  }

  /** Milliseconds since the last event. */
  get silence() {
    return now() - this.#heard;
  }

  tell(event, job) {
    this.#heard = now();
    if (event.kind === 'started' && this.#pids.length === 0) this.#pids = job.ranks();
    this.look();
    this.deaths.tell(event);
    for (const kill of this.#kills) {
      if (kill.after?.event === event.kind && kill.after.step === event.step) this.#killLater(kill);
    }
  }

  /** Reads what the dead have written. */
  look() {
    if (!existsSync(this.#diary)) return;
    const lines = readFileSync(this.#diary, 'utf8').split('\n').slice(0, -1);
    for (const line of lines.slice(this.#read)) {
      const record = JSON.parse(line);
      const kill = this.#kills.find(({ process }) => process === record.process);
      this.#died(kill, record.at, record.step);
    }
    this.#read = lines.length;
  }

  end() {
    const missing = this.#kills.filter(({ process }) => !this.#dead.has(process));
    if (missing.length > 0) throw new Error(`not killed: ${JSON.stringify(missing)}`);
    this.deaths.end();
  }

  #killLater(kill) {
    setTimeout(() => {
      this.look();
      const at = now();
      process.kill(this.#pids[kill.process], 'SIGKILL');
      this.#died(kill, at, Math.max(kill.step, this.deaths.step));
    }, kill.after.delay);
  }

  #died(kill, since, until) {
    if (this.#dead.has(kill.process)) return;
    this.#dead.add(kill.process);
    if (readdirSync(this.#checkpoints).some(isTemporaryFile)) this.inWriting++;
    if (this.deaths.isOpen) this.inRecovery++;
    this.deaths.died({ kind: kill.scene, since, until });
    for (const other of this.#kills) if (other.after?.death === kill.process) this.#killLater(other);
  }
}
