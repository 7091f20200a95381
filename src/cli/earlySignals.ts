// Signals that arrive before the command listens: while modules load.
import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export type StopSignal = keyof typeof SIGNALS;

/** As in interruption.ts: one key press may arrive twice. */
const ECHO = 400;

let received: { readonly signal: StopSignal; readonly since: number } | undefined;

const note = (signal: NodeJS.Signals): void => {
  if (received === undefined) received = { signal: signal as StopSignal, since: performance.now() };
  else if (performance.now() - received.since > ECHO) process.exit(SIGNALS[signal as StopSignal]);
};

/** Keeps the first signal for `takeEarlySignal`; a second one leaves at once. */
export function listenEarly(): void {
  for (const signal of Object.keys(SIGNALS) as StopSignal[]) process.on(signal, note);
}

/** The signal that has arrived, if any; from now on they are the caller's. */
export function takeEarlySignal(): StopSignal | undefined {
  for (const signal of Object.keys(SIGNALS) as StopSignal[]) process.off(signal, note);
  return received?.signal;
}

/**
 * Whether the process was started by nohup, which lets it ignore SIGHUP. Node takes that back when it starts,
 * and so nothing is left of it but nohup's traces: its name in `_`, where the shell is bash or zsh, and a
 * standard input that can only be written, where it was a terminal (GNU).
 */
export function startedByNohup(): boolean {
  return basename(process.env._ ?? '') === 'nohup' || hasUnreadableInput();
}

function hasUnreadableInput(): boolean {
  try {
    if (readlinkSync('/proc/self/fd/0') !== '/dev/null') return false;
    const [, flags] = /^flags:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/fdinfo/0', 'latin1')) ?? [];
    // The last two bits are the way in which it was opened: 1 is O_WRONLY.
    return flags !== undefined && Number.parseInt(flags, 8) % 4 === 1;
  } catch {
    return false;
  }
}
