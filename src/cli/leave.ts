import { isatty } from 'node:tty';
import { ExitCode } from './exitCode.js';

/** Asked at the start: a terminal that is gone does not say that it was one. */
const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));

/**
 * Ends the process at once. Node sets terminals back to what they were when it exits, and aborts where the
 * terminal is gone. So a process that was hung up on ends by the signal itself, which shells report as the
 * same code.
 */
export function leave(exitCode: number): void {
  if (exitCode === ExitCode.hungUp && onTerminal && process.platform !== 'win32') {
    process.removeAllListeners('SIGHUP');
    process.kill(process.pid, 'SIGHUP');
  } else {
    process.exit(exitCode);
  }
}
