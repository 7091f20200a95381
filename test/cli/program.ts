// The program as a user runs it: its own process, its own directory.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** A hung program fails its test instead of the whole run. */
const TIME_LIMIT = 60_000;

export interface Outcome {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly outcome: Promise<Outcome>;
  /** Resolves when an output, by default the standard one, has this text, or rejects when it ends without. */
  printed(text: string, output?: 'stdout' | 'stderr'): Promise<void>;
}

/** Absent, whatever runs the tests: node:test sets FORCE_COLOR on a terminal. */
const USUAL = { FORCE_COLOR: undefined, NO_COLOR: undefined, COLUMNS: undefined, npm_command: undefined };

/** @param variables of the environment; undefined ones are absent. */
export function startProgram(
  args: readonly string[],
  directory: string,
  variables: Readonly<Record<string, string | undefined>> = USUAL,
): Running {
  const env = { ...process.env, ...variables };
  const child = spawn(process.execPath, [main, ...args], { cwd: directory, timeout: TIME_LIMIT, env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const printed = (text: string, output: 'stdout' | 'stderr' = 'stdout') =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if ((output === 'stdout' ? stdout : stderr).includes(text)) resolve();
      };
      child[output].on('data', look);
      child.on('close', () => reject(new Error(`The program never printed ${text}:\n${stdout}${stderr}`)));
      look();
    });
  return { process: child, outcome, printed };
}

export function runProgram(
  args: readonly string[],
  directory: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return startProgram(args, directory, { ...USUAL, ...variables }).outcome;
}
