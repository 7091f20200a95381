import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { idxBytes, writeFile } from '../data/idxFiles.js';
import { type Outcome, runProgram } from './program.js';

/** Removed when the tests of the file are over. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'lowerbound-cli-'));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/**
 * Writes `parent/name`: IDX files of `size`×`size` images with a pattern that differs from image to image.
 */
export function writeSmallData(parent: string, name: string, trainCount: number, size = 8): string {
  const directory = join(parent, name);
  mkdirSync(directory);
  for (const [set, count] of [['train', trainCount] as const, ['t10k', 12] as const]) {
    const pixels = Uint8Array.from({ length: count * size * size }, (_, i) => (i * 37 + (i >> 6) * 11) % 256);
    writeFile(directory, `${set}-images-idx3-ubyte`, idxBytes([count, size, size], pixels));
    writeFile(directory, `${set}-labels-idx1-ubyte`, idxBytes([count], new Uint8Array(count)));
  }
  return directory;
}

/** Runs a command that must succeed, and prints nothing on standard error. */
export async function succeed(args: readonly string[], directory: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram(args, directory);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout);
  return stdout;
}

/** Each line as JSON. */
export function parseLines(stdout: string): Record<string, unknown>[] {
  assert.match(stdout, /\n$/);
  return stdout
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The one JSON object that a command with --json prints. */
export async function succeedWithJson(
  args: readonly string[],
  directory: string,
): Promise<Record<string, unknown>> {
  const lines = parseLines(await succeed([...args, '--json'], directory));
  assert.equal(lines.length, 1);
  return lines[0]!;
}

/** A refusal: its sentence and nothing else. */
export function assertRefused(outcome: Outcome, message: string): void {
  assert.deepEqual(outcome, { code: 2, stdout: '', stderr: `${message}\n` });
}
