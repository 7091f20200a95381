#!/usr/bin/env node
// Nothing of the package is imported before it is known that its files can be opened.
import { readFileSync } from 'node:fs';

/** Files that may have to be open at once to load the modules and to run two workers. */
const LEAST_FILES = 64;

const limit = openFileLimit();
if (limit < LEAST_FILES) {
  process.stderr.write(
    `Only ${limit} files may be open at once, but lowerbound needs ${LEAST_FILES}, and more with many workers. Raise ` +
      'the limit: ulimit -n 1024.\n',
  );
  process.exitCode = 2;
} else {
  await start(process.argv.slice(2));
}

async function start(args: readonly string[]): Promise<void> {
  const { listenEarly, startedByNohup } = await import('./earlySignals.js');
  // Node has taken back that the signal is to be ignored.
  if (startedByNohup()) process.on('SIGHUP', () => {});
  if (args[0] === 'train') listenEarly();
  const [{ runCommandLine }, { ExitCode }, { leave }] = await Promise.all([
    import('./commandLine.js'),
    import('./exitCode.js'),
    import('./leave.js'),
  ]);
  const code = await runCommandLine(args);
  if (code === ExitCode.hungUp) leave(code);
  else process.exitCode = code;
}

/** Infinity where the system does not tell. */
function openFileLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
