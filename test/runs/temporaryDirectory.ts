import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** A directory that lives as long as the tests of the file that asks. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'lowerbound-checkpoint-'));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
