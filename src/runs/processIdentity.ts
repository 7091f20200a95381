// Which process this is, in words that another process can check: a pid alone may be anybody's by then.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** The start of the operating system; absent where it does not tell. */
  readonly boot?: string;
  /** The pids that this one is among: a container has its own. */
  readonly pidNamespace?: string;
  /** When the process started, in ticks since the boot; no clock that can be set. */
  readonly started?: string;
}

/** `unknown`: it cannot be seen from here. `maybe`: there is such a pid, but it may be another program's. */
export type Liveness = 'alive' | 'maybe' | 'dead' | 'unknown';

export function thisProcess(): ProcessIdentity {
  const boot = readText('/proc/sys/kernel/random/boot_id');
  const pidNamespace = ownNamespace();
  const started = statOf(process.pid)?.started;
  return {
    pid: process.pid,
    host: hostname(),
    ...(boot === undefined ? {} : { boot }),
    ...(pidNamespace === undefined ? {} : { pidNamespace }),
    ...(started === undefined ? {} : { started }),
  };
}

export function livenessOf(other: ProcessIdentity, here: ProcessIdentity = thisProcess()): Liveness {
  if (other.boot !== here.boot || other.boot === undefined) {
    if (other.host !== here.host) return 'unknown';
    if (other.boot !== undefined && here.boot !== undefined) return 'dead';
    return exists(other.pid) ? 'maybe' : 'dead';
  }
  // The same boot is the same machine, whatever its name is by now.
  if (other.pidNamespace !== here.pidNamespace) return 'unknown';
  const stat = statOf(other.pid);
  // Other users' processes may be hidden in /proc.
  if (stat === undefined) return exists(other.pid) ? 'maybe' : 'dead';
  if (stat.hasEnded || stat.started !== other.started) return 'dead';
  return 'alive';
}

function statOf(pid: number): { readonly hasEnded: boolean; readonly started: string } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name before it, in brackets, may hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  return { hasEnded: ['Z', 'X', 'x'].includes(state), started: fields[19] ?? '' };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is another user's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function ownNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}
