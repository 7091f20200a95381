// What the set-up of the native backend works with. Tests put their own in its place: no network, no
// compiler.
import { appendFile } from 'node:fs/promises';
import { type Command, type Outcome, runCommand } from './command.js';

/** The machine. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
  /** Linux with the GNU C library, as PyPI's wheels need it: not Alpine's. */
  readonly glibc: boolean;
  readonly run: (command: Command) => Promise<Outcome>;
  readonly fetch: typeof fetch;
}

export function thisMachine(): Machine {
  const { header } = process.report.getReport() as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: header.glibcVersionRuntime !== undefined,
    run: runCommand,
    fetch: (...request) => fetch(...request),
  };
}

/** Tells how the work goes. */
export interface Progress {
  /** The next piece of work, in words. */
  begin(work: string): void;
  /** How much of it is done, e.g. in bytes. */
  advance(done: number, total: number): void;
  /** A sentence to be kept. */
  note(sentence: string): void;
}

/** A file of PyPI's. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** One installation being made: the machine, the folder in which it grows, and who is told. */
export interface Workshop {
  readonly machine: Machine;
  /** Renamed when all is done. */
  readonly directory: string;
  /** Takes every command and all its output. */
  readonly log: string;
  /** Has the C library. */
  readonly wheel: Wheel;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/** A program of the set-up, in the workshop's folder or one below it. */
export interface Job {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly timeLimit: number;
}

/** How a job went: done, or a reason for a sentence. */
export type Done =
  | { readonly kind: 'done'; readonly stdout: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Runs a job and writes the log. */
export async function work({ machine, directory, log, signal }: Workshop, job: Job): Promise<Done> {
  await appendFile(log, `$ ${[job.program, ...job.args].join(' ')}\n`);
  const outcome = await machine.run({ directory, ...job, signal });
  const { stdout, stderr } =
    outcome.kind === 'absent' ? { stdout: '', stderr: 'There is no such program.' } : outcome;
  const end = outcome.kind === 'ended' ? `exit code ${outcome.code}` : outcome.kind;
  await appendFile(log, `${[stdout, stderr, `[${end}]`].filter((text) => text !== '').join('\n')}\n\n`);
  if (outcome.kind === 'absent') return { kind: 'absent' };
  if (outcome.kind === 'tooLong') return { kind: 'failed', reason: `it took more than ${job.timeLimit} s` };
  if (outcome.code === 0) return { kind: 'done', stdout };
  return { kind: 'failed', reason: reasonIn(`${stdout}\n${stderr}`) };
}

/** What a failed program meant by its output: its first error, or else its last words. */
export function reasonIn(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !NPM_DETAIL.test(line));
  const reason = lines.find((line) => AN_ERROR.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  return reason.replace(/^(npm error )?((\w*Error|error|ERROR): )?/, '').replace(/[.\s]+$/, '');
}

/** A line in which Node, pip, the compilers or npm report an error. */
const AN_ERROR = /^npm error .|(^|[ :])(\w*Error|error|ERROR): ./;

/** What npm adds before and after the words that say why. */
const NPM_DETAIL = /^npm error (code|errno|syscall|path|command|A complete log) /;
