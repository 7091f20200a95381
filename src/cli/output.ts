import { colorDepth, type Style, styleFor } from '../report/style.js';
import { columnsOf } from '../report/terminal.js';
import { wrapText } from '../report/wrap.js';
import { ExitCode } from './exitCode.js';

let whenClosed: () => void = () => process.exit(ExitCode.outputClosed);

/** Keeps a closed pipe (`| head`) from ending the process with a stack. */
export function guardOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    whenClosed();
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => {});
}

/** What to do, instead of leaving at once, when nobody reads standard output any more. Called once for each line. */
export function onOutputClosed(act: () => void): void {
  whenClosed = act;
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
  const fitted = stderr.isTTY ? wrapText(text, columnsOf(stderr)) : text;
  stderr.write(`${styleFor(colorDepth(stderr)).error(fitted)}\n`);
}

export function printJson(value: object): void {
  printLine(JSON.stringify(value));
}
