// A run whose process is killed by SIGKILL and resumed, again and again, until it has ended.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withRun } from '../bits/runs.mjs';
import { WORKERS } from './draw.mjs';
import { LOG_EVERY, resultOf } from './workerRun.mjs';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Milliseconds after which a process counts as hung. */
const TIME_LIMIT = 300_000;

/** One kill in so many comes before training can begin, so many milliseconds after the start at most. */
const EARLY = 5;
const LATEST_EARLY = 1200;

/** The others come so many milliseconds after the run says that it has started. */
const LATEST = 1500;

/** A checkpoint is written each so many steps at most; the number is drawn for each run. */
const RAREST_CHECKPOINT = 40;

/**
 * Trains until `steps`, killed `kills` times unless it is over before; each process has its own workers.
 * @returns how many times it was killed, and what is compared.
 */
export function processRun({ model, steps, kills, random, cost }) {
  const every = 1 + random(RAREST_CHECKPOINT);
  const rest = [
    '--max-steps',
    steps,
    '--epochs',
    1000,
    '--checkpoint-every',
    every,
    '--log-every',
    LOG_EVERY,
    '--no-pictures',
    '--json',
  ];
  return withRun(async (out) => {
    const lives = new Lives(cost);
    for (;;) {
      // A process that was killed before there was a run has left nothing to resume.
      const origin = existsSync(join(out, 'config.json'))
        ? ['--resume', out]
        : ['--model', model, '--out', out];
      const workers = ['--workers', WORKERS[random(WORKERS.length)]];
      const kill = lives.killed < kills ? drawKill(random) : undefined;
      const args = [...origin, ...rest, ...workers].map(String);
      const killedAt = await live(args, kill, (event) => lives.tell(event));
      if (killedAt === undefined) break;
      lives.kill(killedAt);
    }
    return { killed: lives.killed, found: await resultOf(out, steps) };
  });
}

/** When a process is killed: after it was spawned, or after it has told of its start. */
function drawKill(random) {
  return random(EARLY) === 0
    ? { after: 'spawn', delay: random(LATEST_EARLY) }
    : { after: 'started', delay: random(LATEST) };
}

/** Makes one run of the events of its processes, and each kill a death. */
class Lives {
  killed = 0;
  #cost;
  /** Deaths after which no process has told of its start yet. */
  #waiting = [];
  /** The last step that was told of by the process at hand, and by all of them. */
  #step = 0;
  #most = 0;

  constructor(cost) {
    this.#cost = cost;
    cost.begin(0);
  }

  tell(event) {
    if (event.kind === 'started') {
      const now = performance.now();
      for (const death of this.#waiting) death.milliseconds = now - death.since;
      this.#waiting = [];
      this.#cost.again += Math.max(0, this.#step - event.step);
      this.#step = event.step;
      return;
    }
    if (event.kind === 'progress') {
      this.#step = event.step;
      this.#most = Math.max(this.#most, event.step);
    }
    this.#cost.tell(event);
  }

  kill(since) {
    this.killed++;
    this.#waiting.push(this.#cost.died({ cause: 'SIGKILL', milliseconds: 0, since, until: this.#most }));
  }
}

/** Lets a process live until it ends or is killed; returns when it was killed. */
function live(args, kill, onEvent) {
  const child = spawn(process.execPath, [MAIN, 'train', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT,
  });
  let killedAt;
  let timer;
  const begin = (after) => {
    if (kill?.after !== after) return;
    timer = setTimeout(() => {
      killedAt = performance.now();
      child.kill('SIGKILL');
    }, kill.delay);
  };
  begin('spawn');
  onLines(child.stdout, (line) => {
    const event = JSON.parse(line);
    if (event.kind === 'started') begin('started');
    onEvent(event);
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(undefined);
      else if (signal === 'SIGKILL' && killedAt !== undefined) resolve(killedAt);
      else reject(new Error(`train ${args.join(' ')} ended with ${code ?? signal}: ${stderr.trim()}`));
    });
  });
}

/** Whole lines: what a kill has cut off is none. */
function onLines(stream, tell) {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    lines.forEach(tell);
  });
}
