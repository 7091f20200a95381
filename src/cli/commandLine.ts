import { createRequire } from 'node:module';
import { requireOneProcess } from '../coordinator/launched.js';
import { ToldElsewhere, UsageError } from '../errors.js';
import { columnsOf } from '../report/terminal.js';
import { benchCommand } from './bench.js';
import type { Command } from './command.js';
import { compareCommand } from './compare.js';
import { COMPLETE, candidateLines, candidates } from './completion.js';
import { completionCommand, isShell } from './completionCommand.js';
import { evaluateCommand } from './evaluate.js';
import { ExitCode } from './exitCode.js';
import { inferCommand } from './infer.js';
import { inspectCommand } from './inspect.js';
import { interpolateCommand } from './interpolate.js';
import { manifoldCommand } from './manifold.js';
import { guardOutput, outputStyle, printError, printLine, printText } from './output.js';
import { type Parsed, type Program, parseCommandLine } from './parse.js';
import { reconstructCommand } from './reconstruct.js';
import { sampleCommand } from './sample.js';
import { setupCommand } from './setup.js';
import { trainCommand } from './train.js';
import { verifyCommand } from './verify.js';

const commands: readonly Command[] = [
  trainCommand,
  evaluateCommand,
  inferCommand,
  sampleCommand,
  reconstructCommand,
  interpolateCommand,
  manifoldCommand,
  inspectCommand,
  verifyCommand,
  compareCommand,
  benchCommand,
  setupCommand,
  completionCommand,
];

const examples = [
  ['lowerbound train', 'Train the convolutional VAE on MNIST, into runs/cvae-1'],
  ['lowerbound evaluate runs/cvae-1', 'Measure its test ELBO'],
  ['lowerbound sample runs/cvae-1', 'Draw 100 new digits'],
] as const;

const epilogue =
  `"lowerbound COMMAND --help" shows a command's flags, their defaults and examples.\n` +
  'Exit codes: 0 done; 1 failed; 2 wrong use or bad input; 129\u00a0terminal closed, 130\u00a0interrupted (Ctrl-C), ' +
  '143\u00a0terminated: train has written a checkpoint; 141\u00a0nobody reads the output any more.';

export const program: Program = { version: packageVersion(), commands, examples, epilogue };

/** Runs one command line and says with which code the process should leave. Never rejects. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  guardOutput();
  const [first, shell, ...words] = args;
  if (first === COMPLETE && shell !== undefined && isShell(shell)) {
    printText(candidateLines(shell, candidates(commands, words)));
    return ExitCode.done;
  }
  try {
    const page = { width: columnsOf(process.stdout), style: outputStyle() };
    const parsed = await parseCommandLine(program, args, page);
    if (parsed.kind === 'run') return await run(parsed);
    printLine(parsed.text);
    return ExitCode.done;
  } catch (error) {
    if (error instanceof ToldElsewhere) return ExitCode.done;
    printError(errorText(error, args.includes('--debug')));
    return error instanceof UsageError ? ExitCode.usage : ExitCode.failed;
  }
}

/** Commands without the flag --mpi do not share their work. */
async function run({ command, values }: Extract<Parsed, { kind: 'run' }>): Promise<number> {
  if (!('mpi' in command.flags)) requireOneProcess(command.name);
  return await command.execute(values);
}

function errorText(error: unknown, debug: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  // A stack begins with the error's name and message, unless it comes from a worker.
  return !debug || stack === '' ? message : stack.includes(message) ? stack : `${message}\n${stack}`;
}

function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('../../package.json');
  return (manifest as { readonly version: string }).version;
}
