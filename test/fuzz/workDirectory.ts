import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let made: string | undefined;

/** One directory for the process, removed when it ends. */
export function workDirectory(): string {
  if (made !== undefined) return made;
  const path = mkdtempSync(join(tmpdir(), 'lowerbound-fuzz-'));
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  made = path;
  return path;
}
