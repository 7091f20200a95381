import { jsonLine } from '../jsonLine.js';
import { printable } from '../printable.js';
import { colorDepth, type Style, styleFor } from '../report/style.js';
import { columnsOf } from '../report/terminal.js';
import { wrapText } from '../report/wrap.js';
import { ExitCode } from './exitCode.js';
import { leave } from './leave.js';

/** Standard output cannot be written any more. */
export interface OutputLoss {
  readonly exitCode: number;
  readonly message: string;
}

let whenLost: (loss: OutputLoss) => void = leaveTold;

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

/**
 * What to do, instead of leaving at once, when standard output is lost. Called once; undefined: leave at once
 * again.
 */
export function onOutputLost(act: ((loss: OutputLoss) => void) | undefined): void {
  whenLost = act ?? leaveTold;
}

/** A closed pipe is no failure: whoever closed it has read enough. Anything else is told. */
function leaveTold({ exitCode, message }: OutputLoss): void {
  if (exitCode !== ExitCode.outputClosed) process.stderr.write(`${message}\n`);
  leave(exitCode);
}

function lossBy(error: NodeJS.ErrnoException): OutputLoss {
  if (error.code === 'EPIPE') {
    return { exitCode: ExitCode.outputClosed, message: 'Standard output was closed.' };
  }
  // What a terminal that is gone says, if it is heard before SIGHUP.
  if (error.code === 'EIO' && process.stdout.isTTY) {
    return { exitCode: ExitCode.hungUp, message: 'The terminal was closed.' };
  }
  return { exitCode: ExitCode.failed, message: `Standard output cannot be written: ${error.message}.` };
}

export function printLine(line: string): void {
  printText(`${line}\n`);
}

export function printText(text: string): void {
  process.stdout.write(text);
}

/** For people: lines that are too long for the terminal are broken between words. */
export function printPage(text: string): void {
  printLine(wrapText(text, columnsOf(process.stdout)));
}

/** Marks for standard output, where it has colour. */
export function outputStyle(): Style {
  return styleFor(colorDepth(process.stdout));
}

/** On standard error, in lines that fit a terminal; elsewhere whole. */
export function printError(text: string): void {
  const { stderr } = process;
  const plain = printable(text);
  const fitted = stderr.isTTY ? wrapText(plain, columnsOf(stderr)) : plain;
  stderr.write(`${styleFor(colorDepth(stderr)).error(fitted)}\n`);
}

export function printJson(value: object): void {
  printLine(jsonLine(value));
}

/** On standard error, so that what reads standard output finds there what it always finds. */
export function printWarnings(messages: readonly string[]): void {
  for (const message of messages) process.stderr.write(`Warning: ${printable(message)}\n`);
}
