// Directories for one test, runs in them, and what tests read of a run.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smallData, smallModel } from './smallRun.js';

/** Runs `use` with an empty directory that is removed afterwards. */
export async function withTemporaryDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'lowerbound-training-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Options of a run of smallModel on the small data set, on two workers and without pictures. */
export interface TemporaryRun {
  /** The directory of the data. */
  readonly data: string;
  /** A directory for the run, which is not made yet. */
  readonly out: string;
  /** Options of a new run; `out` is not among them. */
  readonly options: {
    readonly data: string;
    readonly model: typeof smallModel;
    readonly pictures: false;
    readonly workers: number;
  };
  /** Options that resume the run in `out`. */
  readonly resume: { readonly data: string; readonly pictures: false; readonly resume: string };
}

/** Runs `use` with the small data set and a place for a run, both of which are removed afterwards. */
export async function withTemporaryRun<T>(use: (run: TemporaryRun) => Promise<T>): Promise<T> {
  return await withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    const out = join(directory, 'run');
    const common = { data, pictures: false } as const;
    return await use({
      data,
      out,
      options: { ...common, model: smallModel, workers: 2 },
      resume: { ...common, resume: out },
    });
  });
}

/** The lines of a run's metrics.jsonl; those of one kind where `kind` is given. */
export async function metricsOf(out: string, kind?: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(out, 'metrics.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => kind === undefined || line.kind === kind);
}

/** A line of metrics.jsonl without what the clock decides. */
export function withoutTimes(line: Record<string, unknown>): Record<string, unknown> {
  const { seconds: _seconds, imagesPerSecond: _rate, ...rest } = line;
  return rest;
}

/** The error with which a run fails; fails where the run does not. */
export async function rejection(running: Promise<unknown>): Promise<Error> {
  const error: unknown = await running.then(
    () => assert.fail('the run did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error);
  return error;
}
