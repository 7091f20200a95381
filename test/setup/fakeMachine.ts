import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Outcome } from '#src/setup/command.js';
import type { Machine, Progress } from '#src/setup/workshop.js';

/** What the programs of a machine do; by default what they do where all goes well. */
export interface Programs {
  readonly npmCi: (command: Command) => Outcome;
  /** The package's own download. */
  readonly script: (command: Command) => Outcome;
  readonly check: (command: Command) => Outcome;
  readonly pip: (command: Command) => Outcome;
  readonly compilerVersion: (command: Command) => Outcome;
  readonly compile: (command: Command) => Outcome;
}

export const absent: Outcome = { kind: 'absent' };

export function success(stdout = ''): Outcome {
  return { kind: 'ended', code: 0, stdout, stderr: '' };
}

export function failure(stderr: string): Outcome {
  return { kind: 'ended', code: 1, stdout: '', stderr };
}

/** As tfjs-node's script fails where its server cannot be reached. */
export const noDownload = failure(
  'npm error code 1\nError: getaddrinfo ENOTFOUND a.server\n    at somewhere',
);

export const PACKAGE = 'node_modules/@tensorflow/tfjs-node';

function installed({ directory }: Command): Outcome {
  mkdirSync(join(directory, PACKAGE, 'binding'), { recursive: true });
  writeFileSync(join(directory, PACKAGE, 'binding', 'tfjs_binding.cc'), '');
  return success();
}

function compiled({ directory, args }: Command): Outcome {
  writeFileSync(join(directory, args[args.indexOf('-o') + 1]!), '');
  return success();
}

/** A Linux x86-64 whose programs do what they are told here; it writes down which were called. */
export class FakeMachine implements Machine {
  platform: NodeJS.Platform = 'linux';
  arch: NodeJS.Architecture = 'x64';
  glibc = true;
  readonly calls: Command[] = [];
  readonly #programs: Programs;
  readonly fetch: typeof fetch;

  constructor(programs: Partial<Programs> = {}, respond?: (address: string) => Response) {
    this.#programs = {
      npmCi: installed,
      script: () => noDownload,
      check: () => success('{"tensorflow":"2.15.1"}\n'),
      pip: () => absent,
      compilerVersion: () => success(),
      compile: compiled,
      ...programs,
    };
    this.fetch = async (address) => {
      if (respond === undefined) throw new TypeError('fetch failed', { cause: new Error('no network') });
      return respond(String(address));
    };
  }

  /** What was called, in words. */
  get names(): string[] {
    return this.calls.map((command) => nameOf(command));
  }

  readonly run = async (command: Command): Promise<Outcome> => {
    this.calls.push(command);
    return this.#programs[nameOf(command)](command);
  };
}

function nameOf({ program, args }: Command): keyof Programs {
  if (args.includes('ci')) return 'npmCi';
  if (args.includes('rebuild')) return 'script';
  if (args.includes('pip')) return 'pip';
  if (args[0] === '--version') return 'compilerVersion';
  if (['g++', 'clang++'].includes(program)) return 'compile';
  if (args[0]?.endsWith('gradientCheck.js')) return 'check';
  throw new Error(`Nobody expected ${program} ${args.join(' ')}.`);
}

/** Keeps what it is told. */
export class Told implements Progress {
  readonly lines: string[] = [];
  readonly parts: (readonly [done: number, total: number])[] = [];

  begin(work: string): void {
    this.lines.push(work);
  }

  advance(done: number, total: number): void {
    this.parts.push([done, total]);
  }

  note(sentence: string): void {
    this.lines.push(sentence);
  }
}
