// Runs the compiled tests of build/test, one line a file. Usage: node scripts/test.mjs
// [--quick | --other-node] [WORD…]. With words, only files whose area and name (kernels/gemm) have one of
// them. --quick leaves out QUICK_WITHOUT: it is for the loop of work. --other-node leaves out
// OTHER_NODE_WITHOUT: it is for a Node beside the one on which all tests have passed.

import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Report } from './test-reporter.mjs';

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
 * What another Node cannot change: the float64 references and their bounds, the statistics of inference and
 * of estimators, words and their refusals, foreign libraries, charts and pages of the documentation. Kernels,
 * the engine and estimates have the same bits on every Node, which kernels/selfTest, coordinator/bits and
 * coordinator/inferencePool see to.
 */
const OTHER_NODE_WITHOUT = [
  'backends/simdGolden',
  'bench/',
  'cli/bench',
  'cli/compare',
  'cli/completion',
  'cli/documentation',
  'cli/help',
  'cli/modelFile',
  'cli/recommendation',
  'cli/refusals',
  'collective/mpi',
  'coordinator/checkpointTogether',
  'coordinator/config',
  'coordinator/documentation',
  'coordinator/options',
  'coordinator/processes',
  'data/documentation',
  'fuzz/',
  'golden/',
  'inference/',
  'model/',
  'objective/',
  'reference/',
  'report/',
  'schedule/',
  'tfjs/survey',
];

/**
 * Files that run one at a time, behind all others. In most of them a test fails where a measurement, the
 * answer of a thread or a kill takes too long: other programs on the same cores could take that time.
 * package/package packs the package, which builds dist/ anew where it is out of date.
 */
const ALONE = [
  'cli/bench',
  'cli/run',
  'collective/',
  'coordinator/checkpointTogether',
  'coordinator/failures',
  'coordinator/killed',
  'coordinator/processes',
  'coordinator/recovery',
  'package/package',
];

/**
 * Files that take more than ten seconds, the longest first. They start before all others, so that no core is
 * idle at the end. The order decides how long all tests take, and nothing else.
 */
const LONGEST = [
  'backends/cpuContract',
  'backends/simdGolden',
  'backends/nativeContract',
  'cli/refusals',
  'coordinator/backends',
  'reference/elbo',
  'backends/wasmContract',
  'coordinator/bits',
  'backends/simdContract',
  'package/runtimes',
  'cli/fallback',
  'bench/registry',
  'cli/stopping',
  'cli/modelFile',
  'fuzz/fuzz',
  'coordinator/seams',
  'backends/ownerUpdate',
  'coordinator/stopped',
  'cli/help',
  'kernels/selfTest',
  'tfjs/layerStacks',
  'tfjs/example',
  'coordinator/channels',
  'runs/checkpoint',
  'coordinator/verify',
  'golden/float32',
  'coordinator/missingPictures',
  'cli/environment',
  'coordinator/brokenEnd',
  'coordinator/run',
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
  .sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
if (files.length === 0) {
  console.error(`No test file of build/test has ${words.join(' or ')} in its name.`);
  process.exit(2);
}

const [alone, together] = [[], []];
for (const file of files) (ALONE.some((name) => file.startsWith(name)) ? alone : together).push(file);
const cores = availableParallelism();
const report = new Report(files.length);
await runTests(together, cores);
await runTests(alone, quick ? cores : 1);
process.exitCode = report.end() ? 0 : 1;

/** Where a file stands among the longest ones; the others stand behind them. */
function place(file) {
  const index = LONGEST.findIndex((name) => file.startsWith(name));
  return index < 0 ? LONGEST.length : index;
}

/** Runs so many files at a time, in their order: a core that is done with one takes the next. */
async function runTests(chosen, atOnce) {
  const queue = chosen.map((file) => join('build/test', file));
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await report.follow(file, run({ files: [file], concurrency: 1 }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
