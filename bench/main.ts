// The benchmarks: npm run bench -- --help
//
// Every section verifies what it times, times in interleaved rounds where runs are compared, and reports
// medians.

import { writeFileSync } from 'node:fs';
import { UsageError } from '#src/errors.js';
import { allReduceSection } from './allReduceSection.js';
import { compareTables, type Report, readReport } from './compare.js';
import { kernelSection } from './kernelSection.js';
import { describeMachine, machineLine } from './machine.js';
import { memorySection } from './memorySection.js';
import { type BenchOptions, parseOptions, usage } from './options.js';
import { printTable } from './printTable.js';
import { scalingSection } from './scalingSection.js';
import type { Section, Table } from './section.js';
import { stepSection } from './stepSection.js';

const SECTIONS: readonly Section[] = [
  kernelSection,
  stepSection,
  allReduceSection,
  scalingSection,
  memorySection,
];

async function main({ sections, model, batchSize, network, json, compare }: BenchOptions): Promise<void> {
  const before = compare === undefined ? undefined : readReport(compare);
  const machine = describeMachine();
  console.log(machineLine(machine));
  if (before !== undefined) console.log(`Compared with ${compare}: ${machineLine(before.machine)}`);
  console.log();
  const tables: Table[] = [];
  for (const section of SECTIONS) {
    if (sections.length > 0 && !sections.includes(section.name)) continue;
    const say = (line: string) => process.stderr.write(`${line}\n`);
    const results = await section.run({ say, model, batchSize, network });
    for (const table of results) {
      console.log(printTable(table));
      if (before === undefined) continue;
      const earlier = before.tables.find(({ title }) => title === table.title);
      console.log(printTable(compareTables(earlier, table)));
    }
    tables.push(...results);
  }
  if (json === undefined) return;
  const kept = tables.map(({ title, identity, measure, rows }) => ({ title, identity, measure, rows }));
  const report: Report = { formatVersion: 1, machine, tables: kept };
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
}

try {
  const names = SECTIONS.map(({ name }) => name);
  const options = parseOptions(process.argv.slice(2), names);
  if (options === undefined) console.log(usage(names));
  else await main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
