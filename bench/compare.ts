// Ratios against an earlier run's file.

import { readFileSync } from 'node:fs';
import { UsageError } from '#src/errors.js';
import type { Machine } from './machine.js';
import { type Row, type Table, times } from './section.js';

/** What --json writes and --compare reads: the sections' tables, without how they are printed. */
export interface Report {
  readonly formatVersion: 1;
  readonly machine: Machine;
  readonly tables: readonly ReportTable[];
}

export type ReportTable = Pick<Table, 'title' | 'identity' | 'measure' | 'rows'>;

/** @throws UsageError where the file does not hold a report. */
export function readReport(path: string): Report {
  let report: Partial<Report> | null;
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as Partial<Report> | null;
  } catch (error) {
    throw new UsageError(`${path} cannot be compared with: ${(error as Error).message}.`);
  }
  if (report?.formatVersion !== 1 || !Array.isArray(report.tables)) {
    throw new UsageError(`${path} does not hold what --json wrote (formatVersion 1).`);
  }
  return report as Report;
}

/** One row for each of `now`; above 1 is faster (or smaller), whatever the measure. */
export function compareTables(before: ReportTable | undefined, now: Table): Table {
  const { identity, measure } = now;
  const name = (row: Row) => identity.map((key) => row[key]).join('\n');
  const earlier = new Map(before?.rows.map((row) => [name(row), row]));
  const { format } = now.columns.find(({ key }) => key === measure.key) ?? {};
  const rows = now.rows.map((row): Row => {
    const names = Object.fromEntries(identity.map((key) => [key, row[key]!]));
    const after = row[measure.key] as number;
    const then = earlier.get(name(row))?.[measure.key];
    if (typeof then !== 'number') return { ...names, after };
    return {
      ...names,
      before: then,
      after,
      ratio: measure.better === 'higher' ? after / then : then / after,
    };
  });
  const number = { ...(format ? { format } : {}) };
  return {
    ...now,
    title: `${now.title}: ${measure.key}, compared`,
    columns: [
      ...now.columns.filter(({ key }) => identity.includes(key)),
      { key: 'before', heading: 'before', ...number },
      { key: 'after', heading: 'now', ...number },
      { key: 'ratio', heading: 'better by', format: times },
    ],
    rows,
  };
}
