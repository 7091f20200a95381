// Runs the compiled tests of build/test, one line a file. Usage: node scripts/test.mjs
// [--quick | --other-node] [WORD…]. With words, only files whose area and name (kernels/gemm) have one of
// them. --quick leaves out QUICK_WITHOUT: it is for the loop of work. --other-node leaves out
// OTHER_NODE_WITHOUT: it is for a Node beside the one on which all tests have passed.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Areas and files of whole runs, of other programs, and of whole models against references: seconds of
 * computing each.
 */
const QUICK_WITHOUT = [
  'package/',
  'tfjs/',
  'coordinator/',
  'backends/cpuContract',
  'backends/native',
  'backends/ownerUpdate',
  'backends/simdContract',
  'backends/simdGolden',
  'backends/wasmContract',
  'bench/registry',
  'cli/bench',
  'cli/completion',
  'cli/environment',
  'cli/fallback',
  'cli/help',
  'cli/modelFile',
  'cli/refusals',
  'cli/run',
  'cli/seams',
  'cli/stopping',
  'golden/float32',
  'kernels/selfTest',
  'reference/elbo',
  'report/sampleGrid',
  'report/scatterChart',
  'runs/checkpoint',
  'runs/writeFaults',
  'setup/command',
];

/**
 * What another Node cannot change: the float64 references and their bounds, and pages of the documentation.
 * The engine that simdGolden holds to a reference has the same bits on every Node, which coordinator/bits and
 * kernels/selfTest see to.
 */
const OTHER_NODE_WITHOUT = [
  'backends/simdGolden',
  'cli/documentation',
  'coordinator/documentation',
  'data/documentation',
  'golden/',
  'model/documentation',
  'reference/',
];

/** Whole runs and other programs have threads of their own: these files run one at a time. */
const ALONE = [
  'bench/',
  'cli/bench',
  'cli/environment',
  'cli/fallback',
  'cli/run',
  'cli/seams',
  'cli/stopping',
  'collective/',
  'coordinator/',
  'package/',
  'runs/writeFaults',
];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const words = process.argv.slice(2);
const quick = words[0] === '--quick';
const otherNode = words[0] === '--other-node';
if (quick || otherNode) words.shift();
const without = quick ? QUICK_WITHOUT : otherNode ? OTHER_NODE_WITHOUT : [];

const files = readdirSync('build/test', { recursive: true })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => !without.some((name) => file.startsWith(name)))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No test file of build/test has ${words.join(' or ')} in its name.`);
  process.exit(2);
}

const [alone, together] = [[], []];
for (const file of files) (ALONE.some((name) => file.startsWith(name)) ? alone : together).push(file);
const cores = availableParallelism();
const passed = [runTests(together, cores), runTests(alone, quick ? cores : 1)];
process.exit(passed.every(Boolean) ? 0 : 1);

/** Runs so many files at a time; returns whether all of them passed. */
function runTests(chosen, atOnce) {
  if (chosen.length === 0) return true;
  const options = [`--test-concurrency=${atOnce}`, '--test-reporter=./scripts/test-reporter.mjs'];
  const paths = chosen.map((file) => join('build/test', file));
  const { status } = spawnSync(process.execPath, ['--test', ...options, ...paths], { stdio: 'inherit' });
  return status === 0;
}
