import { jsonText } from '../report/jsonText.js';
import { ExitCode } from './exitCode.js';

/** Standard output cannot be written any more. */
export interface OutputLoss {
  readonly exitCode: number;
  readonly message: string;
}

let whenLost: (loss: OutputLoss) => void = leave;

/** Keeps a closed pipe (`| head`) or a full device (`> /dev/full`) from ending the process with a stack. */
export function guardOutput(): void {
  let lost = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (lost) return;
    lost = true;
    whenLost(lossBy(error));
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => {});
}

/** What to do, instead of leaving at once, when standard output is lost. Called once; undefined: leave at once again. */
export function onOutputLost(act: ((loss: OutputLoss) => void) | undefined): void {
  whenLost = act ?? leave;
}

/** A closed pipe is no failure: whoever closed it has read enough. Anything else is told. */
function leave({ exitCode, message }: OutputLoss): never {
  if (exitCode !== ExitCode.outputClosed) process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}

function lossBy(error: NodeJS.ErrnoException): OutputLoss {
  return error.code === 'EPIPE'
    ? { exitCode: ExitCode.outputClosed, message: 'Standard output was closed.' }
    : { exitCode: ExitCode.failed, message: `Standard output cannot be written: ${error.message}.` };
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: object): void {
  printLine(jsonText(value));
}

/** On standard error, so that what reads standard output finds there what it always finds. */
export function printWarnings(messages: readonly string[]): void {
  for (const message of messages) process.stderr.write(`Warning: ${message}\n`);
}
