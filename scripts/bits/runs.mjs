// The runs of the test matrix: each gives hashes after some steps, in processes of their own.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutTimes } from '../../build/test/coordinator/temporaryRun.js';

const path = (relative) => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const PROGRAM = path('build/test/coordinator/bitsProgram.js');
const MAIN = path('dist/cli/main.js');

/** A process that hangs is a failure: milliseconds, under emulation as well. */
const TIME_LIMIT = 900_000;

/** Hashes of an undisturbed run after each of `steps`, computed by `command`, a Node. */
export async function trace(options, steps, command = [process.execPath]) {
  const [program, ...args] = command;
  const words = [...args, PROGRAM, JSON.stringify(options), JSON.stringify(steps)];
  const { code, signal, stdout, stderr } = await ended(spawnChild(program, words));
  if (code !== 0) throw new Error(`${command.at(-1)} ended with ${code ?? signal}: ${lastError(stderr)}`);
  return JSON.parse(stdout);
}

/** The line of an error's message, among those of its stack. */
function lastError(text) {
  const lines = text.trim().split('\n');
  return lines.findLast((line) => /^\w*(Error|Failure)\b/.test(line)) ?? lines[0];
}

/** Runs `use` with a place for a run, which is removed afterwards. */
export async function withRun(use) {
  const directory = mkdtempSync(join(tmpdir(), 'lowerbound-bits-run-'));
  try {
    return await use(join(directory, 'run'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Trains in `out`, from its newest checkpoint if `resumes`, until `step`. With `killAfter`, milliseconds
 * after the first step could begin, the process is killed by SIGKILL. Returns whether it was over before.
 */
export async function life({ out, resumes, model, arithmetic, workers, step, killAfter }) {
  const origin = resumes ? ['--resume', out] : ['--model', model, '--arithmetic', arithmetic, '--out', out];
  const rest = ['--max-steps', step, '--workers', workers, '--no-pictures', '--log-every', 1, '--json'];
  const child = spawnChild(process.execPath, [MAIN, 'train', ...origin, ...rest.map(String)]);
  if (killAfter !== undefined) {
    child.stdout.on('data', (text) => {
      if (text.includes('"kind":"started"')) setTimeout(() => child.kill('SIGKILL'), killAfter);
    });
  }
  const { code, signal, stderr } = await ended(child);
  if (code !== 0 && signal !== 'SIGKILL') {
    throw new Error(`train ended with ${code ?? signal}: ${stderr.trim()}`);
  }
  return code === 0;
}

/** Hashes of the checkpoint of `step`. */
export async function checkpointHashes(out, step) {
  const [{ loadCheckpoint }, { stateHashes }] = await Promise.all([
    import('../../dist/runs/checkpoint.js'),
    import('../../build/test/coordinator/bitsTrace.js'),
  ]);
  const name = `step-${String(step).padStart(9, '0')}.safetensors`;
  return { step, ...stateHashes(loadCheckpoint(join(out, 'checkpoints', name))) };
}

/** The lines of metrics.jsonl without what the clock decides. */
export function metricsOf(out) {
  return readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map((line) => JSON.stringify(withoutTimes(line)));
}

function spawnChild(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIME_LIMIT });
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  return child;
}

function ended(child) {
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
