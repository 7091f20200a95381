// Runs the compiled tests of build/test, one line a file. Usage: node scripts/test.mjs [--quick] [WORD…]. With words, only
// files whose area and name (kernels/gemm) have one of them. --quick leaves out QUICK_WITHOUT: it is for the loop of work.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Areas and files of whole runs, of other programs, and of whole models against references: seconds of computing each. */
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
  'setup/command',
];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const words = process.argv.slice(2);
const quick = words[0] === '--quick';
if (quick) words.shift();

const files = readdirSync('build/test', { recursive: true })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => !quick || !QUICK_WITHOUT.some((name) => file.startsWith(name)))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No test file of build/test has ${words.join(' or ')} in its name.`);
  process.exit(2);
}

// Whole runs have workers of their own: those files go one at a time on two cores, as node:test does by itself.
const concurrency = quick ? [`--test-concurrency=${availableParallelism()}`] : [];
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    ...concurrency,
    '--test-reporter=./scripts/test-reporter.mjs',
    ...files.map((file) => join('build/test', file)),
  ],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
