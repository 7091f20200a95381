/**
 * What the process tells the shell. Codes from 128 up are 128 and the number of a signal, as shells have it.
 */
export const ExitCode = {
  done: 0,
  failed: 1,
  /** Wrong use or bad input: everything that is a UsageError. */
  usage: 2,
  /** SIGHUP: the terminal was closed. */
  hungUp: 129,
  /** SIGINT: Ctrl-C. */
  interrupted: 130,
  /** The reader of standard output went away: `| head`. */
  outputClosed: 141,
  /** SIGTERM. */
  terminated: 143,
} as const;
