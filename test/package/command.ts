import { execFile } from 'node:child_process';

/** The time after which a program that does not end is stopped. */
const TIME_LIMIT = 300_000;

export interface Outcome {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever that is. */
export function run(program: string, args: readonly string[], directory: string): Promise<Outcome> {
  const options = { cwd: directory, timeout: TIME_LIMIT, maxBuffer: 2 ** 26 };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? 1), stdout, stderr });
    });
  });
}

/** Runs a program that must succeed; returns what it printed. @throws Error with all that it printed. */
export async function succeed(program: string, args: readonly string[], directory: string): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, directory);
  if (code !== 0) {
    throw new Error(`${[program, ...args].join(' ')} ended with ${code}:\n${stdout}${stderr}`);
  }
  return stdout;
}
