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
  process.stdout.write(`${line}\n`);
}

export function printJson(value: object): void {
  printLine(JSON.stringify(value));
}
