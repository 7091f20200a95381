import { spawn } from 'node:child_process';

/** A program to run, without a shell: no word of it is interpreted. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program and all that it has started. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds after which it is ended. */
  readonly timeLimit: number;
}

export type Outcome =
  | { readonly kind: 'ended'; readonly code: number | null; readonly stdout: string; readonly stderr: string }
  /** There is no such program. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'tooLong'; readonly stdout: string; readonly stderr: string };

/** Milliseconds between the request to end and the end by force. */
const GRACE = 3000;

/**
 * Runs a program to its end.
 * @throws the signal's reason where that was given, once every process of the program is gone.
 */
export async function runCommand(command: Command): Promise<Outcome> {
  const { program, args, directory, env, signal, timeLimit } = command;
  signal?.throwIfAborted();
  // A process group of its own can be ended as a whole, and is spared the terminal's Ctrl-C until we pass it
  // on.
  const grouped = process.platform !== 'win32';
  const child = spawn(program, args, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: grouped,
    windowsHide: true,
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  let tooLong = false;
  let last: NodeJS.Timeout | undefined;
  const kill = (name: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(grouped ? -child.pid : child.pid, name);
    } catch {
      // It is gone already.
    }
  };
  const end = () => {
    kill('SIGTERM');
    last ??= setTimeout(() => kill('SIGKILL'), GRACE);
  };
  const limit = setTimeout(() => {
    tooLong = true;
    end();
  }, timeLimit * 1000);
  const atExit = () => kill('SIGKILL');
  process.once('exit', atExit);
  signal?.addEventListener('abort', end, { once: true });
  try {
    const code = await new Promise<number | null | 'absent'>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') resolve('absent');
        else reject(error);
      });
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    if (code === 'absent') return { kind: 'absent' };
    return tooLong ? { kind: 'tooLong', ...output } : { kind: 'ended', code, ...output };
  } finally {
    clearTimeout(limit);
    clearTimeout(last);
    process.off('exit', atExit);
    signal?.removeEventListener('abort', end);
  }
}
