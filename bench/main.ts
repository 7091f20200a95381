// The benchmarks: npm run bench [-- SECTION…] [--model NAME] [--batch-size N] [--json FILE] [--compare FILE]
//
// Every section verifies what it times, times in interleaved rounds where runs are compared, and reports medians.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { allReduceSection } from './allReduceSection.js';
import { compareTables, type Report, readReport } from './compare.js';
import { kernelSection } from './kernelSection.js';
import { describeMachine, machineLine } from './machine.js';
import { memorySection } from './memorySection.js';
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

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string' },
    'batch-size': { type: 'string' },
    json: { type: 'string' },
    compare: { type: 'string' },
  },
});

const unknown = positionals.find((name) => !SECTIONS.some((section) => section.name === name));
if (unknown !== undefined) {
  const names = SECTIONS.map(({ name }) => name).join(', ');
  throw new Error(`There is no section ${unknown}. Sections are ${names}.`);
}

const before = values.compare === undefined ? undefined : readReport(values.compare);
const machine = describeMachine();
console.log(machineLine(machine));
if (before !== undefined) console.log(`Compared with ${values.compare}: ${machineLine(before.machine)}`);
console.log();

const tables: Table[] = [];
for (const section of SECTIONS) {
  if (positionals.length > 0 && !positionals.includes(section.name)) continue;
  const results = await section.run({
    say: (line) => process.stderr.write(`${line}\n`),
    model: values.model,
    batchSize: values['batch-size'] === undefined ? undefined : Number(values['batch-size']),
  });
  for (const table of results) {
    console.log(printTable(table));
    if (before === undefined) continue;
    const earlier = before.tables.find(({ title }) => title === table.title);
    console.log(printTable(compareTables(earlier, table)));
  }
  tables.push(...results);
}

if (values.json !== undefined) {
  const kept = tables.map(({ title, identity, measure, rows }) => ({ title, identity, measure, rows }));
  const report: Report = { formatVersion: 1, machine, tables: kept };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
